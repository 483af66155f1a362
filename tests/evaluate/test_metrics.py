import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from limner.evaluate.metrics import detail_ratio, laplacian_variance, psnr, ssim


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    clean = cv2.GaussianBlur(generator.integers(0, 256, (64, 80, 3), np.uint8), (0, 0), 2)
    noisy = np.clip(clean + generator.normal(0, 9, clean.shape), 0, 255).astype(np.uint8)
    return clean, noisy


def test_psnr_agrees_with_scikit_image(pair):
    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)
    assert psnr(pair[0], pair[0]) == float("inf")


def test_ssim_agrees_with_scikit_image(pair):
    grey = [cv2.cvtColor(i, cv2.COLOR_RGB2GRAY).astype(float) for i in pair]
    _, full = structural_similarity(
        *grey, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim(*pair) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-6)
    assert ssim(pair[0], pair[0]) == pytest.approx(1)


def test_detail(pair):
    clean, noisy = pair
    assert laplacian_variance(np.full((8, 8, 3), 7, np.uint8)) == 0
    assert detail_ratio(clean, clean) == 1
    assert detail_ratio(noisy, clean) > 1.5
    assert detail_ratio(cv2.GaussianBlur(clean, (0, 0), 3), clean) < 0.6
