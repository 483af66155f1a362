"""The estimator for holes: the paper's loss, what the small one learns, and what stays."""

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.nets.hole_estimator import HoleEstimator
from limner.train import make_recipe
from limner.train.recipes.difface.inpainting import filled, holed_faces, psnr_within, weighted_l1


def test_the_papers_loss():
    truth, mask = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., :2, :] = 1
    made = torch.where(mask > 0, 0.5, 0.25).expand_as(truth)
    # 8 pixels of weight 10 and 8 of weight 1, three channels each over one weight
    assert weighted_l1(made, truth, mask) == pytest.approx(3 * (8 * 10 * 0.5 + 8 * 0.25) / 88)


def test_the_small_net_learns(shared):
    recipe = make_recipe("difface-inpainting", shared / "faces")
    samples = [recipe.data[n] for n in range(4)]
    batch = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
    assert batch["image"].shape[-1] == 64
    net, losses = recipe.model.train(), []
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(6):
        loss = recipe.loss(net, batch, torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_the_paper_preset_is_lama_with_the_published_settings(shared):
    recipe = make_recipe("difface-inpainting", shared / "faces", "paper")
    assert sum(parameter.numel() for parameter in recipe.model.parameters()) == 50_975_875
    assert (recipe.training.steps, recipe.training.batch, recipe.training.ema) == (500_000, 64, 0.999)


def test_validation_looks_into_the_holes_alone(shared):
    faces = FaceSet.open(shared / "faces", "val").first(1)
    (case,) = holed_faces(faces, 64)["half"]
    net = HoleEstimator().eval()
    with torch.no_grad():
        picture = filled(net, case)
    assert np.array_equal(picture[case.mask == 0], case.truth[case.mask == 0])
    worse = np.where(case.mask[..., None] > 0, 255 - case.truth, case.truth)
    assert psnr_within([(case, case.truth)])["psnr"] == np.inf
    assert psnr_within([(case, worse)])["psnr"] < psnr_within([(case, picture)])["psnr"] < 40


def test_a_trained_net_goes_on_at_a_smaller_rate(shared):
    anew, onward = (
        make_recipe("difface-inpainting", shared / "faces", start=start).training
        for start in (None, "mini/difface-inpainting")
    )
    assert onward.lr < 0.5 * anew.lr and onward.steps == anew.steps
