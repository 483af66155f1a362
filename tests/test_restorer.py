"""The whole way on real pixels: what must change, and what must not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner import LimnerError, Photo, Restorer, Settings, restore
from limner.provenance import read
from limner.restorer import RestoredCrop, enlarged, seed_of

FAST = Settings(steps=2, threads=1, dtype="fp32")


@pytest.fixture(scope="module")
def restorer():
    return Restorer(FAST)


@pytest.fixture(scope="module")
def portrait():
    return astronaut()[:320, 60:380]


def opened(pixels: np.ndarray, path, **save) -> Photo:
    Image.fromarray(pixels).save(path, **save)
    return Photo.open(path)


def test_only_the_face_changes(restorer, portrait, tmp_path):
    photo = opened(portrait, tmp_path / "a.png")
    done = restorer.restore(photo)
    assert len(done.faces) == 1 and len(done.photos) == 1 and done.seconds > 0
    changed = (done.photos[0].pixels != photo.pixels).any(axis=2)
    x0, y0, x1, y1 = (round(v) for v in done.faces[0].box)
    assert changed[y0:y1, x0:x1].mean() > 0.9
    assert not changed[-30:].any() and not changed[:, :10].any()
    np.testing.assert_array_equal(photo.pixels, portrait)


def test_sixteen_bit_and_alpha_stay(restorer, portrait, tmp_path):
    deep = portrait.astype(np.uint16) * 257 + 3
    alpha = np.full(portrait.shape[:2], 40_000, np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(cv2.imencode(".png", np.dstack([deep[..., ::-1], alpha]))[1].tobytes())
    photo = Photo.open(path)
    assert photo.pixels.dtype == np.uint16 and photo.alpha is not None
    done = restorer.restore(photo).photos[0]
    assert done.pixels.dtype == np.uint16 and (done.alpha == alpha).all()
    changed = (done.pixels != photo.pixels).any(axis=2)
    assert 0.05 < changed.mean() < 0.9


def painted(restorer, monkeypatch) -> None:
    """Stands in for a net that paints every face in lively colours."""

    def paint(crops, *_):
        return [RestoredCrop([np.clip(one / 255 * (1.2, 0.6, 1.1), 0, 1).astype(np.float32)]) for one in crops]

    monkeypatch.setattr(restorer, "restore_crops", paint)


def test_a_grey_photo_stays_grey(restorer, portrait, tmp_path, monkeypatch):
    painted(restorer, monkeypatch)
    photo = opened(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY), tmp_path / "grey.png")
    done = restorer.restore(photo)
    assert len(done.faces) == 1 and (done.photos[0].pixels != photo.pixels).any()
    assert np.ptp(done.photos[0].pixels.astype(int), axis=2).max() <= 1
    done.photos[0].save(tmp_path / "out.png")
    assert Image.open(tmp_path / "out.png").mode == "L"


def test_a_sepia_photo_keeps_its_tone(restorer, portrait, tmp_path, monkeypatch):
    painted(restorer, monkeypatch)
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[..., None] / 255
    sepia = np.clip(255 * grey ** np.array([0.75, 1.0, 1.35]), 0, 255).astype(np.uint8)
    photo = opened(sepia, tmp_path / "sepia.png")
    done = restorer.restore(photo)
    x0, y0, x1, y1 = (round(v) for v in done.faces[0].box)
    before, after = (
        cv2.cvtColor(p[y0:y1, x0:x1].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        for p in (photo.pixels, done.photos[0].pixels)
    )
    assert np.abs(after[..., 1:].mean((0, 1)) - before[..., 1:].mean((0, 1))).max() < 3
    assert (before != after).any()


def test_the_choice_of_faces_does_not_change_the_others(restorer, portrait, tmp_path):
    pair = np.concatenate([portrait, cv2.resize(portrait, (240, 320))], axis=1)
    photo = opened(np.ascontiguousarray(pair), tmp_path / "pair.png")
    both = restorer.restore(photo)
    assert len(both.faces) == 2
    second = Restorer(replace(FAST, faces=[1])).restore(photo)
    x0, y0, x1, y1 = (round(v) for v in both.faces[1].box)
    assert len(second.faces) == 1 and second.faces[0].box == both.faces[1].box
    there = (slice(y0 + 10, y1 - 10), slice(x0 + 10, x1 - 10))
    difference = both.photos[0].pixels[there].astype(int) - second.photos[0].pixels[there]
    assert np.abs(difference).max() <= 1  # another batch size may round otherwise


def test_a_photo_without_a_face_is_returned_as_it_is(restorer, tmp_path):
    photo = opened(np.full((80, 100, 3), 128, np.uint8), tmp_path / "wall.png")
    done = restorer.restore(photo)
    assert done.faces == [] and done.provenance is None
    np.testing.assert_array_equal(done.photos[0].pixels, photo.pixels)


def test_large_faces_get_a_note(restorer, portrait, tmp_path):
    small = restorer.restore(opened(portrait, tmp_path / "small.png"))
    large = restorer.restore(opened(cv2.resize(portrait, None, fx=4, fy=4), tmp_path / "large.png"))
    assert small.notes == []
    assert "1 of 1 faces are larger in the photo than the 256 px of the weights 'mini'" in large.notes[0]


def test_restore_is_one_call(portrait, tmp_path):
    Image.fromarray(portrait).save(tmp_path / "a.png")
    restore(tmp_path / "a.png", tmp_path / "b.jpg", FAST, quality=90)
    assert Image.open(tmp_path / "b.jpg").format == "JPEG"
    told = read(tmp_path / "b.jpg")
    assert told is not None and told.method == "difface"


def test_enlarging_keeps_places():
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 1, 3))
    big, back = enlarged(Photo(ramp, "PNG"), 3)
    assert big.pixels.shape == (180, 180, 3)
    x = 90
    assert big.pixels[90, x, 0] == pytest.approx(4 * (back @ [x, 90, 1])[0], abs=1.5)


def test_bf16_stays_near_fp32(restorer, portrait, tmp_path):
    photo = opened(portrait, tmp_path / "a.png")
    exact = restorer.restore(photo).photos[0].pixels.astype(float)
    fast = Restorer(replace(FAST, dtype="bf16")).restore(photo).photos[0].pixels
    assert np.sqrt(np.mean((exact - fast) ** 2)) < 3


def test_seeds_differ_by_face_and_sample():
    seeds = {seed_of(s, f, n) for s in range(3) for f in range(3) for n in range(3)}
    assert len(seeds) == 27 and all(0 <= seed < 2**63 for seed in seeds)
    torch.Generator().manual_seed(max(seeds))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strength": -1}, "strength must lie between 0"),
        ({"samples": 65}, "65 samples can't be made: ask for 1 to 64"),
        ({"upscale": 0}, "enlarged 1 to 8 times, not 0 times"),
    ],
)
def test_messages(settings, message):
    with pytest.raises(LimnerError, match=message):
        Settings(**settings)
