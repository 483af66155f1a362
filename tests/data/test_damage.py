"""Windows with damage: any photo fills one, the undamaged have none, and sample n is always the same."""

import cv2
import numpy as np
import pytest
import torch

from limner.data.damage import DamageWindows, window


def texture(height: int, width: int) -> np.ndarray:
    return cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8), (width, height))


@pytest.mark.parametrize(("height", "width"), [(300, 200), (40, 500), (64, 64), (20, 20)])
def test_any_photo_fills_a_window(height, width):
    for n in range(8):
        case = window(texture(height, width), 64, np.random.default_rng(n))
        assert case.picture.shape == (64, 64, 3) and case.truth.shape == case.doubtful.shape == (64, 64)


def test_a_third_is_undamaged():
    photo = texture(150, 150)
    whole = sum(not window(photo, 64, np.random.default_rng(n)).truth.any() for n in range(80))
    assert 20 <= whole <= 55  # some damage can't be seen
    assert not any(window(photo, 64, np.random.default_rng(n), damage=False).truth.any() for n in range(20))
    shown = [window(photo, 64, np.random.default_rng(n), damage=True) for n in range(20)]
    assert sum((one.truth | one.doubtful).any() for one in shown) >= 14


def test_samples_are_the_same_again(tmp_path):
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(files[-1]), texture(90, 100) // (number + 1))
    streams = [DamageWindows(files[:2], files[2:], 48, 3) for _ in "ab"]
    for n in range(6):
        one, other = (stream[n] for stream in streams)
        assert one["picture"].shape == (3, 48, 48) and one["truth"].shape == one["care"].shape == (48, 48)
        for name in one:
            assert torch.equal(one[name], other[name])
        assert not (one["truth"] * (1 - one["care"])).any()
    assert not torch.equal(streams[0][0]["picture"], streams[0][1]["picture"])
    assert DamageWindows(files, [], 48, 3)[0]["picture"].shape == (3, 48, 48)
