"""The album's recogniser: its descriptions, its vectors, and what it makes of damage."""

import numpy as np
import pytest
from skimage.data import astronaut

from limner.degrade.degrade import degrade
from limner.faces.align import crop, similarity
from limner.faces.recogniser import SIDE, Describer, Recogniser

from ..own_faces import POINTS


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return crop(astronaut(), similarity(POINTS, SIDE), SIDE)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def test_vectors_are_of_unit_length_and_each_its_own_faces(recogniser, face):
    others = [np.ascontiguousarray(face[::-1]), face]
    vectors = recogniser([face, *others], [0.0, 0.0, 0.0])
    assert vectors.shape == (3, recogniser.width) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
    assert vectors[0] @ vectors[1] < 0.5
    assert recogniser([], []).shape == (0, recogniser.width)


def test_a_moderately_damaged_face_stays_who_it_is(recogniser, face):
    spoilt = degrade(face, "ffhq-ref-moderate", np.random.default_rng(0))
    one, other = recogniser([face, spoilt], [0.0, 0.3])
    assert one @ other > 0.75


def test_a_badly_damaged_face_is_described_as_it_is_restored_too(recogniser, face):
    spoilt = degrade(face, "ffhq-ref-severe", np.random.default_rng(0))
    plain, both, unknown = (recogniser([spoilt], [damage])[0] for damage in (0.3, 0.9, None))
    assert plain @ both < 0.99
    np.testing.assert_allclose(plain, unknown, atol=1e-6)


def test_a_description_is_two_unit_vectors(face):
    described = Describer()(face)
    assert described.shape == (4612,)
    np.testing.assert_allclose([described[:256].norm(), described[256:].norm()], 1, rtol=1e-5)


def test_its_name_is_that_of_its_weights(recogniser):
    assert recogniser.name == Recogniser().name and len(recogniser.name.split()) == 3
