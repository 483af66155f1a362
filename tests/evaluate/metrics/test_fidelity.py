"""Equal to scikit-image's, and worse for what is worse."""

import cv2
import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from limner.evaluate.metrics.fidelity import psnr, psnr_y, ssim, ssim_rgb

from .faces import RISING, face


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    clean = cv2.GaussianBlur(generator.integers(0, 256, (64, 80, 3), np.uint8), (0, 0), 2)
    noisy = np.clip(clean + generator.normal(0, 9, clean.shape), 0, 255).astype(np.uint8)
    return clean, noisy


def reference(a: np.ndarray, b: np.ndarray) -> float:
    """Of two channels, in the windows that lie within."""
    _, full = structural_similarity(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return full[5:-5, 5:-5].mean()


def test_psnr_agrees_with_scikit_image(pair):
    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)


def test_psnr_of_the_luma_agrees_with_scikit_image(pair):
    studio = [rgb2ycbcr(picture)[..., 0] for picture in pair]
    assert psnr_y(*pair) == pytest.approx(peak_signal_noise_ratio(*studio, data_range=255), abs=1e-6)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pair]
    assert psnr_y(*pair, "full") == pytest.approx(peak_signal_noise_ratio(*grey), abs=1e-6)
    assert psnr_y(*pair) - psnr_y(*pair, "full") == pytest.approx(20 * np.log10(255 / 219), abs=0.05)


def test_ssim_agrees_with_scikit_image(pair):
    grey = [cv2.cvtColor(i, cv2.COLOR_RGB2GRAY).astype(float) for i in pair]
    assert ssim(*pair) == pytest.approx(reference(*grey), abs=1e-6)
    studio = [rgb2ycbcr(picture)[..., 0] for picture in pair]
    assert ssim(*pair, "studio") == pytest.approx(reference(*studio), abs=1e-6)
    channels = [reference(*(picture[..., channel].astype(float) for picture in pair)) for channel in range(3)]
    assert ssim_rgb(*pair) == pytest.approx(np.mean(channels), abs=1e-6)


@pytest.mark.parametrize(("metric", "best"), [(psnr, np.inf), (psnr_y, np.inf), (ssim, 1), (ssim_rgb, 1)])
def test_worse_is_lower(metric, best: float):
    truth = face()
    assert metric(truth, truth) == pytest.approx(best)
    for spoil, strengths in RISING:
        figures = [metric(spoil(truth, strength), truth) for strength in strengths]
        assert best > figures[0] > figures[1] > figures[2]
        assert metric(truth, spoil(truth, strengths[1])) == pytest.approx(figures[1])
