"""`limner damage`: a mask of the photo's size, upright, never over the photo itself."""

import json
import sys
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from tests.damage.flakes import flaked

from limner.damage import SENSITIVITY, percent
from limner.errors import LimnerError
from limner.holes.mask import OwnDamage

PORTRAIT = np.ascontiguousarray(astronaut()[:200, 100:260])
FLAKES = ((30, 40, 10), (130, 150, 12), (20, 150, 8))


@pytest.fixture
def photo(tmp_path):
    picture, _ = flaked(PORTRAIT, FLAKES)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(picture).save(tmp_path / "old.jpg", quality=95, exif=turned)
    return tmp_path / "old.jpg"


@pytest.mark.slow
def test_a_mask_is_written(run, photo, tmp_path):
    before = photo.read_bytes()
    code, out, err = run("damage", photo, "-o", tmp_path / "mask.png", "--json", "--sensitivity", "0.2")
    told = json.loads(out)
    with Image.open(tmp_path / "mask.png") as mask:
        assert code == 0 and mask.mode == "L" and mask.size == (200, 160)  # upright
        pixels = np.asarray(mask)
    assert set(np.unique(pixels)) == {0, 255} and told["share"] == pytest.approx((pixels > 0).mean())
    upright = np.rot90(flaked(PORTRAIT, FLAKES)[1], -1)
    assert (pixels > 0)[upright].mean() > 0.25 and (pixels > 0)[~upright].mean() < 0.03
    assert told["sensitivity"] == 0.2 and not err
    words = ("damage", photo, "-o", tmp_path / "mask.png", "--overwrite")
    assert json.loads(run(*words, "--json")[1])["sensitivity"] == SENSITIVITY
    assert photo.read_bytes() == before
    assert run(*words, "--sensitivity", "0.7")[2].endswith("where it is wrong.\n")


@pytest.mark.parametrize("sensitivity", ["0", "1", "2"])
def test_a_sensitivity_that_is_none(run, photo, tmp_path, sensitivity):
    code, _, err = run("damage", photo, "-o", tmp_path / "mask.png", "--sensitivity", sensitivity)
    assert (
        code == 2
        and "above 0 and below 1, such as 0.1." in err
        and err.count("\n") == 1
        and not (tmp_path / "mask.png").exists()
    )


def test_the_photo_is_never_written_over(run, photo):
    code, _, err = run("damage", photo, "-o", photo)
    assert code == 2 and "is the input itself" in err


@pytest.fixture
def found(monkeypatch):
    """What is found, in the place of what the net finds: nothing, until a test marks something in it."""
    mask = np.zeros((160, 200), np.uint8)
    monkeypatch.setattr("limner.damage.find.find_damage", lambda *_: mask)
    return mask


def test_a_mask_that_somebody_painted_in_stays(run, photo, tmp_path, found):
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"painted")
    code, _, err = run("damage", photo, "-o", mask)
    assert code == 2 and err == f"limner: {mask} is there already: --overwrite replaces it, or choose another name.\n"
    assert mask.read_bytes() == b"painted"
    assert run("damage", photo, "-o", mask, "--overwrite")[0] == 0 and Image.open(mask).size == (200, 160)
    assert "is the input itself" in run("damage", photo, "-o", photo, "--overwrite")[2]


def test_a_mask_goes_out_through_the_stream(run, photo, tmp_path, found, monkeypatch):
    found[3:5] = 255
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(photo.read_bytes())))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", SimpleNamespace(buffer=BytesIO(), flush=lambda: None))
        code, _, err = run("damage", "-", "-o", "-")
        sent = Image.open(sys.stdout.buffer)
        assert sent.format == "PNG" and np.array_equal(np.asarray(sent), found)
    assert code == 0 and err == "-: 1.2% marked as damage, in -; edit it where it is wrong.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["old.jpg"]
    code, _, err = run("damage", photo, "-o", "-", "--json")
    assert code == 2 and "can't hold both a mask and --json" in err


def test_how_much_is_marked_is_told_however_little(run, photo, tmp_path, found):
    mask = tmp_path / "mask.png"
    assert run("damage", photo, "-o", mask)[2].startswith(f"{photo}: no damage found, so {mask} is all black; --s")
    found[5, 5:8] = 255
    assert "0.0094% marked" in run("damage", photo, "-o", mask, "--overwrite")[2]
    assert [percent(share) for share in (4.2e-8, 0.034, 0.999)] == ["0.0000042", "3.4", "100"]


def test_restore_takes_a_mask_or_finds_damage(run, photo, tmp_path):
    words = ("restore", photo, "-o", tmp_path / "out.jpg", "--find-damage")
    for more, told in ((("--mask", "auto-black"), "either those of --mask"), (("--sensitivity", "3"), "below 1")):
        code, _, err = run(*words, *more)
        assert code == 2 and told in err and err.count("\n") == 1


def test_a_sensitivity_wants_something_to_find(run, photo, tmp_path):
    code, _, err = run("restore", photo, "-o", tmp_path / "out.jpg", "--sensitivity", "0.6")
    assert code == 2 and "give --find-damage, too" in err and err.count("\n") == 1


def test_restore_fills_what_it_finds(run, photo, tmp_path, monkeypatch):
    asked = []

    def restored(restorer, photo, progress=None, mask=None):
        asked.append(mask)
        raise LimnerError("that will do.")

    monkeypatch.setattr("limner.restorer.Restorer.restore", restored)
    for words in (("--find-damage",), ("--find-damage", "--sensitivity", "0.3"), ()):
        assert run("restore", photo, "-o", tmp_path / "out.jpg", *words)[2].endswith("that will do.\n")
    assert asked == [OwnDamage(), OwnDamage(0.3), None]
