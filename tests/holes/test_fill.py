"""Photographs with holes on the whole way: what is filled, and that nothing else changes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner import Photo, Restorer, Settings
from limner.holes.fill import Filler
from limner.photo.provenance import read

PLAIN = Settings(threads=1, dtype="fp32", strength=0.0)


@pytest.fixture(scope="module")
def restorer():
    return Restorer(PLAIN)


@pytest.fixture(scope="module")
def two():
    """Two faces side by side, and holes: across an eye, from a face far into the wall, and at the border."""
    portrait = astronaut()[:300, 60:360]
    whole = np.hstack([portrait, portrait[:, ::-1]])
    mask = np.zeros(whole.shape[:2], np.uint8)
    cv2.line(mask, (40, 40), (270, 260), 255, 9)
    mask[95:120, 430:470] = 255
    mask[280:, 250:350] = 255
    return whole, mask


def torn(whole: np.ndarray, mask: np.ndarray, value: int = 255) -> np.ndarray:
    return np.where(mask[..., None] > 0, value, whole).astype(whole.dtype)


def test_holes_are_filled_and_nothing_else_changes(restorer, two):
    whole, mask = two
    done = restorer.restore(torn(whole, mask), mask=mask)
    pixels = done.photo.pixels
    assert len(done.faces) == 2
    assert np.array_equal(pixels[mask == 0], whole[mask == 0])
    left = np.abs(torn(whole, mask).astype(float) - whole)[mask > 0].mean()
    assert np.abs(pixels.astype(float) - whole)[mask > 0].mean() < 0.35 * left
    assert (done.invented[mask > 0] == 255).all()
    assert done.provenance and done.provenance.filled == pytest.approx((mask > 0).mean(), abs=1e-6)
    assert any("were filled, in 2 faces by nets and from what lies around them." in note for note in done.notes)


def test_what_a_hole_holds_plays_no_part(restorer, two):
    whole, mask = two
    black, white = (restorer.filler.fill(Photo.of(torn(whole, mask, value)), mask).photo.pixels for value in (0, 255))
    assert np.array_equal(black, white)


def test_what_was_filled_already_is_not_filled_again(restorer, two, monkeypatch):
    whole, mask = two
    photo = Photo.of(torn(whole, mask))
    filled, once = restorer.fill(photo, mask), restorer.restore(photo, mask=mask)
    monkeypatch.setattr(Filler, "fill", lambda *given: pytest.fail("it is filled again"))
    again = restorer.restore(photo, mask=filled)
    assert np.array_equal(again.photo.pixels, once.photo.pixels) and np.array_equal(again.invented, once.invented)
    assert again.provenance == once.provenance and again.notes == once.notes


def test_each_photo_is_filled_with_its_own_choice_of_faces(restorer, two, monkeypatch):
    """As the page and HTTP keep one restorer for photos that differ in it."""
    whole, mask = two
    for choice, count in (([0], 1), ("all", 2)):
        monkeypatch.setattr(restorer, "settings", replace(PLAIN, faces=choice))
        assert restorer.fill(Photo.of(torn(whole, mask)), mask).faces == count


def test_the_restored_photo_is_that_of_the_filled_one(two):
    """Without holes limner does what it always did."""
    whole, mask = two
    restorer = Restorer(replace(PLAIN, strength="auto"))
    filled = restorer.filler.fill(Photo.of(torn(whole, mask)), mask).photo
    ours, theirs = restorer.restore(torn(whole, mask), mask=mask), restorer.restore(filled)
    assert np.array_equal(ours.photo.pixels, theirs.photo.pixels)


def test_a_face_s_holes_are_the_nets(restorer, two, monkeypatch):
    """A net that paints red: its paint lies in holes of faces, and fades into the wall that OpenCV goes on with."""
    whole, mask = two
    filler = Filler(PLAIN, restorer.placing, restorer.compute)

    def paint(rgb, holed):
        noise = np.random.default_rng(0).normal(0, 0.2, (filler.size, filler.size, 3))
        return [(noise + np.array((0.8, 0.1, 0.1))).astype(np.float32)] * len(holed)

    monkeypatch.setattr(filler, "_estimated", paint)
    pixels = filler.fill(Photo.of(torn(whole, mask)), mask).photo.pixels
    rough = cv2.Laplacian(pixels, cv2.CV_64F).std(axis=2)
    assert rough[95:120, 430:470].mean() > 3 * rough[290:, 290:310].mean()


def test_sixteen_bits_and_a_grey_photo(restorer, two):
    whole, mask = two
    deep = torn(whole, mask).astype(np.uint16) * 257 + 3
    pixels = restorer.filler.fill(Photo(deep, "PNG"), mask).photo.pixels
    assert pixels.dtype == np.uint16 and np.array_equal(pixels[mask == 0], deep[mask == 0])
    grey = cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY)
    photo = Photo(np.dstack([torn(grey[..., None], mask)] * 3), "PNG", grey=True)
    pixels = restorer.filler.fill(photo, mask).photo.pixels
    assert (pixels == pixels[..., :1]).all()


def test_a_photo_without_a_face_is_filled_too(restorer, tmp_path):
    wall = np.full((80, 90, 3), 120, np.uint8)
    mask = np.zeros((80, 90), np.uint8)
    mask[20:60, 30:70] = 255
    done = restorer.restore(torn(wall, mask, 0), mask=mask)
    assert np.abs(done.photo.pixels.astype(int) - 120).max() <= 1
    assert any("% of the photo lay in holes outside faces" in note for note in done.notes)
    done.save(tmp_path / "a.png")
    told = read(tmp_path / "a.png")
    assert told and told.faces == 0 and told.filled == pytest.approx(40 * 40 / 7200) and told.mask


def test_an_empty_mask_is_told(restorer, two):
    whole, mask = two
    done = restorer.restore(whole, mask=np.zeros_like(mask))
    assert np.array_equal(done.photo.pixels, whole)
    told = "The mask has no hole, for nothing in it is white: paint white what is to be filled."
    assert told in done.notes and done.on_holes == [told]


def test_a_mask_of_mostly_holes_is_perhaps_inverted(restorer, two, tmp_path):
    whole, mask = two
    cv2.imwrite(str(tmp_path / "m.png"), 255 - mask)
    done = restorer.restore(whole, mask=tmp_path / "m.png")
    told = f"The mask {tmp_path / 'm.png'} makes more than half of the photo a hole: is it inverted? White is a hole."
    assert told in done.notes


def test_an_aligned_crop(two):
    whole, _ = two
    crop = cv2.resize(whole[50:250, 50:250], (256, 256), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros((256, 256), np.uint8)
    mask[100:140, 60:120] = 255
    restorer = Restorer(replace(PLAIN, aligned=True))
    done = restorer.restore(torn(crop, mask), mask=mask)
    assert np.array_equal(done.photo.pixels[mask == 0], crop[mask == 0])
    assert "in 1 face by nets" in " ".join(done.notes)


def test_the_same_pixels_every_time(restorer, two):
    whole, mask = two
    first, again = (restorer.filler.fill(Photo.of(torn(whole, mask)), mask).photo.pixels for _ in range(2))
    assert np.array_equal(first, again)
