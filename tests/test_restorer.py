"""The whole way on real pixels: what must change, and what must not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner import Photo, Restorer, Settings
from limner.device import choose
from limner.evaluate.metrics.detail import laplacian_variance
from limner.evaluate.metrics.fidelity import psnr
from limner.faces.align import similarity, stretch
from limner.faces.join import Joined, Joiner
from limner.faces.paste import Place
from limner.faces.pose import Pose
from limner.faces.put_back import PutBack
from limner.faces.tone import tone
from limner.methods.crops import seed_of
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.schedules import ldbfr_schedule
from limner.restoration import RestoredCrop
from limner.weights.load import WeightsInfo

from .methods import tiny
from .photo.samples import wide_gamut as wide_gamut_profile

FAST = Settings(options={"steps": 2}, threads=1, dtype="fp32")


@pytest.fixture(scope="module")
def restorer():
    return Restorer(FAST)


@pytest.fixture(scope="module")
def wide_gamut():
    return wide_gamut_profile()


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


@pytest.mark.slow
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


def test_a_profile_is_left_alone_unless_it_is_named(restorer, portrait, tmp_path, monkeypatch):
    photo = opened(portrait, tmp_path / "a.png")
    monkeypatch.setattr("limner.faces.seen.pose_of", lambda landmarks: Pose(70, 0, 0, 0.05))
    done = restorer.restore(photo)
    assert done.faces == [] and len(done.left_alone) == 1 and done.provenance is None
    np.testing.assert_array_equal(done.photos[0].pixels, photo.pixels)
    assert done.notes[0].startswith("Face 0 is a profile, turned by 70 degrees, and left alone")
    monkeypatch.setattr(restorer, "settings", replace(FAST, faces=[0]))
    done = restorer.restore(photo)
    assert len(done.faces) == 1 and done.left_alone == [] and (done.photos[0].pixels != photo.pixels).any()
    assert done.notes == ["The face: a profile, turned by 70 degrees: expect little, or a second eye."]


@pytest.mark.slow
def test_large_faces_get_a_note_where_they_are_blended_plainly(restorer, portrait, tmp_path):
    photos = [
        opened(portrait, tmp_path / "small.png"),
        opened(cv2.resize(portrait, None, fx=4, fy=4), tmp_path / "large.png"),
    ]
    small, large = (Restorer(replace(FAST, strength=1.0)).restore(photo) for photo in photos)
    assert small.notes == [] and restorer.restore(photos[1]).notes == []
    assert "1 of 1 faces are larger in the photo than the 256 px of the weights 'mini'" in large.notes[0]


@pytest.mark.parametrize("factor", [1, 2, 5])
@pytest.mark.slow
def test_a_face_is_no_softer_than_it_was(restorer, portrait, tmp_path, factor):
    photo = opened(cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), tmp_path / "a.png")
    done = restorer.restore(photo)
    x0, y0, x1, y1 = (round(v) for v in done.faces[0].box)
    before, after = (laplacian_variance(one.pixels[y0:y1, x0:x1]) for one in (photo, done.photos[0]))
    assert after > 0.8 * before


@pytest.mark.parametrize("which", ["ldbfr", "clrface"])
@pytest.mark.slow
def test_of_nets_with_random_weights_the_photo_is_left(which, portrait, tiny_ldbfr, tmp_path):
    random = Restorer(replace(FAST, method=which, finish=0))
    nets = tiny_ldbfr
    pipeline = (
        LDBFRPipeline(nets.stage_a, nets.unet, nets.injection, nets.vqgan, ldbfr_schedule())
        if which == "ldbfr"
        else tiny.clrface()
    )
    random.method = LoadedMethod(pipeline, WeightsInfo("random", "none", "here", 64), random.method.options)
    random.size = 64
    photo = opened(portrait, tmp_path / "a.png")
    done = random.restore(photo)
    x0, y0, x1, y1 = (round(v) for v in done.faces[0].box)
    face = np.s_[y0:y1, x0:x1]
    assert psnr(done.photos[0].pixels[face], photo.pixels[face]) > 33
    assert done.provenance.invented < 0.3


@pytest.mark.slow
def test_what_was_made_up_lies_in_the_faces(restorer, portrait, tmp_path):
    spoilt = cv2.resize(cv2.resize(portrait, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (320, 320))
    good, bad = (restorer.restore(opened(p, tmp_path / f"{n}.png")) for n, p in enumerate((portrait, spoilt)))
    for done in (good, bad):
        assert done.invented.shape == (320, 320) and done.invented.dtype == np.uint8
        assert (done.invented[:, :5] == 0).all()
    assert bad.invented.any()
    assert 0 <= good.provenance.invented < bad.provenance.invented <= 1
    assert good.provenance.invented < 0.5 * bad.provenance.invented


@pytest.mark.slow
def test_a_clean_background_is_asked_for(portrait, tmp_path):
    noisy = np.clip(portrait + np.random.default_rng(0).normal(0, 8, portrait.shape), 0, 255).astype(np.uint8)
    photo = opened(noisy, tmp_path / "a.png")
    kept, cleaned = (Restorer(replace(FAST, background=how)).restore(photo).photos[0] for how in ("keep", "clean"))
    edge = np.s_[-60:, :60]
    np.testing.assert_array_equal(kept.pixels[edge], noisy[edge])
    error = [np.sqrt(np.mean((one.pixels[edge] - portrait[edge].astype(float)) ** 2)) for one in (kept, cleaned)]
    assert error[1] < 0.6 * error[0]


@pytest.mark.slow
def test_grain_goes_on_in_the_face(portrait, tmp_path):
    sigma = 9
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (640, 640, 1)), (0, 0), 0.8)
    grain = grain[..., None] * sigma / grain.std()
    big = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    photo = opened(np.clip(big + grain, 0, 255).astype(np.uint8), tmp_path / "a.png")
    with_grain, without = (Restorer(replace(FAST, grain=wanted)).restore(photo).photos[0] for wanted in (True, False))
    forehead = np.s_[160:190, 290:350]

    def rough(pixels):
        plane = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float((plane - cv2.GaussianBlur(plane, (0, 0), 2))[forehead].std())

    before, after, smooth = rough(photo.pixels), rough(with_grain.pixels), rough(without.pixels)
    assert smooth < 0.85 * before and smooth < after and 0.8 * before < after < 1.25 * before
    again = Restorer(FAST).restore(photo).photos[0]
    np.testing.assert_array_equal(again.pixels, with_grain.pixels)


@pytest.mark.parametrize("wish", [{"strength": 0.5}, {"aligned": True}, {"grain": False}, {"background": "clean"}])
@pytest.mark.slow
def test_no_grain_for_plain_blends_aligned_crops_and_clean_backgrounds(wish, portrait, tmp_path, monkeypatch):
    monkeypatch.setattr("limner.faces.put_back.add_grain", lambda *_: pytest.fail("grain was added"))
    noisy = np.clip(portrait + np.random.default_rng(0).normal(0, 9, portrait.shape), 0, 255).astype(np.uint8)
    assert Restorer(replace(FAST, **wish)).restore(opened(noisy, tmp_path / "a.png")).faces


@pytest.mark.slow
def test_a_face_of_an_enlarged_clean_photo_is_joined_with_what_the_photo_has(portrait, tmp_path):
    noisy = np.clip(portrait + np.random.default_rng(0).normal(0, 9, portrait.shape), 0, 255).astype(np.uint8)
    photo = opened(noisy, tmp_path / "a.png")
    kept, clean = (
        Restorer(replace(FAST, upscale=2, background=background, grain=False)).restore(photo)
        for background in ("keep", "clean")
    )
    x, y = np.rint(2 * kept.faces[0].landmarks[2]).astype(int)  # the nose's tip
    pixels = [done.photo.pixels for done in (kept, clean)]
    nose = [one[y - 20 : y + 20, x - 20 : x + 20] for one in pixels]
    np.testing.assert_array_equal(*nose)
    assert pixels[1][:80, :80].std() < pixels[0][:80, :80].std()


@pytest.mark.parametrize("tint", [1.0, (1.07, 0.98, 0.82)])
@pytest.mark.slow
def test_a_strength_blends_plainly(portrait, tmp_path, tint):
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2) * np.array(tint)
    noisy = np.clip(grey + np.random.default_rng(0).normal(0, 6, grey.shape), 0, 255).astype(np.uint8)
    photo = opened(noisy, tmp_path / "a.png")
    none, half, whole = (Restorer(replace(FAST, strength=s)).restore(photo) for s in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none.photos[0].pixels, noisy)
    mean = (noisy.astype(float) + whole.photos[0].pixels) / 2
    assert np.abs(half.photos[0].pixels - mean).max() <= 1
    assert none.provenance.invented == 0 and half.provenance.invented == pytest.approx(0.5, abs=0.01)


def test_where_faces_overlap_the_last_says_what_was_made_up(portrait):
    back = PutBack(Photo(portrait, "PNG"), portrait, replace(FAST, strength=1.0), Joiner(choose("cpu", "fp32")))
    crop = np.full((256, 256, 3), 0.5, np.float32)
    colour = tone(portrait)
    back.face([crop], stretch(320, 320, 256), colour, [0])
    assert back.invented[160, 160] == 255 and back.share_invented == pytest.approx(1)
    back.settings = replace(FAST, strength=0.0)
    back.face([crop], stretch(320, 320, 256), colour, [0])
    assert back.invented[160, 160] == 255  # nothing was laid over it
    back.settings, back.joiner = FAST, lambda part, samples, place: Joined([part], np.zeros(part.shape[:2], np.float32))
    back.face([crop], stretch(320, 320, 256), colour, [0])
    assert back.invented[160, 160] == 0 and (back.canvases[0][150:170, 150:170] == portrait[150:170, 150:170]).all()


def test_grain_is_as_strong_in_any_colour_space(portrait):
    noise = np.random.default_rng(0).normal(0, 7, (480, 480, 3)).repeat(1, 0)
    noisy = np.rint(np.clip(128 + noise.mean(2, keepdims=True) * np.ones(3) * 1.7, 0, 255)).astype(np.uint8)
    for icc in (None, wide_gamut_profile(), wide_gamut_profile(gamma=1.0)):
        photo = Photo(noisy, "PNG", icc=icc)
        rgb = photo.srgb()
        back = PutBack(photo, rgb, FAST, Joiner(choose("cpu", "fp32")))
        smooth = cv2.GaussianBlur(rgb, (0, 0), 6).astype(np.float32) / 255
        back.joiner = lambda part, samples, place, smooth=smooth: Joined(
            [place.cut(np.rint(smooth * 255).astype(np.uint8))], np.zeros(part.shape[:2], np.float32)
        )
        matrix = np.array([[0.8, 0, -64.0], [0, 0.8, -64.0]])
        back.face([np.zeros((256, 256, 3), np.float32)], matrix, tone(rgb), [0])
        after = photo.replaced(back.canvases[0]).srgb().astype(float)
        inside, outside = after[180:300, 180:300].std((0, 1)), rgb[:60].astype(float).std((0, 1))
        np.testing.assert_allclose(inside, outside, rtol=0.2)


def test_grain_that_is_still_there_is_not_given_twice():
    rgb = np.clip(128 + np.random.default_rng(0).normal(0, 7, (400, 400, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    back = PutBack(Photo(rgb, "PNG"), rgb, FAST, Joiner(choose("cpu", "fp32")))
    back.joiner = lambda part, samples, place: Joined([part], np.zeros(part.shape[:2], np.float32))
    back.face([np.zeros((256, 256, 3), np.float32)], np.array([[1, 0, -72.0], [0, 1, -72.0]]), tone(rgb), [0])
    assert back.canvases[0][120:280, 120:280, 0].std() == pytest.approx(7, rel=0.1)


@pytest.mark.parametrize("side", [60, 80, 150])
def test_small_faces_have_grain_too(side):
    rgb = np.clip(128 + np.random.default_rng(0).normal(0, 7, (400, 400, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    back = PutBack(Photo(rgb, "PNG"), rgb, FAST, Joiner(choose("cpu", "fp32")))
    back.joiner = lambda part, samples, place: Joined([np.full_like(part, 0.5)], np.zeros(part.shape[:2], np.float32))
    scale = 256 / side
    matrix = np.array([[scale, 0, -scale * (200 - side / 2)], [0, scale, -scale * (200 - side / 2)]])
    back.face([np.zeros((256, 256, 3), np.float32)], matrix, tone(rgb), [0])
    half = side // 4
    assert back.canvases[0][200 - half : 200 + half, 200 - half : 200 + half, 0].std() == pytest.approx(7, rel=0.25)


@pytest.mark.slow
def test_colours_stay_within_one_delta_e_at_the_seam(restorer, portrait, tmp_path):
    shaded = np.clip(portrait * np.linspace(0.5, 1.2, 320)[None, :, None], 0, 255).astype(np.uint8)
    photo = opened(cv2.GaussianBlur(shaded, (0, 0), 3), tmp_path / "a.png")
    done = restorer.restore(photo)
    place = Place.of(similarity(done.faces[0].landmarks, 256), 256, 320, 320)
    assert place is not None
    slope = (place.mask > 0.2) & (place.mask < 0.9)
    before, after = (
        cv2.GaussianBlur(cv2.cvtColor(place.cut(p), cv2.COLOR_RGB2LAB), (0, 0), 12)
        for p in (photo.pixels, done.photos[0].pixels)
    )
    assert np.linalg.norm(before - after, axis=2)[slope].mean() < 1


@pytest.mark.slow
def test_bf16_stays_near_fp32(restorer, portrait, tmp_path):
    photo = opened(portrait, tmp_path / "a.png")
    exact = restorer.restore(photo).photos[0].pixels.astype(float)
    fast = Restorer(replace(FAST, dtype="bf16")).restore(photo).photos[0].pixels
    assert np.sqrt(np.mean((exact - fast) ** 2)) < 3


def test_seeds_differ_by_face_and_sample():
    seeds = {seed_of(s, f, n) for s in range(3) for f in range(3) for n in range(3)}
    assert len(seeds) == 27 and all(0 <= seed < 2**63 for seed in seeds)
    torch.Generator().manual_seed(max(seeds))


def test_a_result_names_a_folder_of_weights_without_its_path(tmp_path, restorer, monkeypatch):
    folder = tmp_path / "a private place" / "my-weights"
    info = replace(restorer.method.info, name=str(folder))
    monkeypatch.setattr(restorer, "method", replace(restorer.method, info=info))
    told = restorer.provenance(None, 1, 0.5)
    assert told.weights == "my-weights" and "private" not in told.xmp()
