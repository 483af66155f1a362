"""Where faces lie in a photograph: found in it, or the photograph is the crop itself."""

import numpy as np
import pytest
from skimage.data import astronaut

from limner import LimnerError, Settings
from limner.faces.align import crop, similarity
from limner.faces.find import find_faces
from limner.faces.placing import AlignedCrop, FoundFaces, placing_of
from limner.template import template


@pytest.fixture(scope="module")
def portrait():
    return np.ascontiguousarray(astronaut()[:300, 80:380])


@pytest.fixture
def found():
    return FoundFaces("limner", None)


def test_the_settings_say_which(tmp_path):
    assert placing_of(Settings(aligned=True)) == AlignedCrop()
    file = tmp_path / "yunet.onnx"
    assert placing_of(Settings(detector="yunet", yunet=file)) == FoundFaces("yunet", file)
    assert FoundFaces.surrounded and not AlignedCrop.surrounded


@pytest.mark.slow
def test_found_faces_are_the_finder_s_and_are_turned_upright(portrait, found):
    (face,) = found.find(portrait)
    np.testing.assert_array_equal(face.landmarks, find_faces(portrait)[0].landmarks)
    matrix = found.matrix(portrait, face, 256)
    np.testing.assert_array_equal(matrix, similarity(face.landmarks, 256))
    assert found.reference(portrait, "anna.jpg").box == face.box
    with pytest.raises(LimnerError, match="No face was found in the reference wall.png: give another photograph, or -"):
        found.reference(np.full((80, 80, 3), 128, np.uint8), "wall.png")


def test_an_aligned_crop_is_one_face_over_all_of_it(portrait):
    tall = portrait[:, :286]  # sides that differ by less than a twentieth
    (face,) = AlignedCrop().find(tall)
    assert face.box == (0, 0, 286, 300) and face.score == 1
    np.testing.assert_allclose(face.landmarks, template(1) * (286, 300), rtol=1e-6)
    matrix = AlignedCrop().matrix(tall, face, 64)
    np.testing.assert_allclose(matrix @ [286 / 2 - 0.5, 300 / 2 - 0.5, 1], [31.5, 31.5], atol=1e-6)
    assert crop(tall, matrix, 64).shape == (64, 64, 3)


@pytest.mark.parametrize(("width", "fits"), [(300, True), (286, True), (285, False), (200, False)])
def test_a_reference_that_is_no_square_was_never_aligned(portrait, width, fits):
    if fits:
        assert AlignedCrop().reference(portrait[:, :width], "anna.jpg").box == (0, 0, width, 300)
        return
    told = f"The reference anna.jpg is {width} x 300 pixels, so it is no aligned crop: give square crops, or leave out"
    with pytest.raises(LimnerError, match=told):
        AlignedCrop().reference(portrait[:, :width], "anna.jpg")


def test_the_tone_is_that_of_the_surroundings_or_of_the_whole_crop(found):
    """Of a coloured page with a grey print in its corner, which is far larger than its face."""
    page = np.random.default_rng(0).integers(60, 200, (600, 600, 3), np.uint8)
    page[..., 2] //= 4
    page[:300, :300] = page[:300, :300, :1]
    face = AlignedCrop().find(page[:100, :100])[0]
    assert (found.tone(page, face).kind, AlignedCrop().tone(page, face).kind) == ("grey", "colour")


def test_a_photo_that_is_no_square_is_no_crop():
    with pytest.raises(LimnerError, match=r"^The photo is 600 x 400 pixels, so it is no aligned crop: give"):
        AlignedCrop().find(np.zeros((400, 600, 3), np.uint8))
    assert AlignedCrop().find(np.zeros((100, 104, 3), np.uint8))[0].box == (0, 0, 104, 100)


def test_what_is_too_small_in_a_huge_photo_is_told(found):
    huge, large = (np.broadcast_to(np.uint8(128), (side, side, 3)) for side in (10_000, 5_000))
    (note,) = found.notes(huge)
    assert note.startswith("Faces smaller than 138 px are not searched for in so large a photo: to restore one, cut ")
    assert found.notes(large) == AlignedCrop().notes(huge) == []
