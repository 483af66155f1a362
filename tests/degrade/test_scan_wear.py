"""What scans and cameras do: each kind does what it says, and the same roll of the dice gives the same pixels."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner.degrade.scan_wear import File, Grain, Scan, apply_scan, draw_camera, draw_scan
from limner.evaluate.metrics.detail import laplacian_variance

FLAT = np.full((128, 128, 3), 128, np.uint8)


def test_nothing_changes_nothing():
    picture = astronaut()[:200, :150]
    np.testing.assert_array_equal(apply_scan(picture, Scan()), picture)


@pytest.mark.parametrize("size", [0.0, 1.0, 2.0])
def test_grain_is_as_strong_as_it_says(size):
    spoilt = apply_scan(FLAT, Scan(grains=(Grain(6.0, size, 0.0, False, 3),))).astype(float)
    assert spoilt.std() == pytest.approx(6, rel=0.2)
    assert np.ptp(spoilt, axis=2).max() == 0  # without colour


def test_coloured_noise_differs_by_channel_and_film_is_quiet_in_black():
    spoilt = apply_scan(FLAT, Scan(grains=(Grain(6.0, 0.0, 1.0, False, 3),))).astype(float)
    assert abs(np.corrcoef(spoilt[..., 0].ravel(), spoilt[..., 1].ravel())[0, 1]) < 0.1
    film = Scan(grains=(Grain(6.0, 0.0, 0.0, True, 3),))
    assert apply_scan(FLAT // 16, film).std() < 0.6 * apply_scan(FLAT, film).std()


def test_blur_resizing_and_files_take_detail_off():
    picture = astronaut()[:200, 60:260]
    for scan in (
        Scan(blur=(1.0, 1.0)),
        Scan(resized=(0.6, 0, 2)),
        Scan(resized=(0.6, 0, 2), resized_last=True),
        Scan(files=(File(20, True, (3, 5)),)),
    ):
        spoilt = apply_scan(picture, scan)
        assert spoilt.shape == picture.shape and laplacian_variance(spoilt) < 0.9 * laplacian_variance(picture)


def test_the_grid_of_blocks_begins_where_the_file_says():
    ramp = cv2.resize(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8), (128, 128))
    spoilt = apply_scan(ramp, Scan(files=(File(10, False, (3, 0)),))).astype(float)
    steps = np.abs(np.diff(spoilt, axis=1)).mean(axis=(0, 2))
    assert steps[4::8].mean() > 1.5 * np.delete(steps, np.s_[4::8]).mean()  # the first block is 5 px wide


def test_a_roll_of_the_dice_is_repeatable_and_rolls_differ():
    picture = astronaut()[:150, :150]
    once, again = (apply_scan(picture, draw_scan(np.random.default_rng(7))) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    scans = [draw_scan(np.random.default_rng(n)) for n in range(300)]
    assert 15 < sum(scan == Scan() for scan in scans) < 70
    kinds = [[max(s.blur) > 0, bool(s.weave), bool(s.resized), bool(s.grains), bool(s.files)] for s in scans]
    assert all(5 < count < 280 for count in np.sum(kinds, axis=0))


def test_a_camera_writes_one_file_whose_blocks_begin_at_the_corner():
    scans = [draw_camera(np.random.default_rng(n)) for n in range(100)]
    assert all(len(scan.files) == 1 and scan.files[0].grid == (0, 0) for scan in scans)
    assert 30 < sum(max(scan.blur) > 0 for scan in scans) < 70 and not any(scan.weave or scan.resized for scan in scans)
    assert max(scan.grains[0].sigma for scan in scans) <= 9
