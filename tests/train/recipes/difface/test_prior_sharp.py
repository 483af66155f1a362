"""DifFace's prior made sharp: what it is shown and at which noise levels."""

import pytest
import torch

from limner.data.faces import FaceSet
from limner.methods.difface import DifFacePipeline
from limner.methods.schedules import difface_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.train.losses.adversary import Adversary
from limner.train.recipes.difface.prior_sharp import Estimates, SharpLoss
from limner.train.recipes.refldm.vqgan import l1
from limner.weights.load import load_net


class Grey(torch.nn.Module):
    def forward(self, lq):
        return lq * 0 + 0.5


def test_half_of_the_entries_are_estimates(shared):
    faces = FaceSet.open(shared / "faces", "val").first(6)
    stream = Estimates(faces, 64, 0, {"ffhq-ref-severe": 1}, Grey())
    flags = []
    for n in range(24):
        sample = stream[n]
        flags.append(bool(sample["estimated"]))
        assert sample["image"].shape == sample["entry"].shape == (3, 64, 64)
        expected = torch.full_like(sample["image"], 0.5) if flags[-1] else sample["image"]
        torch.testing.assert_close(sample["entry"], expected)
    assert 6 < sum(flags) < 18


def test_estimates_are_noised_as_far_as_the_chain_is_entered(monkeypatch):
    seen = []

    class Watches(torch.nn.Module):
        def forward(self, x, t):
            seen.append(t)
            return x

    loss = SharpLoss(difface_schedule("sample"), l1, Adversary(None, discriminator=PatchDiscriminator(8, 2)))
    image = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    flags = (torch.arange(64) % 2).float()
    batch = {"image": image, "entry": image, "estimated": flags}
    with torch.no_grad():
        monkeypatch.setattr(loss.adversary, "learn", lambda real, made: seen.append(len(made)))
        loss(Watches(), batch, torch.Generator().manual_seed(0))
    times, judged = seen
    assert times[flags > 0].max() <= loss.entry < times[flags == 0].max() <= loss.last
    assert judged == (times <= loss.entry).sum()


def test_a_perceptual_term_is_added():
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    batch = {"image": image, "entry": image, "estimated": torch.zeros(2)}
    told = []
    for perceptual in (None, lambda made, truth: (made - truth).square().mean() + 7):
        judge = Adversary(None, discriminator=PatchDiscriminator(8, 2))
        loss = SharpLoss(difface_schedule("sample"), l1, judge, perceptual)
        told.append(loss(lambda x, t: x, batch, torch.Generator().manual_seed(0)).item())  # type: ignore[arg-type]
    assert told[1] > told[0] + 7


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
