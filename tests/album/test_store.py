"""The album's file: nobody else's, whole after every change, and one sentence where it can't be used."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from limner.album.store import Album, AlbumFace, AlbumPhoto, album_file
from limner.errors import LimnerError


def face(**others) -> AlbumFace:
    return AlbumFace((1.0, 2.0, 9.0, 10.0), np.arange(10, dtype=np.float32).reshape(5, 2), 0.9, side=90.0, **others)


def test_it_lies_in_the_cache_or_where_one_says(monkeypatch):
    monkeypatch.delenv("LIMNER_ALBUM", raising=False)
    monkeypatch.setenv("LIMNER_MODELS", "/somewhere/shared")
    assert album_file().name == "album.sqlite" and album_file().parent.name == "limner"
    monkeypatch.setenv("LIMNER_ALBUM", "~/who.sqlite")
    assert album_file() == Path.home() / "who.sqlite"


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_its_user_alone_may_read_it(album):
    assert stat.S_IMODE(album.path.stat().st_mode) == 0o600


def test_photo_and_faces_come_back(album):
    photo = AlbumPhoto(Path("/a/f\udcfcr.jpg"), 5, 6, "ab", "1960-05-01", 40, 30)
    vectors = np.eye(2, 8, dtype=np.float32)
    album.put(photo, [face(yaw=3.0, damage=0.2), face(damage=0.9)], vectors)
    (stored,) = album.photos()
    assert (stored.path, stored.taken, stored.width) == (photo.path, "1960-05-01", 40)
    first, second = album.faces()
    assert (first.yaw, first.pitch, second.damage, first.photo) == (3.0, None, 0.9, stored.id)
    np.testing.assert_array_equal(first.landmarks, face().landmarks)
    known = album.vectors()
    np.testing.assert_array_equal(known.vectors, vectors)
    assert known.clear.tolist() == [True, False] and known.people.tolist() == [-1, -1]


def test_a_change_that_fails_changes_nothing(album):
    album.put(AlbumPhoto(Path("/a.jpg"), 1, 1, "a"), [face()], np.eye(1, 8))
    before = album.revision
    with pytest.raises(ValueError), album.change() as rows:
        rows.execute("DELETE FROM photos")
        raise ValueError("stopped")
    assert len(album.photos()) == len(album.faces()) == 1 and album.revision == before


def test_with_a_photo_go_its_faces(album):
    album.put(AlbumPhoto(Path("/a.jpg"), 1, 1, "a"), [face()], np.eye(1, 8))
    album.remove([album.photos()[0].id])
    assert album.photos() == [] and album.faces() == [] and album.vectors().vectors.shape[0] == 0


def test_what_is_forgotten_is_not_left_in_the_file(album):
    secret = np.full((1, 256), 0.0625, np.float16)
    album.put(AlbumPhoto(Path("/a/very_secret_name.jpg"), 1, 1, "a"), [face()], secret)
    assert b"very_secret_name" in album.path.read_bytes()
    album.remove([album.photos()[0].id])
    left = album.path.read_bytes()
    assert b"very_secret_name" not in left and secret.tobytes() not in left


def test_none_damaged_or_of_another_version(tmp_path):
    with pytest.raises(LimnerError, match=r"There is no album at .*none\.sqlite: make one with `limner album index"):
        Album(tmp_path / "none.sqlite")
    (tmp_path / "torn.sqlite").write_bytes(b"no database at all, whatever its name says" * 50)
    with pytest.raises(LimnerError, match=r"The album .*torn\.sqlite is damaged .*: delete it and index anew"):
        Album(tmp_path / "torn.sqlite")
    with Album(tmp_path / "later.sqlite", create=True) as album:
        album._rows.execute("PRAGMA user_version = 99")
    with pytest.raises(LimnerError, match="is of another version of limner"):
        Album(tmp_path / "later.sqlite")
