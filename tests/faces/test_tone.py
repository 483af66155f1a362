"""Monochrome photographs are told from colour ones, and keep their tone."""

import csv
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from limner.faces.tone import keep_tone, tone

# Looked at one by one: generated "sepia" portraits among the colour faces.
SEPIA_FACES = {
    "sfhqt2i_ts2Agetop10021_1.jpg",
    "sfhqt2i_ts2Agetop10024_1.jpg",
    "sfhqt2i_ts2Agetop10027_1.jpg",
    "sfhqt2i_ts2Backgroundtop10002_1.jpg",
    "sfhqt2i_ts2Ethnicitytop10046_1.jpg",
    "sfhqt2i_ts2EthnicityxAge3top10031_1.jpg",
    "sfhqt2i_ts2Expressiontop10025_1.jpg",
    "sfhqt2i_ts2EyeGazetop9014_1.jpg",
    "sfhqt2i_ts2FacialHairtop10048_1.jpg",
    "sfhqt2i_ts2GlassesStyletop10024_1.jpg",
    "sfhqt2i_ts2GlassesStyletop10026_1.jpg",
    "sfhqt2i_ts2PhysicalCharacteristicstop9033_1.jpg",
}
# The colour faces that come nearest to a monochrome one.
DULL_FACES = {
    "sfhq_SFHQvariabilityageXethnicity2068_1.jpg",
    "sfhqt2i_ts2Backgroundtop10032_1.jpg",
    "sfhqt2i_ts2EthnicityxAge3top10016_1.jpg",
    "sfhqt2i_ts2EyeColortop10030_1.jpg",
    "london_096_1.jpg",
    "london_137_1.jpg",
}
TONED_PRINTS = {"old_000875.jpg", "old_001386.jpg", "old_004567.jpg", "old_007406.jpg", "old_010383.jpg"}
COLOUR_PRINTS = {"old_001658.jpg"}  # an oil painting


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def jpeg(rgb: np.ndarray, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def portrait(seed: int = 0, size: int = 256) -> np.ndarray:
    """A grey picture with all lightnesses and some structure, (H, W) float in [0, 1]."""
    noise = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), size / 24)
    ranks = smooth.ravel().argsort().argsort().reshape(smooth.shape)
    return 0.05 + 0.87 * ranks / ranks.max()


def sepia(grey: np.ndarray) -> np.ndarray:
    return (255 * np.stack([grey**0.8, grey, grey**1.3], -1)).round().astype(np.uint8)


def cyanotype(grey: np.ndarray) -> np.ndarray:
    return (255 * np.stack([grey**1.7, grey, 0.15 + 0.85 * grey**0.8], -1)).round().astype(np.uint8)


@pytest.mark.parametrize("quality", [30, 90])
def test_grey_sepia_and_cyanotype_are_monochrome_after_jpeg(quality: int) -> None:
    grey = portrait()
    assert tone(jpeg(np.repeat((255 * grey).astype(np.uint8)[..., None], 3, 2), quality)).kind == "grey"
    assert tone(jpeg(sepia(grey), quality)).kind == "toned"
    assert tone(jpeg(cyanotype(grey), quality)).kind == "toned"


def test_grain_does_not_make_a_sepia_print_colourful() -> None:
    grain = np.random.default_rng(1).normal(0, 0.08, (512, 512))
    assert tone(sepia(np.clip(portrait(size=512) + grain, 0, 1))).kind == "toned"


@pytest.mark.parametrize("level", [0, 255, 128])
def test_a_blank_picture_is_grey(level: int) -> None:
    assert tone(np.full((40, 30, 3), level, np.uint8)).kind == "grey"


def test_a_picture_of_one_pixel_is_judged() -> None:
    assert tone(np.full((1, 1, 3), 90, np.uint8)).kind == "grey"


def test_the_prints_of_the_shared_folder(collection: Path) -> None:
    for path in sorted((collection / "photos").glob("*.*g")):
        expected = "toned" if path.name in TONED_PRINTS else "colour" if path.name in COLOUR_PRINTS else "grey"
        assert tone(read(path)).kind == expected, path.name


def test_colour_faces_are_not_taken_for_monochrome(collection: Path) -> None:
    with (collection / "faces" / "index.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    sample = (set(names[::20]) | DULL_FACES) - SEPIA_FACES
    wrong = [name for name in sorted(sample) if tone(read(collection / "faces" / name)).kind != "colour"]
    assert wrong == []


def test_faces_in_sepia_are_found(collection: Path) -> None:
    assert {tone(read(collection / "faces" / name)).kind for name in SEPIA_FACES} == {"toned"}


@pytest.mark.slow
def test_a_small_coloured_face_in_a_grey_photo_counts_where_it_is(shared: Path) -> None:
    photo = np.repeat((255 * portrait(size=1600)).astype(np.uint8)[..., None], 3, 2)
    photo[100:180, 1400:1480] = cv2.resize(read(next((shared / "faces").glob("*_1.jpg"))), (80, 80))
    assert tone(photo).kind == "grey"
    assert tone(photo, around=(1400, 100, 1480, 180)).kind == "colour"
    assert tone(photo, around=(200, 1000, 280, 1080)).kind == "grey"


def test_a_box_that_leaves_the_picture_is_judged_by_what_is_inside() -> None:
    picture = sepia(portrait())
    for box in ((-80.0, -60.0, 40.0, 60.0), (240.0, 240.0, 400.0, 400.0), (900.0, 900.0, 950.0, 950.0)):
        assert tone(picture, around=box).kind == "toned"


def test_a_grey_photo_gets_the_luma_of_the_restored_face() -> None:
    grey = np.repeat((255 * portrait()).astype(np.uint8)[..., None], 3, 2)
    restored = np.random.default_rng(2).random((256, 256, 3), np.float32)
    kept = keep_tone(grey.astype(np.float32) / 255, restored, tone(grey))
    assert kept.dtype == np.float32
    assert (kept == kept[..., :1]).all()
    np.testing.assert_allclose(kept[..., 0], restored @ np.array([0.299, 0.587, 0.114], np.float32), atol=1e-5)


def test_a_sepia_photo_keeps_its_tone_when_the_net_paints_pink_lips() -> None:
    grey = portrait()
    original = sepia(grey)
    sharper = np.clip(grey + 0.05 * np.sin(np.arange(256) / 3), 0.06, 0.9)
    restored = sepia(sharper).astype(np.float32) / 255
    painted = restored.copy()
    painted[100:150, 80:180] *= np.array([1.0, 0.6, 0.7], np.float32)
    kept = keep_tone(original.astype(np.float32) / 255, painted, tone(original))

    lab, painted_lab = (cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in (kept, painted))
    np.testing.assert_allclose(lab[..., 0], painted_lab[..., 0], atol=0.5)  # the restored lightness
    # Each pixel has the colour that sepia has for its lightness.
    ramp = cv2.cvtColor(sepia(np.linspace(0.05, 0.95, 500)[None]).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    expected = np.stack([np.interp(lab[..., 0], ramp[:, 0], ramp[:, k]) for k in (1, 2)], -1)
    assert np.abs(lab[..., 1:] - expected).mean() < 0.5
    assert np.abs(lab[..., 1:] - expected).max() < 3
    assert np.abs(painted_lab[..., 1:] - expected).max() > 15  # what was to be taken away


def test_stains_stay_in_their_places() -> None:
    stained = sepia(portrait()).astype(np.float32) / 255
    stained[:, :128] *= np.array([1.0, 0.99, 0.94], np.float32)
    picture = (255 * stained).astype(np.uint8)
    judged = tone(picture)
    assert judged.kind == "toned"
    kept = keep_tone(stained, stained, judged)
    before, after = (cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in (stained, kept))
    for half in (np.s_[:, 20:100], np.s_[:, 156:236]):
        assert abs(before[half][..., 2].mean() - after[half][..., 2].mean()) < 0.3


def test_a_colour_photo_is_left_to_the_net(shared: Path) -> None:
    original = read(next((shared / "faces").glob("*_1.jpg")))
    restored = np.random.default_rng(3).random(original.shape, np.float32)
    assert keep_tone(original.astype(np.float32) / 255, restored, tone(original)) is restored
