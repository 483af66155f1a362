"""Who may see the album, whom the page shows, and what is changed in it."""

import pytest

from limner.album.people import find_person, people
from limner.errors import LimnerError
from limner.page.album import Access, changed, gathered, known_names


@pytest.mark.parametrize(
    ("password", "anywhere", "access"),
    [
        (None, False, Access(shown=True, folders=True)),
        ("long enough", False, Access(shown=True, folders=True)),
        ("long enough", True, Access(shown=True, folders=False)),
        (None, True, Access(shown=False, folders=False)),
    ],
)
def test_others_see_it_with_a_password_alone_and_have_no_folder_read(password, anywhere, access):
    assert Access.of(password, anywhere) == access


def test_it_is_usable_where_there_is_one_and_it_may_be_seen(own_album):
    assert not Access().usable
    own_album.parent.mkdir()
    own_album.touch()
    assert Access().usable and not Access(shown=False).usable


def test_everybody_with_their_faces(known, monkeypatch):
    found = gathered(once=False, most=2)
    assert [len(one.faces) for one in found.people] == [2, 2] and found.more == 1 and len(found.known) == 3
    monkeypatch.setattr("limner.page.album.MANY_FACES", 1)
    first = found.people[0].person.id
    assert [len(one.faces) for one in gathered(False, 9, frozenset({first})).people] == [2, 1, 1]


def test_who_is_on_one_photo_only_is_shown_on_request(known):
    first = people(known)[0]
    changed({"what": "split", "person": str(first.id), "faces": [str(known.faces("person = ?", first.id)[0].id)]})
    assert len(gathered(once=True, most=9).people) == 4 and len(gathered(once=False, most=9).people) == 2


def test_named_merged_split_and_forgotten(known):
    one, two, three = (str(person.id) for person in people(known))
    assert known_names() == []
    assert changed({"what": "name", "person": one, "name": " Anna "}) == "Saved: Anna, 2 faces on 2 photos."
    assert known_names() == ["Anna"] == gathered(False, 9).known[:1]
    merged = changed({"what": "merge", "person": two, "other": "Anna"})
    assert merged == "One person now: Anna, 4 faces on 4 photos." and find_person(known, "Anna").id == int(two)
    face = str(known.faces("person = ?", int(two))[0].id)
    assert changed({"what": "split", "person": two, "faces": [face]}).endswith(", 1 face on 1 photo.")
    assert changed({"what": "forget", "person": three}) == f"person {three} is forgotten, with all faces."
    assert known.faces("person = ?", int(three)) == []


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"what": "name", "name": ""}, "'' is no name for a person"),
        ({"what": "name", "name": "12"}, "'12' is no name for a person"),
        ({"what": "merge", "other": " "}, "Say who is the same person: a name, or the number of one who has none."),
        ({"what": "merge", "other": "Zoe"}, "The album has nobody called 'Zoe'"),
        ({"what": "split", "faces": []}, "Tick the faces that show somebody else first."),
        ({"what": "split", "faces": "none"}, "Tick the faces that show somebody else first."),
        ({"what": "split", "faces": ["999"]}, "person 1 has no face 999"),
        ({"what": "marry"}, "People can be named, merged, split and forgotten, not 'marry'."),
        ({"what": "forget", "person": "99"}, "The album has nobody called '99'"),
    ],
)
def test_what_can_t_be_done_is_told_in_a_sentence(known, asked, sentence):
    with pytest.raises(LimnerError, match=f"^{sentence}"):
        changed({"person": "1", **asked})


def test_without_an_album_there_is_nobody():
    assert known_names() == []
    with pytest.raises(LimnerError, match="^There is no album at"):
        gathered(False, 9)
