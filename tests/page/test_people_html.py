"""The people as HTML: names can't be more than names, every control has one, and many faces wait."""

from limner.album.people import Person, name_person, people
from limner.page.album import Gathering, ShownPerson, gathered
from limner.page.people_html import gathering

EVIL = '"><img src=x onerror=alert(1)>'


def test_each_person_has_faces_a_name_and_all_that_can_be_done(known):
    name_person(known, people(known)[0].id, "Anna")
    drawn = gathering(gathered(False, 9), "people/token")
    assert drawn.count("<form ") == 3 and drawn.count('src="people/token/') == 6
    assert 'value="Anna"' in drawn and "<small>2 faces on 2 photos</small>" in drawn
    for what in ("name", "merge", "split", "forget"):
        assert drawn.count(f'<button value="{what}"') == 3
    assert '<option value="Anna"></option>' in drawn and "unfold" not in drawn


def test_names_are_no_html():
    person = Person(1, EVIL, 30, 30, True)
    drawn = gathering(Gathering([ShownPerson(person, [])], [EVIL], 0), "people/token")
    assert "<img src=x" not in drawn and "&lt;img src=x" in drawn
    assert "Show all 30 faces" in drawn


def test_nobody_is_told():
    assert "nobody yet" in gathering(Gathering([], [], 0), "people/token")
