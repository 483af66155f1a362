from dataclasses import replace

import numpy as np
import pytest

from limner.data.augment import ALIGNED, PAPER, Augmentation, vary

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def picture():
    coarse = np.random.default_rng(0).integers(40, 200, (8, 8, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


def test_nothing_to_vary_leaves_the_picture_alone(picture):
    assert np.array_equal(vary(picture, STILL, np.random.default_rng(1)), picture)


@pytest.mark.parametrize(
    "part",
    [
        {"brightness": 0.3},
        {"contrast": 0.3},
        {"saturation": 0.3},
        {"hue": 0.1},
        {"degrees": 10.0},
        {"shift": 0.1},
        {"scale": 0.1},
        {"perspective": 0.3},
        {"bend": 0.02},
        {"mirror": 1.0},
    ],
)
def test_every_part_does_something_and_depends_on_the_generator_alone(picture, part):
    how = replace(STILL, **part)
    varied = vary(picture, how, np.random.default_rng(1))
    assert varied.shape == picture.shape and varied.dtype == np.uint8
    assert np.abs(varied.astype(int) - picture).mean() > 0.5
    assert np.array_equal(varied, vary(picture, how, np.random.default_rng(1)))


def test_colours_move_as_their_names_say(picture):
    grey = vary(picture, replace(STILL, saturation=1.0), _Lowest())
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    dark = vary(picture, replace(STILL, brightness=0.5), _Lowest())
    assert np.abs(dark - 0.5 * picture).max() <= 1
    luma = picture @ np.array([0.299, 0.587, 0.114])
    flat = vary(picture, replace(STILL, contrast=1.0), _Lowest())
    assert np.abs(flat - luma.mean()).max() <= 1
    turned = vary(picture, replace(STILL, hue=1 / 3), _Lowest())
    assert min(np.abs(turned.astype(int) - np.roll(picture, k, axis=2)).mean() for k in (1, 2)) < 1


def test_the_edge_is_filled_as_asked(picture):
    away = replace(STILL, shift=0.3)
    assert (vary(picture, away, _Lowest()) == 0).all(axis=2).mean() > 0.3
    assert (vary(picture, replace(away, fill="mirror"), _Lowest()) == 0).all(axis=2).mean() == 0


def test_presets_change_a_picture_but_not_beyond_recognition(picture):
    for preset in (PAPER, ALIGNED):
        varied = [vary(picture, preset, np.random.default_rng(seed)) for seed in range(20)]
        means = [one.mean() for one in varied]
        assert np.std(means) > 2
        assert all(0.4 * picture.mean() < mean < 1.7 * picture.mean() for mean in means)


class _Lowest(np.random.Generator):
    """Draws the lower end of every range."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def uniform(self, low=0.0, high=1.0, size=None):
        return low if size is None else np.full(size, low)

    def random(self, *args, **kwargs):
        return 1.0
