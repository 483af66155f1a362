"""Projected discriminators: what heads and nets learn from the features of a frozen net."""

from pathlib import Path

import pytest
import torch

from limner.nets.efficientnet import EfficientNetLite0
from limner.train.losses.projected import Projected, changed, drawn_change, level_sizes


@pytest.fixture
def terms():
    torch.manual_seed(0)
    seen = EfficientNetLite0().eval()
    return Projected(seen, level_sizes(seen, pictures(4, 9) / 2 + 0.5), start=2, rise=1, lr=2e-3)


def pictures(count, seed):
    return torch.rand(count, 3, 48, 48, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_pictures_are_no_distance_apart_and_the_gradient_reaches_what_was_made(terms):
    truth = pictures(2, 0)
    assert terms(truth, truth, 0, torch.Generator().manual_seed(0)) == 0
    made = pictures(2, 1).requires_grad_()
    terms(made, truth, 0, torch.Generator().manual_seed(0)).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in terms.seen.parameters())


def test_the_heads_learn_to_tell_and_the_term_asks_to_be_taken_for_real(terms):
    truth, made = pictures(4, 0), pictures(4, 1) * 0.1
    real, false = (terms.seen.features(one / 2 + 0.5) for one in (truth, made))

    def apart():
        return sum(float(a.mean() - b.mean()) for a, b in zip(terms.heads(real), terms.heads(false), strict=True))

    with torch.no_grad():
        before = apart()
    for step in range(1, 40):
        terms(made, truth, step, torch.Generator().manual_seed(step))
    with torch.no_grad():
        assert apart() > before + 0.2
    plain = terms(made, truth, 0, torch.Generator().manual_seed(0))
    judged = terms(made, truth, 100, torch.Generator().manual_seed(0))
    assert judged > plain  # what the heads see through costs


def test_no_pictures_cost_nothing(terms):
    none = torch.zeros(0, 3, 48, 48, requires_grad=True)
    loss = terms(none, none.detach(), 5, torch.Generator().manual_seed(0))
    loss.backward()
    assert loss == 0


def test_what_was_learned_is_saved(terms):
    truth, made = pictures(2, 0), pictures(2, 1)
    terms(made, truth, 3, torch.Generator().manual_seed(0))
    other = Projected(terms.seen, terms.scale, start=2, rise=1, lr=2e-3)
    other.load_state_dict(terms.state_dict(), Path("loss.safetensors"))
    again = [one(made, truth, 4, torch.Generator().manual_seed(0)).item() for one in (terms, other)]
    assert again[0] == again[1]


def test_the_augmentation_is_alike_for_both_and_keeps_the_middle_of_its_ranges():
    change = drawn_change(3, torch.Generator().manual_seed(0), torch.device("cpu"))
    one = pictures(3, 0) / 2 + 0.5
    torch.testing.assert_close(changed(one, change), changed(one.clone(), change))
    still = torch.tensor([0.0, 1.0, 1.0]).view(3, 1, 1, 1, 1).expand(3, 3, 1, 1, 1)
    torch.testing.assert_close(changed(one, still), one)
