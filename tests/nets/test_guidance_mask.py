"""The masks of identity guidance."""

import pytest
import torch
from torch import nn

from limner.nets.guidance_mask import START, PredictedMask, StaticMask


def latents() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), torch.tensor([10, 900])


@pytest.mark.parametrize("mask", [StaticMask(3, 8), PredictedMask(3, 8, 8)])
def test_an_untrained_mask_lets_the_same_little_through_everywhere(mask):
    out = mask(*latents())
    assert out.shape == (2, 3, 8, 8)
    torch.testing.assert_close(out, torch.full_like(out, torch.tensor(START).sigmoid().item()))


def test_a_static_mask_has_its_places_for_every_face():
    mask = StaticMask(3, 8)
    nn.init.normal_(mask.logits)
    out = mask(*latents())
    assert torch.equal(out[0], out[1]) and torch.equal(out[0], mask.logits.sigmoid())


def test_a_predicted_mask_looks_at_all_that_it_is_given():
    mask, given = PredictedMask(3, 8, 8), latents()
    nn.init.normal_(mask.conv4.weight)
    out = mask(*given)
    assert out.min() > 0 and out.max() < 1
    changed = [given[0] + 1, given[1] + 1, given[2] + 50]
    for place, other in enumerate(changed):
        assert (mask(*given[:place], other, *given[place + 1 :]) - out).abs().max() > 1e-3, place
