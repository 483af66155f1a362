"""DifFace's prior made sharp: at which noise levels it is asked, and what is judged."""

import pytest
import torch
import torch.nn.functional as F

from limner.data.entries import box_sides
from limner.methods.difface import DifFacePipeline
from limner.methods.schedules import difface_schedule
from limner.nets.efficientnet import EfficientNetLite0
from limner.train.losses.projected import Projected
from limner.train.recipes.difface import prior_sharp
from limner.train.recipes.difface.prior import LAST_TIMESTEP
from limner.train.recipes.difface.prior_sharp import (
    ENLARGED,
    ENTRY,
    FULLNESS,
    OCTAVES,
    PIXELS,
    SLIGHT,
    SharpLoss,
    with_tail,
)
from limner.weights.load import load_net


class Judge:
    """Stands for the projected terms: keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def judges(self, pictures):
        return len(pictures) > 0

    def __call__(self, made, truth, step, generator):
        self.shown.append((made, truth, step))
        return made.sum() * 0


class Watches(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, x, t):
        self.asked.append(t.clone())
        return x


def batch(count):
    image = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return {"image": image, "entry": image, "restored": (torch.arange(count) % 2).float()}


def test_restorations_are_asked_about_late_and_half_of_them_at_the_very_end():
    loss, net, given = SharpLoss(difface_schedule("sample"), Judge()), Watches(), batch(256)
    with torch.no_grad():
        loss(net, given, torch.Generator().manual_seed(0))
    first, asked = net.asked  # the last step's own first step, and the one that learns
    restored = given["restored"] > 0
    assert asked[restored].max() <= ENTRY < asked[~restored].max() <= LAST_TIMESTEP
    assert first.max() <= ENTRY
    assert 0.4 < (asked[restored] == 0).float().mean() < 0.65


def test_restorations_alone_are_judged():
    judge = Judge()
    loss = SharpLoss(difface_schedule("sample"), judge)
    for _ in range(2):
        loss(Watches(), batch(6), torch.Generator().manual_seed(0))
    assert [(len(made), step) for made, _, step in judge.shown] == [(3, 0), (3, 1)]


def test_eyes_and_mouth_are_judged_enlarged_where_a_window_holds_them():
    judge, closer = Judge(), Judge()
    loss = SharpLoss(difface_schedule("sample"), judge, {"mouth": closer}, size=64)
    given = batch(6)  # of which every other one is a restoration
    corners = torch.full((6, 2), -1)
    corners[1], corners[2] = torch.tensor([3, 5]), torch.tensor([0, 0])
    loss(Watches(), given | {"mouth": corners}, torch.Generator().manual_seed(0))
    ((made, seen, step),) = closer.shown
    height, width = box_sides("mouth", 64)
    whole = given["image"][1:2, :, 3 : 3 + height, 5 : 5 + width] * 2 - 1
    assert made.shape == seen.shape == (1, 3, ENLARGED * height, ENLARGED * width) and step == 0
    torch.testing.assert_close(
        F.avg_pool2d(seen, ENLARGED),
        F.avg_pool2d(F.interpolate(whole, scale_factor=ENLARGED, mode="bilinear"), ENLARGED),
    )
    loss(Watches(), given | {"mouth": torch.full((6, 2), -1)}, torch.Generator().manual_seed(0))
    assert len(closer.shown) == 1 and len(judge.shown) == 2


def test_all_judges_are_saved_and_resumed(tmp_path):
    def loss_with(seed):
        torch.manual_seed(seed)
        seen, scale = EfficientNetLite0(), torch.ones(5)
        return SharpLoss(difface_schedule("sample"), Projected(seen, scale), {"eyes": Projected(seen, scale)})

    one, other = loss_with(0), loss_with(1)
    one.step = 7
    few = torch.rand(2, 3, 64, 64)
    for judge in (one.adversary, one.closely["eyes"]):
        judge.learn(judge.seen.features(few), judge.seen.features(1 - few))
    other.load_state_dict({name: value.clone() for name, value in one.state_dict().items()}, tmp_path)
    assert other.step == 7
    assert {"optimizer.heads.0.0.bias.exp_avg", "eyes.optimizer.heads.0.0.bias.exp_avg"} <= set(one.state_dict())
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)


class Says(torch.nn.Module):
    """A net that always gives the same."""

    def __init__(self, picture):
        super().__init__()
        self.picture = picture

    def forward(self, x, t):
        return self.picture[: len(x)] * 2 - 1


def told(made, given):
    return SharpLoss(difface_schedule("sample"), Judge())(Says(made), given, torch.Generator().manual_seed(0)).item()


def test_an_error_counts_in_parts_of_the_entrys_own():
    given = batch(4)
    wrong = given["image"] + 0.05  # of the same contrast
    costs = {error: told(wrong, given | {"entry": given["image"] + error}) for error in (0.01, 0.1)}
    for error, cost in costs.items():
        assert cost == pytest.approx(PIXELS * 0.05 / (error + SLIGHT), rel=1e-3)


def test_a_faded_picture_costs_more(monkeypatch):
    given = batch(4)
    given["entry"] = given["image"] + 0.1
    flat = torch.full_like(given["image"], 0.5)
    costs = []
    for weight in (FULLNESS, 0.0):
        monkeypatch.setattr(prior_sharp, "FULLNESS", weight)
        costs.append(told(flat, given))
    assert costs[0] - costs[1] == pytest.approx(FULLNESS * OCTAVES, rel=0.02)


def test_a_tail_is_added_once_and_changes_nothing_at_first():
    prior = load_net("mini/difface-prior")
    grown = with_tail(prior)
    assert grown.tail is not None and with_tail(grown) is grown
    if prior.tail is None:
        x, t = torch.randn(1, 3, 64, 64), torch.tensor([10])
        with torch.inference_mode():
            torch.testing.assert_close(grown.eval()(x, t), prior.eval()(x, t))


@pytest.mark.slow
def test_the_pipeline_takes_what_the_recipe_leaves(shared):
    from limner.train import make_recipe

    recipe = make_recipe("difface-prior-sharp", shared / "faces")
    assert recipe.scheduler is not None and recipe.scheduler.config["prediction_type"] == "sample"
    pipeline = DifFacePipeline(load_net("mini/difface-estimator"), recipe.model, recipe.scheduler)
    out = pipeline(torch.rand(1, 3, 256, 256), start=20, steps=1)
    assert out.images.shape == (1, 3, 256, 256)


def test_a_prior_that_predicts_noise_is_refused(shared):
    from limner.errors import WeightsError
    from limner.train import make_recipe
    from limner.weights.catalogue import find

    with pytest.raises(WeightsError, match="no prior that predicts x0"):
        make_recipe("difface-prior-sharp", shared / "faces", start=find("mini/identity").path())
