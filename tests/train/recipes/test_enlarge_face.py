"""The loss of the enlarger of faces, and what it is validated by."""

import numpy as np
import torch
from skimage.data import astronaut

from limner.data.restorations import Restored
from limner.nets.enlarge import interpolated
from limner.nets.enlarge_face import FaceEnlarger
from limner.train.losses.projected import Projected
from limner.train.recipes.enlarge_face import FULLNESS, PIXELS, SLIGHT, FineLoss, beside_cubic


class Judge(Projected):
    """Stands for the features, which cost nothing."""

    def __init__(self):
        self.pictures = []

    def __call__(self, made, truth, step, generator):
        self.pictures.append((made, truth))
        return torch.zeros(())


def test_an_untrained_net_loses_by_error_and_lack():
    truth = torch.from_numpy(np.ascontiguousarray(astronaut()[:128, :128])).permute(2, 0, 1)[None] / 255
    small = torch.nn.functional.avg_pool2d(truth, 2)
    judge = Judge()
    loss = FineLoss(judge)
    batch = {"restored": small, "photo": truth, "image": truth}
    told = loss(FaceEnlarger(), batch, torch.Generator())
    wrong = (interpolated(small) - truth).abs().mean()
    by_error = PIXELS * wrong / (wrong + SLIGHT)
    assert by_error < told < by_error + 2 * FULLNESS and loss.step == 1
    made, seen = judge.pictures[0]
    assert torch.equal(seen, truth * 2 - 1) and made.shape == truth.shape


def test_the_truth_is_full_and_interpolation_is_not():
    truth = np.ascontiguousarray(astronaut()[:128, :128])
    small = truth.reshape(64, 2, 64, 2, 3).mean((1, 3)).astype(np.uint8)
    told = beside_cubic([(Restored(truth, truth, truth, small), truth)])
    assert told["net octave 1"] == told["net octave 2"] == 1
    assert told["cubic octave 1"] < 0.9 and told["net psnr"] > told["cubic psnr"]
