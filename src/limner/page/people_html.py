"""The people of the album as plain HTML: for each a form with their faces, a name, and what else can be done. What is
done with it in the browser is in `people.js`."""

from __future__ import annotations

from html import escape

from limner.page.album import Gathering, ShownPerson

SURE = "Forget {}? Name and faces are taken out of the album; the photos stay where they are."


def gathering(all_of_them: Gathering, pictures: str) -> str:
    """A grid of faces, person by person.

    Args:
        all_of_them: who is shown.
        pictures: where the faces' pictures are, without the number, relative to the page.
    """
    if not all_of_them.people:
        return "<p>The album knows nobody yet who is on two photos.</p>"
    known = "".join(f'<option value="{escape(one)}"></option>' for one in all_of_them.known)
    forms = "".join(_person(one, pictures) for one in all_of_them.people)
    return f'<datalist id="known-people">{known}</datalist>{forms}'


def _person(shown: ShownPerson, pictures: str) -> str:
    """The form of one person."""
    one = shown.person
    called = escape(one.name or f"Person {one.id}")
    faces = "".join(_face(face.id, place, pictures) for place, face in enumerate(shown.faces, 1))
    rest = f'<button value="unfold">Show all {one.faces} faces</button>' if one.faces > len(shown.faces) else ""
    name = escape(one.name or "")
    return (
        f'<form class="person" data-person="{one.id}" aria-label="{called}">'
        f"<h3>{called} <small>{one.seen}</small></h3>"
        f'<div class="faces">{faces}</div>'
        '<div class="asked"><label>Name <input name="name" list="known-people" autocomplete="off" maxlength="100" '
        f'value="{name}"></label><button value="name">Save</button>{rest}</div>'
        f"<details><summary>Change {called}</summary>"
        '<div class="asked"><label>The same person as '
        '<input name="other" list="known-people" autocomplete="off"></label><button value="merge">Merge</button></div>'
        '<div class="asked"><button value="split">Split off the chosen faces</button>'
        f'<button value="forget" data-sure="{escape(SURE.format(one))}">Forget {called}</button></div>'
        "</details></form>"
    )


def _face(number: int, place: int, pictures: str) -> str:
    """One face, which can be chosen."""
    return (
        f'<label><input type="checkbox" name="faces" value="{number}" aria-label="Face {place}">'
        f'<img src="{pictures}/{number}" alt="" width="80" height="80" loading="lazy"></label>'
    )
