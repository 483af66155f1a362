"""The enlarger's loss and what it is validated on."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner.nets.enlarge import Enlarger, interpolated
from limner.train.losses.projected import Projected
from limner.train.recipes import clean
from limner.train.recipes.enlarge import SEEN_FROM, SLIGHT, EnlargedLoss, cubic, error, gains, learning
from limner.train.validation import Pair


class Judge(Projected):
    """Stands for the features: it says how often it was asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, made, truth, step, generator):
        self.asked += 1
        return torch.zeros(())


def batch():
    truth = torch.from_numpy(np.ascontiguousarray(astronaut()[:64, :64])).permute(2, 0, 1)[None] / 255
    return {"lq": torch.nn.functional.avg_pool2d(truth, 2), "image": truth}


def test_an_untrained_net_loses_what_the_interpolation_does():
    """Of all windows together, so that a flat one counts for little."""
    pair, loss = {name: torch.cat([x, 0.1 * x]) for name, x in batch().items()}, EnlargedLoss(Judge())
    crisp, flat = error(interpolated(pair["lq"]), pair["image"])
    wrong = torch.stack([crisp, flat]).square().mean().sqrt()
    assert crisp > 5 * flat
    told = loss(Enlarger(), pair, torch.Generator())
    assert told.item() == pytest.approx(float(wrong / (wrong + SLIGHT)), rel=1e-5) and loss.step == 1


def test_features_are_seen_late():
    judge = Judge()
    loss = EnlargedLoss(judge, SEEN_FROM - 1)
    for _ in range(2):
        loss(Enlarger(), batch(), torch.Generator())
    assert judge.asked == 1


def test_interpolation_gains_nothing_and_the_truth_much():
    truth = astronaut()[:64, :64]
    pair = Pair(np.ascontiguousarray(truth[::2, ::2]), truth)
    told = gains([(pair, cubic(pair.lq))])
    assert told["gain"] == told["worst gain"] == 0
    assert gains([(pair, np.clip(truth.astype(int) + 1, 0, 255).astype(np.uint8))])["gain"] > 10


def test_a_cleaner_that_goes_on_leaves_alone_what_is_borrowed():
    def free(net):
        return {name for name, parameter in net.named_parameters() if parameter.requires_grad}

    goes_on, enlarger = clean.learning("mini/clean"), learning(None)
    own = {name.removeprefix("cleaner.") for name in free(enlarger) if name.startswith("cleaner.")}
    ends = {name for name in free(goes_on) if name.startswith(("head.", "tail.", "out."))}  # which isn't asked for
    assert free(goes_on) - ends == own and ends
    assert all(parameter.requires_grad for parameter in clean.learning(None).parameters())
