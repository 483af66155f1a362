"""Folders are taken into the album and grouped, also as far as they came when nobody wants it any longer."""

import pytest

import limner.folder.index as index
from limner.album.people import people
from limner.album.store import Album
from limner.errors import Cancelled, LimnerError
from limner.settings import Settings

from ..album.conftest import Patterns, save

SETTINGS = Settings(aligned=True, threads=1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "own" / "album.sqlite"))
    monkeypatch.setattr(index, "Recogniser", Patterns)
    place = tmp_path / "photos"
    place.mkdir()
    for person in range(2):
        for number in range(2):
            save(place, person, number)
    return place


def test_a_folder_is_taken_in_and_grouped(folder):
    told = []
    indexed = index.index_folders([folder], SETTINGS, progress=lambda *what: told.append(what))
    assert (indexed.done.added, indexed.done.faces, indexed.passed_over) == (4, 4, [])
    assert told[0] == ("p0_0.jpg", 0, 4) and told[-1] == ("grouping by person", 0, None)
    assert str(indexed.done) == "Photographs: 4 new. 4 faces were found in those that were looked at."
    with Album(indexed.album) as album:
        assert [one.photos for one in people(album)] == [2, 2]
    assert str(index.index_folders([folder], SETTINGS).done).startswith("Photographs: 4 as before.")


def test_what_is_called_off_is_grouped_and_goes_on_later(folder):
    def enough(text, done, total):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        index.index_folders([folder], SETTINGS, progress=enough)
    with Album() as album:
        assert [one.photos for one in people(album)] == [2]
    assert index.index_folders([folder], SETTINGS).done.known == 2


def test_a_folder_that_isn_t_there_makes_no_album(folder, tmp_path):
    with pytest.raises(LimnerError, match="^There is no file or folder"):
        index.index_folders([tmp_path / "nowhere"], SETTINGS)
    assert not (tmp_path / "own").exists()
