"""`limner restore` over albums: what is redone, refused, told."""

import json
import os
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage.data import astronaut

from limner.restorer import Restorer

FAST = ["--steps", "1", "--threads", "1"]


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for name, value in {"a.png": 10, "b.png": 20, "c.png": 30}.items():
        Image.fromarray(np.full((40, 40, 3), value, np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def portrait(tmp_path):
    path = tmp_path / "portrait.png"
    Image.fromarray(astronaut()[:300, 80:380]).save(path)
    return path


@pytest.mark.slow
def test_an_unexpected_failure_is_that_photos(run, album, tmp_path, monkeypatch):
    restore = Restorer.restore

    def failing(self, photo, progress=None, mask=None):
        if photo.path.name == "b.png":
            raise MemoryError("16 GB")
        return restore(self, photo, progress, mask)

    monkeypatch.setattr(Restorer, "restore", failing)
    code, _, err = run("restore", album, "-o", tmp_path / "out", *FAST)
    assert code == 1 and "1 of 3 photos failed:" in err
    assert f"{album / 'b.png'} can't be restored: unexpected MemoryError: 16 GB" in err
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "c.png"]
    code, out, _ = run("restore", album / "b.png", "-o", tmp_path / "out", "--json", *FAST)
    assert code == 1 and "MemoryError" in json.loads(out)["error"]


def test_the_album_itself_is_refused_at_once(run, album, monkeypatch):
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
    for words in (["-o", album], ["-o", album, "--overwrite"], ["-o", album / "a.png"]):
        source = album / "a.png" if words[1] != album else album
        code, out, err = run("restore", source, *words, "--json")
        assert code == 2 and "would replace the photo itself" in err and "--suffix _restored" in err
        assert json.loads(out)["error"] in err


@pytest.mark.parametrize(
    "words", [["-o", "result.psd"], ["-o", "x.gif"], ["-o", "a.jpg", "--quality", "0"]], ids=lambda words: words[-1]
)
def test_what_cannot_be_written_is_told_before_the_nets(run, album, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
    code, _, err = run("restore", album / "a.png", *words)
    assert code == 2 and err.count("\n") == 1 and sorted(os.listdir(tmp_path)) == ["album"]


@pytest.mark.slow
def test_results_may_lie_above_and_beside(run, album, tmp_path):
    assert run("restore", album, "-o", tmp_path, *FAST)[0] == 0
    assert (tmp_path / "a.png").is_file()
    for _ in range(2):
        assert run("restore", album, "-o", album, "--suffix", "_restored", *FAST)[0] == 0
    assert len(list(album.glob("*.png"))) == 6


@pytest.mark.slow
def test_other_settings_make_a_result_anew(run, portrait, tmp_path):
    words = ("restore", portrait, "-o", tmp_path / "out", "--json", *FAST)
    assert not json.loads(run(*words)[1])["skipped"]
    again = json.loads(run(*words)[1])
    assert again["skipped"] and (again["method"], again["seed"]) == ("difface", 0)
    other = json.loads(run(*words, "--seed", "5")[1])
    assert not other["skipped"] and other["seed"] == 5
    compared = run(*words, "--seed", "5", "--compare", tmp_path / "compared")
    assert compared[0] == 0 and Image.open(tmp_path / "compared/portrait.png_compared.png").size == (608, 300)


@pytest.mark.slow
def test_json_with_a_name_that_is_no_text(run, album, tmp_path):
    name = os.fsdecode(b"caf\xe9\x1b[31m.png")
    (album / "a.png").rename(album / name)
    code, out, _ = run("restore", album, "-o", tmp_path / "out", "--json", *FAST)
    assert code == 0 and out.isascii() and str(album / name) in [one["photo"] for one in json.loads(out)]
    assert (tmp_path / "out" / name).is_file()
    _, _, err = run("restore", album, "-o", tmp_path / "out", "--overwrite", *FAST)
    assert "\x1b" not in err and "caf\\udce9\\x1b[31m.png" in err


def test_results_may_bear_the_times_of_their_photos(run, album, portrait, tmp_path):
    (album / "d.png").write_bytes(portrait.read_bytes())
    os.utime(album / "d.png", ns=(5 * 10**17, 4 * 10**17))
    for words, kept in (([], False), (["--keep-time", "--overwrite"], True)):
        assert run("restore", album / "d.png", "-o", tmp_path / "out", *words, *FAST)[0] == 0
        assert ((tmp_path / "out" / "d.png").stat().st_mtime_ns == 4 * 10**17) == kept


def test_what_is_waited_for_is_told_from_the_start(run, album, tmp_path, monkeypatch):
    told = []

    @contextmanager
    def progress(what, show=True):
        told.append(what)
        yield lambda text, done, total: told.append(text)

    monkeypatch.setattr("limner.cli.output.progress", progress)
    assert run("restore", album / "a.png", "-o", tmp_path / "out", *FAST)[0] == 0
    assert told[:3] == ["loading PyTorch", "loading the weights mini of difface", "restoring"]
    told.clear()
    assert run("restore", album, "-o", tmp_path / "out", *FAST)[0] == 0
    paces = [re.fullmatch(r"(\d) of 3 photos, (\d+) a minute", text) for text in told[3:]]
    assert [pace and pace[1] for pace in paces] == ["1", "2", "3"]
    assert paces[0] and paces[2] and paces[0][2] == "0" and int(paces[2][2]) > 0, "what is there already isn't counted"


@pytest.mark.slow
def test_samples_that_hardly_differ_are_told(run, portrait, tmp_path):
    soft = tmp_path / "soft.png"
    Image.open(portrait).filter(ImageFilter.GaussianBlur(2)).save(soft)
    code, out, _ = run("restore", soft, "-o", tmp_path / "out", "--samples", "2", "--json", *FAST)
    assert code == 0 and any("hardly to be seen: --start 200 --steps 10" in note for note in json.loads(out)["notes"])


def test_an_interruption_tells_what_was_done(run, album, tmp_path, monkeypatch):
    restore = Restorer.restore

    def interrupted(self, photo, progress=None, mask=None):
        if photo.path.name == "b.png":
            raise KeyboardInterrupt
        return restore(self, photo, progress, mask)

    monkeypatch.setattr(Restorer, "restore", interrupted)
    code, out, err = run("restore", album, "-o", tmp_path / "out", "--json", *FAST)
    assert code == 130 and "interrupted" in err
    done, other = json.loads(out)
    assert done["photo"] == str(album / "a.png") and other == {"photo": str(album / "b.png"), "error": "Interrupted."}


def test_a_coffee_cup_is_no_aligned_crop(run, tmp_path):
    Image.fromarray(np.zeros((400, 600, 3), np.uint8)).save(tmp_path / "cup.png")
    code, _, err = run("restore", tmp_path / "cup.png", "-o", tmp_path / "o.png", "--aligned", *FAST)
    assert code == 2 and "600 x 400 pixels, so it is no aligned crop" in err and not (tmp_path / "o.png").exists()


def test_holes_of_an_album(run, album, tmp_path):
    """Each photo's mask has its name; a photo without one is restored as ever."""
    masks = album / "masks"  # a folder among the photos, which isn't taken for some
    masks.mkdir()
    drawn = np.zeros((40, 40), np.uint8)
    drawn[10:20, 10:30] = 255
    Image.fromarray(drawn).save(masks / "b.png")
    torn = np.full((40, 40, 3), 20, np.uint8)
    torn[drawn > 0] = 0
    Image.fromarray(torn).save(album / "b.png")
    code, out, _ = run("restore", album, "-o", tmp_path / "out", "--mask", masks, "--json", *FAST)
    assert code == 0
    told = {Path(one["photo"]).name: one["notes"] for one in json.loads(out)}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png", "c.png"]
    assert np.abs(np.asarray(Image.open(tmp_path / "out/b.png")).astype(int) - 20).max() <= 1
    assert (tmp_path / "out/a.png").read_bytes() == (album / "a.png").read_bytes()
    assert any("were filled" in note for note in told["b.png"]) and not any("filled" in note for note in told["a.png"])
    code, _, err = run("restore", album / "b.png", "-o", tmp_path / "auto.png", "--mask", "auto-black", *FAST)
    assert code == 0 and "were filled" in " ".join(err.split())
    assert np.abs(np.asarray(Image.open(tmp_path / "auto.png")).astype(int) - 20).max() <= 1


def test_a_black_pixel_is_never_silently_a_hole(run, tmp_path):
    dark = np.full((40, 40, 3), 20, np.uint8)
    dark[10:20, 10:30] = 0
    Image.fromarray(dark).save(tmp_path / "dark.png")
    assert run("restore", tmp_path / "dark.png", "-o", tmp_path / "out.png", *FAST)[0] == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), dark)


def test_masks_that_cannot_be_are_told_before_the_nets(run, album, tmp_path, monkeypatch):
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
    for source, mask, sentence in (
        (album, album / "a.png", "can't be of several photos: give a folder"),
        (
            album / "a.png",
            "gone.png",
            "There is no mask gone.png: give a picture, a folder of pictures, or auto",
        ),
        (album / "a.png", "", "The mask has no name: give a picture"),
        (album / "a.png", tmp_path, "No picture in the folder"),
    ):
        code, _, err = run("restore", source, "-o", tmp_path / "out", "--mask", mask)
        assert code == 2 and sentence in " ".join(err.split())


def test_a_mask_is_never_written_over(run, album, tmp_path, monkeypatch):
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(masks / "b.png")
    before = (masks / "b.png").read_bytes()
    for source, output, mask in ((album / "b.png", masks / "b.png", masks / "b.png"), (album, masks, masks)):
        code, _, err = run("restore", source, "-o", output, "--mask", mask, "--overwrite")
        assert code == 2 and f"would replace the mask {masks / 'b.png'}" in err and err.count("\n") == 1
    assert (masks / "b.png").read_bytes() == before


def test_what_is_wrong_with_each_mask_is_told(run, album, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in "abx":
        Image.fromarray(np.zeros((40, 40), np.uint8)).save(masks / f"{name}.png")
    code, _, err = run("restore", album, "-o", tmp_path / "out", "--mask", masks, *FAST)
    assert code == 0 and f"Note: {masks / 'x.png'}: of no photo of this run" in err
    assert all(f"  Note: The mask {masks / name} has no hole" in err for name in ("a.png", "b.png"))
    code, _, err = run("restore", album / "a.png", "-o", tmp_path / "one", "--mask", masks, *FAST)
    assert code == 0 and "of no photo of this run" not in err, "the others' masks are no concern of one photo"
    code, _, err = run("restore", album, "-o", tmp_path / "black", "--mask", "auto-black", *FAST)
    assert code == 0 and err.count("No pixel of the photo is exactly black") == 3


def test_what_is_no_photo_is_told_as_such(run, tmp_path):
    (tmp_path / "mk.py").write_text("print()")
    code, _, err = run("restore", tmp_path / "mk.py", "-o", tmp_path / "e", "--find-damage")
    assert (
        code == 2 and err == f"limner: {tmp_path / 'mk.py'} is not a picture, whatever its name says: choose a photo.\n"
    )
    Image.new("RGB", (9, 9)).save(tmp_path / "mk.py", "PNG")
    assert "mk.py can't be written: limner writes .jpg" in run("restore", tmp_path / "mk.py", "-o", tmp_path / "e")[2]
