"""The whole way on real pixels: what must change, and what must not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner import LimnerError, Photo, Restorer, Settings, restore
from limner.device import choose
from limner.evaluate.metrics import laplacian_variance, psnr
from limner.faces.join import Joiner
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.schedules import ldbfr_schedule
from limner.provenance import read
from limner.restorer import RestoredCrop, enlarged, seed_of
from limner.weights.load import WeightsInfo

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


def test_large_faces_get_a_note_where_they_are_blended_plainly(restorer, portrait, tmp_path):
    photos = [
        opened(portrait, tmp_path / "small.png"),
        opened(cv2.resize(portrait, None, fx=4, fy=4), tmp_path / "large.png"),
    ]
    small, large = (Restorer(replace(FAST, strength=1.0)).restore(photo) for photo in photos)
    assert small.notes == [] and restorer.restore(photos[1]).notes == []
    assert "1 of 1 faces are larger in the photo than the 256 px of the weights 'mini'" in large.notes[0]


def test_a_large_sharp_face_stays_sharp(restorer, portrait, tmp_path):
    photo = opened(cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), tmp_path / "a.png")
    plain, joined = Restorer(replace(FAST, strength=1.0)).restore(photo), restorer.restore(photo)
    x0, y0, x1, y1 = (round(v) for v in joined.faces[0].box)
    before, blended, after = (
        laplacian_variance(one.pixels[y0:y1, x0:x1]) for one in (photo, plain.photos[0], joined.photos[0])
    )
    assert blended < 0.7 * before < 0.8 * before < after


@pytest.mark.parametrize("which", ["ldbfr", "clrface"])
def test_of_nets_with_random_weights_the_photo_is_left(which, portrait, tiny_ldbfr, tiny_clrface, tmp_path):
    random = Restorer(replace(FAST, method=which, steps=2, finish=0))
    nets = tiny_ldbfr
    pipeline = (
        LDBFRPipeline(nets.stage_a, nets.unet, nets.injection, nets.vqgan, ldbfr_schedule())
        if which == "ldbfr"
        else tiny_clrface()
    )
    random.method = LoadedMethod(pipeline, WeightsInfo("random", "none", "here", 64), random.method.sampling)
    random.size = 64
    photo = opened(portrait, tmp_path / "a.png")
    done = random.restore(photo)
    x0, y0, x1, y1 = (round(v) for v in done.faces[0].box)
    face = np.s_[y0:y1, x0:x1]
    assert psnr(done.photos[0].pixels[face], photo.pixels[face]) > 33
    assert done.provenance.invented < 0.3


def test_what_was_made_up_lies_in_the_faces(restorer, portrait, tmp_path):
    spoilt = cv2.resize(cv2.resize(portrait, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (320, 320))
    good, bad = (restorer.restore(opened(p, tmp_path / f"{n}.png")) for n, p in enumerate((portrait, spoilt)))
    for done in (good, bad):
        assert done.invented.shape == (320, 320) and done.invented.dtype == np.uint8
        unchanged = (done.photos[0].pixels == (portrait if done is good else spoilt)).all(axis=2)
        assert (done.invented[:, :5] == 0).all() and unchanged[done.invented == 0].mean() > 0.8
    assert 0 <= good.provenance.invented < bad.provenance.invented <= 1
    assert good.provenance.invented < 0.5 * bad.provenance.invented


def test_a_clean_background_is_asked_for(portrait, tmp_path):
    noisy = np.clip(portrait + np.random.default_rng(0).normal(0, 8, portrait.shape), 0, 255).astype(np.uint8)
    photo = opened(noisy, tmp_path / "a.png")
    kept, cleaned = (Restorer(replace(FAST, background=how)).restore(photo).photos[0] for how in ("keep", "clean"))
    edge = np.s_[-60:, :60]
    np.testing.assert_array_equal(kept.pixels[edge], noisy[edge])
    error = [np.sqrt(np.mean((one.pixels[edge] - portrait[edge].astype(float)) ** 2)) for one in (kept, cleaned)]
    assert error[1] < 0.6 * error[0]


def test_a_clean_background_in_strips_is_the_same(portrait, monkeypatch):
    from limner.faces.put_back import with_clean_background

    photo, joiner = Photo(portrait, "PNG"), Joiner(choose("cpu", "fp32"))
    whole = with_clean_background(photo, joiner).pixels.astype(int)
    monkeypatch.setattr("limner.faces.put_back.STRIP", 100)
    assert np.abs(with_clean_background(photo, joiner).pixels - whole).max() <= 2


def test_grain_goes_on_in_the_face(portrait, tmp_path):
    sigma = 9
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (640, 640, 1)), (0, 0), 0.8)
    grain = grain[..., None] * sigma / grain.std()
    big = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    photo = opened(np.clip(big + grain, 0, 255).astype(np.uint8), tmp_path / "a.png")
    with_grain, without = (Restorer(replace(FAST, grain=wanted)).restore(photo).photos[0] for wanted in (True, False))
    cheek = np.s_[280:330, 240:290]

    def rough(pixels):
        plane = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float((plane - cv2.GaussianBlur(plane, (0, 0), 2))[cheek].std())

    before, after, smooth = rough(photo.pixels), rough(with_grain.pixels), rough(without.pixels)
    assert smooth < 0.6 * before and 0.7 * before < after < 1.3 * before
    again = Restorer(FAST).restore(photo).photos[0]
    np.testing.assert_array_equal(again.pixels, with_grain.pixels)


def test_colours_outside_srgb_and_deep_values_stay_where_nothing_changes(portrait):
    from limner.faces.put_back import changed

    deep = Photo(portrait.astype(np.uint16) * 257 + 77, "PNG")
    rgb = deep.srgb()
    part = changed(deep, rgb, slice(40, 80), slice(40, 80), rgb[40:80, 40:80].astype(np.float32) / 255)
    np.testing.assert_allclose(part, deep.pixels[40:80, 40:80] / 65535, atol=1e-6)


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
        ({"strength": -1}, r"strength must be auto or lie between 0 \(original\) and 1 \(restored\), not -1"),
        ({"samples": 65}, "65 samples can't be made: ask for 1 to 64"),
        ({"upscale": 0}, "enlarged 1 to 8 times, not 0 times"),
    ],
)
def test_messages(settings, message):
    with pytest.raises(LimnerError, match=message):
        Settings(**settings)
