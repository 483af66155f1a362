"""Faces that look alike become people, and what the user said stands."""

import numpy as np

from limner.album.group import group
from limner.album.people import find_person, merge_people, name_person, people, split_person
from limner.album.store import AlbumFace, AlbumPhoto

from .conftest import photos_in, save


def by_photo(album) -> dict[str, int]:
    """Person by photograph."""
    return {album.photo(face.photo).path.name: face.person for face in album.faces()}


def test_photographs_of_one_person_come_together(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    group(album)
    who = by_photo(album)
    assert all(who[f"p{person}_0.jpg"] == who[f"p{person}_1.jpg"] for person in range(3))
    assert len(people(album)) == len(set(who.values())) == 3


def test_nothing_new_changes_nothing(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    group(album)
    before = album.revision
    indexer.run(photos_in(folder), [folder])
    group(album)
    assert album.revision == before, "or results with the album's references would be made anew"


def test_new_photographs_come_to_whom_they_show_and_names_stay(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    group(album)
    name_person(album, by_photo(album)["p1_0.jpg"], "Anna")
    save(folder, 1, 2)
    save(folder, 4, 0)
    indexer.run(photos_in(folder), [folder])
    group(album)
    assert find_person(album, "Anna").faces == 3 and len(people(album)) == 4


def test_what_the_user_split_or_left_apart_is_never_joined(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    group(album)
    person = by_photo(album)["p0_0.jpg"]
    face = album.faces("person = ?", person)[0]
    other = split_person(album, person, [face.id])
    group(album)
    assert find_person(album, other.id).faces == 1 and find_person(album, person).faces == 1
    merge_people(album, person, [other.id])
    group(album)
    assert find_person(album, person).faces == 2


def test_two_faces_of_one_photograph_are_two_people(album):
    twins = np.tile(np.eye(1, 16, dtype=np.float32), (2, 1))
    faces = [AlbumFace((0, 0, 9, 9), np.zeros((5, 2)), 0.9, damage=0.0, side=90.0) for _ in range(2)]
    album.put(AlbumPhoto(album.path.parent / "group.jpg", 1, 1, "a"), faces, twins)
    group(album)
    assert len(people(album)) == 2


def test_a_damaged_face_founds_no_person(album):
    face = AlbumFace((0, 0, 9, 9), np.zeros((5, 2)), 0.9, damage=0.9, side=90.0)
    album.put(AlbumPhoto(album.path.parent / "old.jpg", 1, 1, "a"), [face], np.eye(1, 16))
    group(album)
    assert people(album) == []


def test_groups_that_grow_alike_are_joined(album):
    """Ends of a row of faces that lie too far apart for each other, but not for the middle."""
    angles = np.radians([0, 50, 25, 24, 26])
    for number, angle in enumerate(angles):
        vector = np.zeros((1, 16), np.float32)
        vector[0, :2] = np.cos(angle), np.sin(angle)
        face = AlbumFace((0, 0, 9, 9), np.zeros((5, 2)), 0.9, damage=0.0, side=90.0)
        album.put(AlbumPhoto(album.path.parent / f"{number}.jpg", 1, 1, str(number)), [face], vector)
    group(album)
    assert len(people(album)) == 1


def test_an_empty_album_has_nobody(album):
    group(album)
    assert people(album) == []
