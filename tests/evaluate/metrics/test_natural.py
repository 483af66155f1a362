"""Fits of known distributions, and patches that stay in their place."""

import cv2
import numpy as np
import pytest

from limner.evaluate.metrics.natural import LENGTH, asymmetric, contrast_normalised, halved, patch_features, patches


def test_known_shapes_are_found():
    generator = np.random.default_rng(0)
    rows = np.stack([generator.normal(0, 2, 200_000), generator.laplace(0, 2, 200_000)])
    found = asymmetric(rows)
    assert found.shape == pytest.approx([2, 1], abs=0.03)
    assert found.left == pytest.approx([2 * np.sqrt(2), 2], rel=0.02)
    assert found.right == pytest.approx(found.left, rel=0.02)
    assert found.mean == pytest.approx([0, 0], abs=0.05)


def test_sides_are_told_apart():
    drawn = np.random.default_rng(0).normal(0, 1, 200_000)
    lopsided = asymmetric(np.where(drawn < 0, drawn, 3 * drawn)[None])
    assert lopsided.right[0] / lopsided.left[0] == pytest.approx(3, rel=0.03) and lopsided.mean[0] > 0


def test_what_is_flat_is_not_finite():
    found = asymmetric(np.zeros((1, 64)))
    assert not np.isfinite(found.left).any() and not np.isfinite(found.mean).any()


def test_a_photographs_contrast_is_normalised():
    generator = np.random.default_rng(0)
    luma = cv2.GaussianBlur(generator.normal(120, 400, (96, 96)), (0, 0), 1)
    normalised, deviation = contrast_normalised(luma)
    assert abs(normalised.mean()) < 0.05 and 0.5 < normalised.std() < 1.5
    assert contrast_normalised(2 * luma)[1] == pytest.approx(2 * deviation)


def test_patches_are_cut_row_by_row():
    image = np.arange(24).reshape(4, 6)
    assert patches(image, 2)[1].tolist() == [2, 3, 8, 9]
    assert halved(np.full((8, 6), 7.0)).shape == (4, 3) and halved(np.full((8, 6), 7.0)) == pytest.approx(7)
    luma = np.random.default_rng(0).uniform(0, 255, (70, 100)).astype(np.float32)
    features, sharpness = patch_features(luma, 32)
    assert features.shape == (6, LENGTH) and sharpness.shape == (6,)
