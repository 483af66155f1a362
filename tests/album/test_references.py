"""References from the album: each face its own person's, never itself, and told why."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import limner.album.references as references
from limner.album.group import group
from limner.album.people import name_person, people
from limner.album.recognise import Looks, Recognised
from limner.album.references import AlbumReferences, _with_person, correlation
from limner.album.store import Vectors
from limner.errors import LimnerError
from limner.faces.placing import AlignedCrop
from limner.faces.seen import seen
from limner.photo.photo import Photo
from limner.settings import Settings

from .conftest import Patterns, photos_in, picture

SETTINGS = Settings(method="refldm", album=True, aligned=True)


@pytest.fixture
def known(indexer, folder, album, monkeypatch):
    """Anna, Ben and somebody, two photographs each."""
    monkeypatch.setattr(references, "Recogniser", Patterns)
    indexer.run(photos_in(folder), [folder])
    group(album)
    for name, person in zip(("Anna", "Ben"), people(album)[:2], strict=False):
        name_person(album, person.id, name)
    return album


def asked(photo: Photo, **others):
    """What a photo of one face gets."""
    placing = AlignedCrop()
    face = seen(photo.srgb(), placing.find(photo.srgb())[0], placing, 64)
    source = AlbumReferences(dataclasses.replace(SETTINGS, **others), 64, torch.device("cpu"))
    return source.of_faces(photo, [face], [photo.srgb()])


def test_a_face_gets_its_own_persons(known, folder):
    found = asked(Photo(picture(0, 5), "PNG"))
    assert [one.path.name for one in found.each[0].known] == ["p0_0.jpg", "p0_1.jpg"]
    (told,) = found.people
    assert (told.verdict, told.person, told.face) == ("known", "Anna", 0) and told.likeness > 0.9
    assert [path.rsplit("/")[-1] for path, _ in told.references] == ["p0_0.jpg", "p0_1.jpg"]
    assert found.notes[0].startswith("The face is Anna (0.9") and "; the references are p0_0.jpg (" in found.notes[0]
    assert found.owner is None


def test_as_many_as_are_asked_for(known):
    assert len(asked(Photo(picture(0, 5), "PNG"), references_per_face=1).each[0]) == 1


def test_a_stranger_gets_none_and_is_told(known):
    found = asked(Photo(picture(16), "PNG"))
    assert len(found.each[0]) == 0 and found.people[0].person is None
    assert "The face is nobody whom the album knows, so there are no references for it." in found.notes


def test_neither_the_photo_itself_nor_a_copy(known, folder, tmp_path):
    itself = asked(Photo.open(folder / "p0_0.jpg"))
    assert [one.path.name for one in itself.each[0].known] == ["p0_1.jpg"]
    assert itself.people[0].verdict == "said", "it is in the album, and its user named it"
    Image.open(folder / "p0_0.jpg").save(tmp_path / "anew.jpg", quality=60)
    copy = asked(Photo.open(tmp_path / "anew.jpg"))
    assert [one.path.name for one in copy.each[0].known] == ["p0_1.jpg"]


def test_a_deleted_photo_leaves_its_place_to_the_next(known, folder):
    (folder / "p0_0.jpg").unlink()
    assert [one.path.name for one in asked(Photo(picture(0, 5), "PNG")).each[0].known] == ["p0_1.jpg"]


def test_a_photo_that_has_changed_is_no_reference(known, folder):
    Image.fromarray(picture(4)).save(folder / "p0_0.jpg")
    assert [one.path.name for one in asked(Photo(picture(0, 5), "PNG")).each[0].known] == ["p0_1.jpg"]


def test_the_user_says_who_it_is(known):
    found = asked(Photo(picture(16), "PNG"), person="Ben")
    assert found.people[0].person == "Ben" and len(found.each[0]) == 2
    with pytest.raises(LimnerError, match="nobody called 'Zoe' .it knows Anna, Ben."):
        asked(Photo(picture(16), "PNG"), person="Zoe")


def test_who_may_be_somebody_is_told_and_gets_none(known, monkeypatch):
    monkeypatch.setattr("limner.album.recognise.KNOWN", 2.0)
    found = asked(Photo(picture(0, 5), "PNG"))
    assert found.people[0].verdict == "unsure" and len(found.each[0]) == 0
    assert "The face may be Anna (0.9" in found.notes[0] and "--person says who it is" in found.notes[0]


def test_a_result_tells_the_albums_state(known, folder):
    source = AlbumReferences(SETTINGS, 64, torch.device("cpu"))
    before = source.recorded(folder / "p0_0.jpg")
    assert before[0] is None and before == source.recorded(None)
    name_person(known, "Ben", "Benjamin")
    assert source.recorded(None) != before


def test_names_that_change_are_seen_by_an_open_source(known):
    source = AlbumReferences(SETTINGS, 64, torch.device("cpu"))
    photo, placing = Photo(picture(0, 5), "PNG"), AlignedCrop()
    face = seen(photo.srgb(), placing.find(photo.srgb())[0], placing, 64)
    assert source.of_faces(photo, [face], [photo.srgb()]).people[0].person == "Anna"
    name_person(known, "Anna", "Anne")
    assert source.of_faces(photo, [face], [photo.srgb()]).people[0].person == "Anne"


def test_another_recogniser_or_no_album(known, monkeypatch):
    monkeypatch.setattr(Patterns, "name", "later")
    with pytest.raises(LimnerError, match="was made with another recogniser: `limner album index` brings it up"):
        AlbumReferences(SETTINGS, 64, torch.device("cpu"))
    monkeypatch.setenv("LIMNER_ALBUM", "/nowhere/album.sqlite")
    with pytest.raises(LimnerError, match="There is no album at /nowhere/album.sqlite"):
        AlbumReferences(SETTINGS, 64, torch.device("cpu"))


def test_pixels_of_one_exposure_agree():
    one = picture(3)
    assert correlation(one, np.rint(one * 0.7 + 20).astype(np.uint8)) > 0.999 > 0.5 > correlation(one, picture(4))


def test_a_photo_without_a_face_asks_nothing(known):
    source = AlbumReferences(SETTINGS, 64, torch.device("cpu"))
    assert list(source.of_faces(Photo(picture(0), "PNG"), [], []).each) == []


def test_each_face_of_a_group_its_own(known, tmp_path):
    """Two faces of one photo, as crops."""
    placing = AlignedCrop()
    crops = [picture(0, 5), picture(1, 5)]
    faces = [
        dataclasses.replace(seen(one, placing.find(one)[0], placing, 64), number=number)
        for number, one in enumerate(crops)
    ]
    source = AlbumReferences(SETTINGS, 64, torch.device("cpu"))
    found = source.of_faces(Photo(crops[0], "PNG"), faces, crops)
    assert [one.person for one in found.people] == ["Anna", "Ben"]
    assert [{ref.path.name[:2] for ref in of.known} for of in found.each] == [{"p0"}, {"p1"}]
    for name, verdicts in (("Anna", ["said", "known"]), ("Ben", ["known", "said"])):
        said = AlbumReferences(dataclasses.replace(SETTINGS, person=name), 64, torch.device("cpu"))
        assert [one.verdict for one in said.of_faces(Photo(crops[1], "PNG"), faces, crops).people] == verdicts


def test_what_the_album_was_told_of_a_face_stands():
    """Somebody was named on this photograph: asking for the same person makes nobody else of another face."""
    found = [Recognised("nobody", None, 0.1), Recognised("said", 7, 1.0)]
    looks = Looks(Vectors(np.arange(2), np.arange(2), np.array([7, 8]), np.ones(2, bool), np.eye(2, dtype=np.float32)))
    assert _with_person(found, 7, looks, np.eye(2, dtype=np.float32), []) == found


def test_no_name_is_written_into_a_photo(known):
    told = {}
    for person in ("Anna", None):
        settings = dataclasses.replace(SETTINGS, person=person)
        told[person] = settings.recorded(), AlbumReferences(settings, 64, torch.device("cpu")).recorded(None)
    assert "Anna" not in str(told["Anna"]) and told["Anna"] != told[None]
