"""Bad input is one sentence, the same from every metric."""

import numpy as np
import pytest

from limner.degrade.degrade import draw
from limner.errors import LimnerError
from limner.evaluate.metrics.colour import colour_shift
from limner.evaluate.metrics.consistency import consistency
from limner.evaluate.metrics.detail import detail_by_band, detail_of_top_octaves, detail_ratio, laplacian_variance
from limner.evaluate.metrics.edges import edge_sharpness
from limner.evaluate.metrics.fidelity import psnr, psnr_y, ssim, ssim_rgb
from limner.evaluate.metrics.lattice import lattice, lattice_ratio
from limner.evaluate.metrics.perceptual import efficientnet_distance, perceptual_distance
from limner.evaluate.metrics.pictures import check_pictures, fine_luma, luma

from .faces import FLOATS, GREY, face

DEGRADATION = draw("gfpgan", np.random.default_rng(0), 96, 96)
OF_PAIRS = (
    psnr,
    psnr_y,
    ssim,
    ssim_rgb,
    detail_ratio,
    detail_by_band,
    detail_of_top_octaves,
    lattice_ratio,
    edge_sharpness,
    colour_shift,
    perceptual_distance,
    efficientnet_distance,
    lambda a, b: consistency(a, b, DEGRADATION),
)
WRONG = (
    (GREY, r"takes pictures of H x W x 3 uint8 in RGB, not of 96 x 96 uint8: convert"),
    (FLOATS, r"not of 96 x 96 x 3 float64: convert"),
    (np.zeros((96, 96, 4), np.uint8), r"not of 96 x 96 x 4 uint8: convert"),
)


@pytest.mark.parametrize("metric", OF_PAIRS)
def test_a_pair_that_cannot_be_measured_is_told(metric):
    for wrong, message in (*WRONG, (face(64), r"different sizes can't be compared \(.*\): resize one first\.")):
        for pair in ((wrong, face()), (face(), wrong)):
            with pytest.raises(LimnerError, match=message):
                metric(*pair)


@pytest.mark.parametrize("metric", [laplacian_variance, lattice])
def test_a_picture_that_cannot_be_measured_is_told(metric):
    for wrong, message in WRONG:
        with pytest.raises(LimnerError, match=message):
            metric(wrong)


@pytest.mark.parametrize(("metric", "least"), [(ssim, 11), (detail_by_band, 32), (lattice_ratio, 64)])
def test_a_picture_too_small_is_told(metric, least: int):
    small = face(least - 1)
    with pytest.raises(LimnerError, match=rf"needs pictures of at least {least} px a side, not of {least - 1} x"):
        metric(small, small)
    metric(face(least), face(least))


def test_an_empty_picture_is_told():
    with pytest.raises(LimnerError, match=r"at least 1 px a side, not of 0 x 4 px"):
        check_pictures(np.zeros((4, 0, 3), np.uint8))


def test_lumas():
    grey = np.full((2, 2, 3), 200, np.uint8)
    assert luma(grey) == pytest.approx(np.full((2, 2), 200)) and fine_luma(grey) == pytest.approx(luma(grey))
    assert luma(grey, "studio") == pytest.approx(16 + 200 * 219 / 255)
    assert luma(face()) == pytest.approx(np.rint(fine_luma(face())), abs=1)
