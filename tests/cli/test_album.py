"""`limner album`: its commands from end to end, with the real recogniser on a few faces."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "album.sqlite"))
    return tmp_path


@pytest.fixture
def photos(here, shared) -> Path:
    """One photograph each of three people."""
    folder = here / "photos"
    folder.mkdir()
    for file in sorted((shared / "faces").glob("*_1.jpg"))[:3]:
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.slow
def test_index_name_merge_split_forget(run, photos, here):
    index = ["album", "index", photos, "--aligned", "--threads", 1]
    code, out, err = run(*index)
    assert code == 0, err
    assert out == "Photographs: 3 new. 3 faces were found in those that were looked at.\n"
    assert "3 as before. 0 faces" in run(*index)[1]
    told = json.loads(run(*index, "--json")[1])
    assert (told["known"], told["added"], told["album"]) == (3, 0, str(here / "album.sqlite"))
    listed = json.loads(run("album", "people", "--all", "--json")[1])["people"]
    numbers = [one["id"] for one in listed]
    assert len(run("album", "people")[1].splitlines()) == 1, "nobody has a name, or is on two photos"
    assert run("album", "name", numbers[0], "Anna")[1] == f"Anna (number {numbers[0]}): 1 face on 1 photo.\n"
    assert "2 faces on 2 photos" in run("album", "merge", "Anna", numbers[1])[1]
    faces = json.loads(run("album", "people", "Anna", "--json", "--save", here / "anna.png")[1])["faces"]
    assert len(faces) == 2 and Image.open(here / "anna.png").width == 256
    assert "person" in run("album", "split", "Anna", faces[1]["face"])[1]
    assert "Anna" in run("album", "people")[1]
    assert run("album", "where")[1].strip() == str(here / "album.sqlite")
    assert run("album", "forget", "Anna")[1] == "Anna is forgotten, with all faces.\n"
    assert run("album", "forget", "--all")[0] == 0 and not (here / "album.sqlite").exists()


@pytest.mark.slow
def test_who_is_in_a_photo(run, photos, here, collection):
    run("album", "index", photos, "--aligned", "--threads", 1)
    photo = here / "other.png"
    Image.open(collection / "faces" / "london_001_2.jpg").resize((256, 256)).save(photo)
    (photos / "anna.jpg").write_bytes((collection / "faces" / "london_001_1.jpg").read_bytes())
    run("album", "index", photos, "--aligned", "--threads", 1)
    listed = json.loads(run("album", "people", "--all", "--json")[1])["people"]
    for one in listed:
        faces = json.loads(run("album", "people", one["id"], "--json")[1])["faces"]
        if faces[0]["photo"].endswith("anna.jpg"):
            run("album", "name", one["id"], "Anna")
    code, out, err = run("album", "who", photo, "--aligned", "--threads", 1, "--json")
    (told,) = json.loads(out)["people"]
    assert code == 0 and (told["person"], told["verdict"]) == ("Anna", "known"), err
    assert told["references"][0]["photo"].endswith("anna.jpg") and "px" in told["references"][0]["why"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["album", "people"], "There is no album at"),
        (["album", "index", "nowhere"], "There is no file or folder nowhere"),
        (["album", "forget"], "Name one person to forget, or give --all"),
        (["album", "forget", "Anna", "--all"], "Name one person to forget, or give --all"),
        (["restore", "a.png", "-o", "b.png", "--album"], "The method 'difface' can't use references: choose refldm"),
        (["restore", "a.png", "-o", "b.png", "--person", "Anna"], "Only the album knows who 'Anna' is: add --album."),
        (["restore", "a.png", "-o", "b.png", "--samples", "3", "--keep", "2"], "--keep takes the samples most like"),
        (
            ["restore", "{photo}", "-o", "b.png", "--method", "refldm", "--album", "--aligned"],
            "There is no album at .*: make one with `limner album index FOLDER`",
        ),
    ],
)
def test_messages(run, here, words, message):
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(here / "photo.png")
    code, out, err = run(*(word.format(photo=here / "photo.png") for word in words))
    assert code == 2 and out == "" and err.count("\n") == 1
    assert re.search(message, err), err
