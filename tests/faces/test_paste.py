"""Crops go back where they came from, and nothing else changes."""

import numpy as np
import pytest

from limner.faces.align import crop, invert, stretch, transform
from limner.faces.paste import Place, face_mask, lay, matched

from .test_align import matrix, smooth

SIZE = 128


def placed(angle=17.0, scale=0.8, centre=(150.0, 120.0)) -> np.ndarray:
    m = matrix(angle, scale, (0, 0))
    m[:, 2] = SIZE / 2 - m[:, :2] @ centre
    return m


def as_type(picture: np.ndarray, dtype: type) -> np.ndarray:
    return picture.astype(dtype) if dtype == np.float32 else np.rint(picture * np.iinfo(dtype).max).astype(dtype)


def unit(picture: np.ndarray) -> np.ndarray:
    return (
        picture.astype(np.float32)
        if picture.dtype == np.float32
        else picture.astype(np.float32) / np.iinfo(picture.dtype).max
    )


def paste(picture, restored, m, match_colour=True) -> np.ndarray:
    """A copy of the picture with a restored crop in its place."""
    result = picture.copy()
    place = Place.of(m, len(restored), picture.shape[1], picture.shape[0])
    if place is not None:
        laid = matched(place.cut(picture), restored, place) if match_colour else place.unframed(restored)
        lay(result, laid, place)
    return result


def test_mask():
    mask = face_mask(SIZE)
    assert mask.shape == (SIZE, SIZE) and mask.dtype == np.float32
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0
    assert mask[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4].min() == 1
    assert np.abs(np.diff(mask, axis=0)).max() < 0.2  # a slope, no step
    np.testing.assert_allclose(mask, mask[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("scale", [0.8, 2.3, 0.3])
def test_round_trip(dtype, scale):
    picture = as_type(smooth(260, 320), dtype)
    m = placed(scale=scale)
    back = paste(picture, unit(crop(picture, m, SIZE)), m)
    assert back.dtype == dtype and back.shape == picture.shape
    assert np.abs(unit(back) - unit(picture)).max() < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_outside_the_crop_every_bit_stays(dtype):
    picture = as_type(np.random.default_rng(0).random((260, 320, 3)), dtype)
    before, m = picture.copy(), placed()
    result = paste(picture, np.full((SIZE, SIZE, 3), 0.5, np.float32), m)
    np.testing.assert_array_equal(picture, before)  # the input is never changed
    y, x = np.mgrid[:260, :320]
    inside = transform(np.stack([x.ravel(), y.ravel()], -1), m).reshape(260, 320, 2)
    outside = (inside < 0).any(-1) | (inside > SIZE - 1).any(-1)
    np.testing.assert_array_equal(result[outside], picture[outside])
    assert (result != picture)[120, 150].all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_half_a_mask_blends(dtype):
    picture = as_type(smooth(260, 320), dtype)
    place = Place.of(placed(), SIZE, 320, 260)
    assert place is not None
    result = picture.copy()
    lay(result, np.ones((*place.mask.shape, 3), np.float32), place)
    wanted = unit(picture)[place.rows, place.columns]
    wanted = wanted + place.mask[..., None] * (1 - wanted)
    np.testing.assert_allclose(unit(result)[place.rows, place.columns], wanted, atol=1 / 255)


@pytest.mark.parametrize(("width", "height"), [(320, 260), (64, 48), (900, 700)])
def test_a_picture_that_is_itself_a_crop_is_changed_out_to_its_edges(width, height):
    picture = as_type(smooth(height, width), np.uint8)
    place = Place.of(stretch(width, height, SIZE), SIZE, width, height, feathered=False)
    assert place is not None and place.mask.shape == (height, width) and place.mask.min() == 1
    result = picture.copy()
    lay(result, place.unframed(place.framed(place.cut(picture), SIZE)), place)
    assert np.abs(result.astype(int) - picture)[8:-8, 8:-8].max() <= 6  # the mirror beyond the edge is no picture
    lay(result, np.zeros((height, width, 3), np.float32), place)
    assert result.max() == 0


@pytest.mark.parametrize("shift", [0.0, 3.0, 7.0])
def test_a_rectangle_begins_with_a_block_of_jpeg_and_changes_no_more_for_it(shift):
    place = Place.of(placed(centre=(150.0 + shift, 120.0)), SIZE, 320, 260)
    assert place is not None and place.rows.start % 8 == place.columns.start % 8 == 0
    picture = as_type(smooth(260, 320), np.uint8)
    result = paste(picture, np.zeros((SIZE, SIZE, 3), np.float32), placed(centre=(150.0 + shift, 120.0)), False)
    changed = np.flatnonzero((result != picture).any(axis=(0, 2)))
    assert 90 < np.ptp(changed) < SIZE * 1.8 and abs(changed.mean() - 150 - shift) < 3


def test_a_place_knows_its_size_and_frames_of_any_size():
    picture = as_type(smooth(260, 320), np.uint8)
    place = Place.of(placed(scale=0.8), SIZE, 320, 260)
    assert place is not None and place.side == pytest.approx(SIZE / 0.8)
    part = place.cut(picture)
    for frame in (SIZE, 2 * SIZE):
        back = place.unframed(place.framed(part, frame))
        there = place.mask > 0
        assert np.abs(back - part)[there].max() < 0.02


def test_colour_is_matched_to_the_surroundings():
    picture = np.full((260, 320, 3), (0.55, 0.45, 0.35), np.float32)
    m = placed()
    shifted = crop(picture, m, SIZE) + np.array([0.08, 0, -0.08], np.float32)
    matched = paste(picture, shifted, m)
    np.testing.assert_allclose(matched, picture, atol=0.01)
    unmatched = paste(picture, shifted, m, match_colour=False)
    assert abs(unmatched[120, 150, 0] - 0.63) < 0.005


def test_matching_follows_light_from_one_side():
    picture = np.repeat(np.linspace(0.3, 0.7, 320, dtype=np.float32)[None, :, None], 260, 0).repeat(3, 2)
    m = placed(angle=0)
    flat = np.full((SIZE, SIZE, 3), 0.48, np.float32)
    result = paste(picture, flat, m)
    assert result[120, 195, 0] - result[120, 105, 0] > 0.03


def test_matching_never_overflows_nor_replaces_content():
    black = np.zeros((260, 320, 3), np.uint8)
    result = paste(black, np.ones((SIZE, SIZE, 3), np.float32), placed())
    assert result[120, 150].min() > 200  # a black surrounding must not turn a face black
    white = np.full((260, 320, 3), 255, np.uint8)
    assert paste(white, np.full((SIZE, SIZE, 3), 0.98, np.float32), placed())[120, 150].min() >= 250
    assert paste(white, np.full((SIZE, SIZE, 3), np.float32(3)), placed()).max() == 255


def test_grey_stays_grey():
    picture = as_type(smooth(260, 320)[..., :1].repeat(3, 2), np.uint8)
    restored = smooth(SIZE, SIZE)[..., :1].repeat(3, 2)
    result = paste(picture, restored, placed())
    assert np.ptp(result.astype(int), axis=-1).max() == 0


@pytest.mark.parametrize("centre", [(0.0, 0.0), (319.0, 130.0), (150.0, 275.0), (-30.0, 100.0)])
def test_faces_partly_outside(centre):
    picture = as_type(smooth(260, 320), np.uint8)
    m = placed(centre=centre)
    back = paste(picture, unit(crop(picture, m, SIZE)), m)
    assert np.abs(back.astype(int) - picture).max() <= 5
    changed = paste(picture, 1 - unit(crop(picture, m, SIZE)), m)
    assert (changed != picture).any()


def test_a_crop_wholly_outside_changes_nothing():
    picture = as_type(smooth(60, 80), np.uint8)
    m = placed(centre=(900.0, 900.0))
    np.testing.assert_array_equal(paste(picture, np.zeros((SIZE, SIZE, 3), np.float32), m), picture)


def test_a_face_without_any_surroundings():
    picture = as_type(smooth(32, 32), np.uint8)  # the picture lies wholly inside the full part of the mask
    m = placed(angle=0, scale=1, centre=(16.0, 16.0))
    result = paste(picture, np.full((SIZE, SIZE, 3), 0.25, np.float32), m)
    np.testing.assert_array_equal(result, 64)


def test_several_faces_in_turn():
    picture = as_type(smooth(260, 320), np.uint8)
    first, second = placed(centre=(80.0, 100.0)), placed(centre=(240.0, 150.0))
    black = np.zeros((SIZE, SIZE, 3), np.float32)
    both = paste(paste(picture, black, first, match_colour=False), black, second, match_colour=False)
    assert both[100, 80].max() == 0 and both[150, 240].max() == 0
    assert transform(np.array([[64.0, 64.0]]), invert(second))[0] == pytest.approx((240, 150))
