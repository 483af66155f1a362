"""Names, and who is who by hand."""

import pytest

from limner.album.group import group
from limner.album.people import find_person, forget_person, merge_people, name_faces, name_person, people, split_person
from limner.errors import LimnerError

from .conftest import photos_in


@pytest.fixture
def grouped(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    group(album)
    return album


def test_a_person_is_called_by_number_then_by_name(grouped):
    number = people(grouped)[0].id
    assert str(find_person(grouped, number)) == f"person {number}"
    named = name_person(grouped, str(number), "  Anna ")
    assert (named.name, named.faces, named.photos, named.settled) == ("Anna", 2, 2, True)
    assert find_person(grouped, "Anna").id == number and people(grouped)[0] == named


def test_two_of_one_name_are_one(grouped):
    first, second, third = people(grouped)
    name_person(grouped, first.id, "Anna")
    assert name_person(grouped, second.id, "Anna").faces == 4
    assert {one.id for one in people(grouped)} == {first.id, third.id}


def test_a_number_is_never_given_twice(grouped):
    last = max(one.id for one in people(grouped))
    forget_person(grouped, last)
    assert name_faces(grouped, [grouped.faces()[0].id], "Somebody new").id > last


def test_merge_keeps_a_name_and_split_makes_a_new_person(grouped):
    first, second, _ = people(grouped)
    name_person(grouped, second.id, "Ben")
    merged = merge_people(grouped, first.id, ["Ben"])
    assert (merged.id, merged.name, merged.faces) == (first.id, "Ben", 4)
    faces = [face.id for face in grouped.faces("person = ?", merged.id)]
    apart = split_person(grouped, "Ben", faces[:1])
    assert (apart.faces, apart.name, find_person(grouped, "Ben").faces) == (1, None, 3)


def test_faces_are_named_one_by_one(grouped):
    face, other = grouped.faces()[:2]
    assert name_faces(grouped, [face.id], "Zoe").faces == 1
    assert name_faces(grouped, [other.id], "Zoe").faces == 2 and len(people(grouped)) == 3


def test_whoever_is_forgotten_is_gone_with_all_faces_and_stays_so(grouped, indexer, folder):
    person = name_person(grouped, people(grouped)[0].id, "Anna")
    forget_person(grouped, "Anna")
    indexer.run(photos_in(folder), [folder])
    group(grouped)
    assert len(grouped.faces()) == 4 and person.id not in {one.id for one in people(grouped)}


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda album: find_person(album, "Bob"), "nobody called 'Bob' .nobody has a name yet.: `limner album people`"),
        (lambda album: name_person(album, people(album)[0].id, " "), "'' is no name for a person"),
        (lambda album: name_person(album, people(album)[0].id, "12"), "'12' is no name for a person"),
        (lambda album: split_person(album, people(album)[0].id, [999]), r"has no face 999: `limner album people \d+`"),
        (lambda album: split_person(album, people(album)[0].id, []), "No face was named"),
        (lambda album: forget_person(album, 77), "The album has nobody called '77'"),
    ],
)
def test_messages(grouped, do, message):
    with pytest.raises(LimnerError, match=message):
        do(grouped)
