"""Made-up textures, and the wear of training pictures."""

import numpy as np
import pytest

from limner.data.wear import SIZE, spoil, texture


def test_textures_and_wear_are_pictures():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        worn = spoil(texture(rng), rng)
        assert worn.shape == (SIZE, SIZE, 3) and worn.dtype == np.uint8


@pytest.mark.parametrize("upright", [20.0, 80.0])
def test_wear_keeps_the_shape_of_any_picture(upright):
    picture = np.random.default_rng(0).integers(0, 256, (90, 130, 3), dtype=np.uint8)
    for seed in range(20):
        assert spoil(picture, np.random.default_rng(seed), upright).shape == (90, 130, 3)


def test_a_small_face_is_blurred_by_fewer_pixels():
    """The presets are of the face, whatever its size in the picture."""
    edges = np.zeros((96, 96, 3), np.uint8)
    edges[:, 48:] = 255

    def steepest(upright: float) -> float:
        worn = [spoil(edges, np.random.default_rng(seed), upright).mean(-1).mean(0) for seed in range(60)]
        return float(np.mean([np.abs(np.diff(line)).max() for line in worn]))

    assert steepest(15) > 1.5 * steepest(90)
