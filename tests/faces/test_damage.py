"""How damaged a face is: nothing of a sharp one, more the worse it is treated, whatever its size."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner.faces.damage import damage

from ..own_faces import POINTS


def blurred(sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(astronaut(), (0, 0), sigma)


def test_blur_is_damage_and_more_blur_more():
    told = [damage(astronaut(), POINTS), *(damage(blurred(sigma), POINTS) for sigma in (1.5, 3, 6, 12))]
    values = np.array(told, float)
    assert values[0] < 0.2 and values[-1] > 0.8 and (np.diff(values) > 0.05).all()


def test_noise_is_damage_too():
    noise = np.random.default_rng(0).normal(0, 1, (512, 512, 1))
    noisy = [np.clip(astronaut() + level * noise, 0, 255).astype(np.uint8) for level in (0, 40, 90)]
    values = np.array([damage(one, POINTS) for one in noisy], float)
    assert (np.diff(values) > 0.03).all()


def test_a_small_face_may_be_as_sharp_as_a_large_one():
    for factor in (1.25, 1.5, 2, 3):
        small = cv2.resize(astronaut(), None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        told = damage(small, (POINTS + 0.5) / factor - 0.5)
        assert told is not None and told < 0.25
    tiny = cv2.resize(astronaut(), (128, 128), interpolation=cv2.INTER_AREA)
    assert damage(tiny, POINTS / 4) is None, "it has no octave that would tell"


def test_contrast_and_lightness_are_no_damage():
    for picture in (astronaut(), blurred(3)):
        pale = (picture * 0.4 + 90).astype(np.uint8)
        assert damage(pale, POINTS) == pytest.approx(damage(picture, POINTS), abs=0.08)


def test_an_empty_face_is_wholly_damaged():
    assert damage(np.full((512, 512, 3), 128, np.uint8), POINTS) == 1
