"""What lies around goes on: nothing else changes, in any depth."""

import cv2
import numpy as np
import pytest

from limner.holes import surroundings
from limner.holes.surroundings import filled


def ramp(dtype) -> np.ndarray:
    peak = np.iinfo(dtype).max
    row = np.linspace(0.2, 0.8, 100) * peak
    return np.repeat(np.repeat(row[None, :, None], 70, 0), 3, 2).astype(dtype)


@pytest.fixture(params=["scikit-image", "OpenCV alone"], autouse=True)
def installed(request, monkeypatch):
    if request.param == "OpenCV alone":
        monkeypatch.setattr(surroundings, "find_spec", lambda name: None)
    return request.param


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_ramp_goes_on(dtype):
    whole, mask = ramp(dtype), np.zeros((70, 100), np.uint8)
    mask[20:30, 40:60], mask[60:, :8], mask[5, 5:90] = 255, 255, 255
    torn = np.where(mask[..., None] > 0, np.iinfo(dtype).max, whole).astype(dtype)
    mended = filled(torn, mask)
    assert mended.dtype == dtype and np.array_equal(mended[mask == 0], whole[mask == 0])
    error = np.abs(mended.astype(float) - whole)[mask > 0] / np.iinfo(dtype).max
    assert error.max() < 0.1 and error.mean() < 0.02
    assert np.array_equal(filled(whole, np.zeros_like(mask)), whole)


def test_what_a_hole_holds_plays_no_part():
    whole, mask = ramp(np.uint8), np.zeros((70, 100), np.uint8)
    mask[20:30, 40:60] = 255
    black, white = (np.where(mask[..., None] > 0, value, whole).astype(np.uint8) for value in (0, 255))
    assert np.array_equal(filled(black, mask), filled(white, mask))


def test_a_flat_wall_stays_flat():
    wall, mask = np.full((80, 90, 3), 120, np.uint8), np.zeros((80, 90), np.uint8)
    mask[20:60, 30:70] = 255
    assert np.abs(filled(wall, mask).astype(int) - 120).max() <= 1


def test_thin_holes_are_filled_by_what_does_it_better(installed):
    y, x = np.mgrid[0:60, 0:80] / 20
    wavy = np.rint(127 + 100 * np.dstack([np.sin(x + y), np.cos(x), np.sin(y)])).astype(np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 30:38] = 255
    error = np.abs(filled(wavy, mask).astype(float) - wavy)[mask > 0].mean()
    assert (error < 0.5) == (installed == "scikit-image")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_torn_corner_has_no_colour_that_its_surroundings_lack(dtype):
    peak = np.iinfo(dtype).max
    sheet = np.full((90, 120, 3), np.array([0.83, 0.72, 0.61]) * peak).astype(dtype)  # a brown print on a cream mount
    sheet[:12] = sheet[:, -20:] = (np.array([0.91, 0.87, 0.82]) * peak).astype(dtype)
    mask = np.zeros((90, 120), np.uint8)
    cv2.fillPoly(mask, [np.array([(50, 0), (60, 20), (85, 40), (90, 60), (119, 70), (119, 0)])], 255)
    mended = filled(sheet, mask)
    assert np.array_equal(mended[mask == 0], sheet[mask == 0])
    corner = mended[mask > 0] / peak
    assert (corner.min(0) > (0.82, 0.71, 0.60)).all() and (corner.max(0) < (0.92, 0.88, 0.83)).all()
    share = (corner - (0.83, 0.72, 0.61)) / (0.08, 0.15, 0.21)  # of the mount in each channel's mixture
    assert np.ptp(share, axis=1).max() < 0.1
    steps = [np.abs(np.diff(mended[..., 1] / peak, axis=axis)) for axis in (0, 1)]
    inner = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    assert max(steps[0][inner[1:]].max(), steps[1][inner[:, 1:]].max()) < 0.02
