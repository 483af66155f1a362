"""Windows of photographs, clean and spoilt."""

import cv2
import numpy as np
import pytest

from limner.data import windows
from limner.data.faces import FaceSet
from limner.data.windows import Windows, large_and_small, photographs, window
from limner.degrade.scan_wear import Scan


@pytest.fixture
def unspoilt(monkeypatch):
    monkeypatch.setattr(windows, "WORSE", {})
    monkeypatch.setattr(windows, "drawn", lambda generator, camera: Scan())


def texture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(300, 200), (40, 500), (64, 64), (20, 20)])
def test_any_photo_fills_a_window(height, width):
    photo = texture(height, width)
    for n in range(12):
        clean, spoilt = window(photo, 64, np.random.default_rng(n))
        assert clean.shape == spoilt.shape == (64, 64, 3) and clean.dtype == spoilt.dtype == np.uint8


def test_what_is_not_spoilt_stays_as_it_is(unspoilt):
    for n in range(10):
        clean, spoilt = window(texture(150, 150), 64, np.random.default_rng(n))
        np.testing.assert_array_equal(clean, spoilt)


def test_at_its_own_size_the_window_is_a_part_of_the_photo_turned_and_mirrored(unspoilt, monkeypatch):
    monkeypatch.setattr(windows, "SIZES", (1.0,))
    photo, found = texture(90, 100), set()
    for n in range(100):
        clean, _ = window(photo, 24, np.random.default_rng(n))
        for turn in range(4):
            for mirror in (1, -1):
                upright = np.rot90(clean[:, ::mirror], -turn)
                match = cv2.matchTemplate(photo, np.ascontiguousarray(upright), cv2.TM_SQDIFF)
                if match.min() < 1e4:
                    found.add((turn, mirror))
    assert len(found) == 8


def test_fifteen_of_a_hundred_windows_lose_their_colour(unspoilt):
    grey = sum(
        np.ptp(window(texture(99, 99), 32, np.random.default_rng(n))[0].astype(int), axis=2).max() == 0
        for n in range(80)
    )
    assert 5 <= grey <= 22  # the other ten are sepia


@pytest.mark.parametrize(("height", "width"), [(300, 200), (40, 500), (20, 20)])
def test_a_small_window_shows_what_the_large_one_does(unspoilt, monkeypatch, height, width):
    monkeypatch.setattr(windows, "BLURRED", 0)
    monkeypatch.setattr(windows, "AREAS", 1)
    photo = cv2.GaussianBlur(texture(height, width), (0, 0), 2)
    for n in range(12):
        large, small = large_and_small(photo, 32, np.random.default_rng(n))
        assert small.shape == (32, 32, 3) and large.shape == (64, 64, 3)
        halved = cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA)
        assert np.abs(halved.astype(int) - small).max() <= 1


def test_an_epoch_shows_every_photo_once(tmp_path):
    files = []
    for number in range(5):
        files.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(files[-1]), np.full((16, 16, 3), 40 * number, np.uint8))
    seen = []
    stream = Windows(files, 16, 3, lambda photo, size, rng: seen.append(int(photo[0, 0, 0])) or (photo, photo))
    for n in range(10):
        stream[n]
    assert sorted(seen[:5]) == sorted(seen[5:]) == [0, 40, 80, 120, 160] and seen[:5] != seen[5:]


def test_faces_in_detail_and_jpegs_of_a_folder(tmp_path):
    for name in ("b.jpg", "a.jpg", "c.png"):
        (tmp_path / name).touch()
    faces = FaceSet(tmp_path / "faces", ["x.jpg", "y.jpg"], ["x", "y"], np.zeros((2, 5, 2)), [383, 384])
    assert photographs(faces, None) == [tmp_path / "faces" / "y.jpg"]
    assert photographs(faces, tmp_path)[1:] == [tmp_path / "a.jpg", tmp_path / "b.jpg"]


@pytest.mark.parametrize(("cut_out", "share"), [(window, windows.CAMERA), (large_and_small, windows.CAMERA_SMALL)])
def test_many_photographs_come_from_a_camera(cut_out, share, monkeypatch):
    monkeypatch.setattr(windows, "WORSE", {})
    monkeypatch.setattr(windows, "draw_scan", lambda generator: Scan())
    seen = []
    monkeypatch.setattr(windows, "apply_scan", lambda picture, scan: seen.append(bool(scan.files)) or picture)
    for n in range(300):
        cut_out(texture(90, 90), 32, np.random.default_rng(n))
    assert np.mean(seen) == pytest.approx(share, abs=0.08)
