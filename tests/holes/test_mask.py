"""Masks of every kind mean the same, and what can't be one is told in a sentence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError, PhotoError
from limner.holes.mask import MaskFiles, OwnDamage, digest_of_mask, mask_of, note_on_mask
from limner.photo.photo import Photo

PHOTO = Photo(np.full((20, 30, 3), 99, np.uint8), "PNG")
DRAWN = np.zeros((20, 30), np.uint8)
DRAWN[3:9, 5:25] = 255


def saved(picture: Image.Image, path: Path, **how) -> Path:
    picture.save(path, **how)
    return path


def test_all_kinds_mean_the_same(tmp_path):
    grey = Image.fromarray(DRAWN)
    for given in (
        DRAWN,
        DRAWN > 0,
        np.dstack([DRAWN] * 3),
        grey,
        grey.convert("RGB"),
        grey.convert("1"),
        saved(grey, tmp_path / "a.png"),
        str(saved(grey, tmp_path / "b.jpg", quality=95)),
    ):
        mask = mask_of(given, PHOTO)
        assert mask.dtype == np.uint8 and np.array_equal(mask, DRAWN)


def test_white_is_a_hole_and_grey_is_one_from_the_middle_on():
    drawn = DRAWN.copy()
    drawn[0, :2] = 127, 128
    assert mask_of(drawn, PHOTO)[0, :3].tolist() == [0, 255, DRAWN[0, 2]]


def test_a_photo_that_somebody_painted_on_is_no_mask():
    painted = np.random.default_rng(0).integers(40, 215, (20, 30, 3), np.uint8)
    painted[5:8] = 255
    with pytest.raises(LimnerError, match=r"is no mask, for 8\d% of it is neither black nor white: paint"):
        mask_of(painted, PHOTO)


def test_what_is_transparent_is_no_hole():
    drawn = Image.fromarray(np.dstack([np.full((20, 30, 3), 255, np.uint8), DRAWN]))
    assert np.array_equal(mask_of(drawn, PHOTO), DRAWN)


def test_the_masks_own_turn_counts(tmp_path):
    """As an editor writes it that keeps a phone's pixels and their EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    lying = Image.fromarray(np.rot90(DRAWN, 1).copy())
    assert np.array_equal(mask_of(saved(lying, tmp_path / "a.png", exif=exif), PHOTO), DRAWN)


def test_a_black_pixel_is_a_hole_only_when_asked():
    pixels = np.full((20, 30, 3), 99, np.uint8)
    pixels[4:6, 7:9] = 0
    pixels[10, 10] = 0, 0, 1
    mask = mask_of("auto-black", Photo(pixels, "PNG"))
    assert mask[4:6, 7:9].all() and (mask > 0).sum() == 4
    assert not mask_of(np.zeros((20, 30), np.uint8), Photo(pixels, "PNG")).any()
    deep = Photo(pixels.astype(np.uint16), "PNG")  # nearly black in sixteen bits
    assert (mask_of("auto-black", deep) > 0).sum() == 4


def test_what_is_no_mask_of_the_photo_is_told(tmp_path):
    file = saved(Image.fromarray(DRAWN.T.copy()), tmp_path / "m.png")
    with pytest.raises(LimnerError, match=r"The mask .*m.png is 20 x 30 pixels, but its photo, upright, is 30 x 20: "):
        mask_of(file, PHOTO)
    with pytest.raises(LimnerError, match=r"All of the photo would be a hole: white is a hole, black is what"):
        mask_of(np.full((20, 30), 255, np.uint8), PHOTO)
    white = saved(Image.new("L", (30, 20), 255), tmp_path / "white.png")
    with pytest.raises(LimnerError, match=r"All of the photo would be a hole by the mask .*white.png: white is a hole"):
        mask_of(white, PHOTO)
    with pytest.raises(PhotoError, match=r"The mask .*gone.png does not exist: check the name\.$"):
        mask_of(tmp_path / "gone.png", PHOTO)


def test_a_broken_mask_is_told_as_a_mask(tmp_path):
    """Nobody is told to get a mask from its source, or to choose a photo."""
    advice = "give a picture of the photo's size, white where a hole is."
    for data, fault in ((b"", "is empty (zero bytes)"), (b"print()", "is not a picture, whatever its name says")):
        (tmp_path / "m.jpg").write_bytes(data)
        with pytest.raises(PhotoError) as error:
            mask_of(tmp_path / "m.jpg", PHOTO)
        assert str(error.value) == f"The mask {tmp_path / 'm.jpg'} {fault}: {advice}"


def test_what_makes_a_mask_doubtful():
    none, much = np.zeros_like(DRAWN), np.full_like(DRAWN, 255)
    much[0] = 0
    for given, told in (
        (
            "masks/m.png",
            "The mask masks/m.png has no hole, for nothing in it is white: paint white what is to be filled.",
        ),
        (OwnDamage(), "No damage was found in the photo, so nothing was filled: a higher --sensitivity finds more."),
        ("auto-black", "No pixel of the photo is exactly black, so nothing was filled."),
    ):
        assert note_on_mask(given, none) == [told] and note_on_mask(given, DRAWN) == []
    told = "The mask masks/m.png makes more than half of the photo a hole: is it inverted? White is a hole."
    assert note_on_mask(Path("masks/m.png"), much) == [told]
    assert note_on_mask("auto-black", much) == note_on_mask(OwnDamage(), much) == []


def test_a_digest_tells_masks_apart(tmp_path):
    file = saved(Image.fromarray(DRAWN), tmp_path / "a.png")
    digests = [digest_of_mask(one) for one in (file, DRAWN, DRAWN.T, DRAWN > 0, "auto-black")]
    assert len(set(digests)) == 5 and digest_of_mask(str(file)) == digests[0]
    assert digest_of_mask(DRAWN.copy()) == digests[1]
    with pytest.raises(LimnerError, match=r"The mask .*gone can't be read"):
        digest_of_mask(tmp_path / "gone")


def test_files_of_a_run(tmp_path):
    folder = tmp_path / "masks"
    (folder / "1962").mkdir(parents=True)
    inner = saved(Image.fromarray(DRAWN), folder / "1962/anna.png")
    masks = MaskFiles(str(folder), single=False)
    assert masks.folder == folder
    assert masks.of(Path("1962/anna.jpg")) == inner
    assert masks.of(Path("anna.jpg")) is None and masks.of(Path("1962/ann.jpg")) is None
    assert MaskFiles(str(inner), single=True).of(Path("bob.jpg")) == str(inner)
    assert MaskFiles("auto-black", single=False).of(Path("bob.jpg")) == "auto-black"
    saved(Image.fromarray(DRAWN), folder / "1962/anna.webp")
    with pytest.raises(LimnerError, match=r"anna.png and .*anna.webp could both be the mask of 1962/anna.jpg"):
        MaskFiles(str(folder), single=False).of(Path("1962/anna.jpg"))
    with pytest.raises(LimnerError, match=r"There is no mask .*gone: give a picture, a folder of pictures, or auto-"):
        MaskFiles(str(tmp_path / "gone"), single=True)
    with pytest.raises(LimnerError, match=r"anna.png can't be of several photos: give a folder"):
        MaskFiles(str(inner), single=False)


def test_masks_that_fit_no_photo_are_told(tmp_path):
    for name in ("1.png", "8.png", "9.png", "sub/7.png", "sub/6.png", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        saved(Image.fromarray(DRAWN), tmp_path / name)
    (tmp_path / "notes.txt").touch()
    masks = MaskFiles(str(tmp_path), single=False)
    assert masks.files([Path("1.jpg"), Path("2.jpg")]) == {tmp_path / "1.png"}
    left = [tmp_path / name for name in ("8.png", "9.png", "sub/6.png", "sub/7.png")]
    assert masks.left([Path("1.jpg"), Path("2.jpg")]) == left
    with pytest.raises(LimnerError, match=r"No picture in the folder .* such as 2\.png for 2\.jpg\.$"):
        masks.left([Path("2.jpg")])
    assert MaskFiles(str(tmp_path / "1.png"), single=True).files([Path("2.jpg")]) == {tmp_path / "1.png"}
    assert MaskFiles("auto-black", single=False).files([Path("2.jpg")]) == set()
    with pytest.raises(LimnerError, match=r"^The mask has no name: give a picture"):
        MaskFiles("", single=True)


def test_damage_can_be_the_holes(monkeypatch):
    monkeypatch.setattr("limner.damage.find.find_damage", lambda pixels, sensitivity, compute: DRAWN)
    assert np.array_equal(mask_of(OwnDamage(0.4), PHOTO), DRAWN)
    assert digest_of_mask(OwnDamage(0.4)) == "damage 0.4" and digest_of_mask(OwnDamage()) != "damage 0.4"
    files = MaskFiles(OwnDamage(0.4), single=False)
    assert files.folder is None and files.of(Path("any.jpg")) == OwnDamage(0.4)
    with pytest.raises(LimnerError, match="above 0 and below 1"):
        OwnDamage(1.0)
