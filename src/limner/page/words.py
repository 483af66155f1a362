"""What the page says to people: of faces, of what is being done, of what became of their photographs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from limner.album.references import note_on
from limner.faces.chosen import CUT, DAMAGED, SMALL, notes_on
from limner.faces.references import FacePerson
from limner.faces.seen import HALF_PROFILE, SeenFace
from limner.page.controls import ADVANCED, label_of
from limner.page.fields import OPTIONS
from limner.page.session import OnePhoto
from limner.page.work import WAITING, Job
from limner.restoration import Restoration

LABELS = {name: label_of(name) for name in (*ADVANCED, *(name for known in OPTIONS.values() for name in known))} | {
    "reference": "Drop other photos of the person here"
}
"""What options of the command line are called on the page, where it has them."""


def of_face(face: SeenFace) -> str:
    """A face's number, from 1, and what makes it doubtful."""
    doubts = [
        (face.profile, "seen from the side: limner knows faces from the front, so look well at the result"),
        (not face.profile and (face.turned or 0) > HALF_PROFILE, "turned far to the side"),
        (face.outside >= CUT, "cut off by the edge"),
        (face.size < SMALL, "very small, so much of it will be guessed"),
        ((face.damage or 0) >= DAMAGED, "badly damaged, so much of it will be guessed"),
    ]
    told = "; ".join(words for true, words in doubts if true)
    return f"Face {face.number + 1}" + (f" ({told})" if told else "")


def of_person(one: FacePerson) -> str:
    """Who a face is, as the album says: how sure that is, which references it has and why. Faces count from 1."""
    if one.verdict == "unsure":
        return (
            f"Face {one.face + 1} may be {one.person} ({one.likeness:.2f} alike), which isn't sure enough for "
            "references: say who it is, if you know."
        )
    return note_on(replace(one, face=one.face + 1), several=True)


def notes_for_people(done: Restoration) -> list[str]:
    """A restoration's notes without those on single faces, which the page tells in its own words, and with its own
    words for options of the command line; a note on one that it hasn't got is left out."""
    several = len(done.faces) > 1
    told = [*notes_on(done.faces, done.left_alone), *(note_on(one, several) for one in done.people)]
    return [worded for note in done.notes if note not in told and (worded := in_words_of_the_page(note))]


def in_words_of_the_page(sentence: str) -> str | None:
    """A sentence with the page's labels in the place of options of the command line; None where it names one that the
    page hasn't got."""
    named = [name.replace("-", "_") for name in re.findall(r"--([a-z-]+)", sentence)]
    if not LABELS.keys() >= set(named):
        return None
    listed = re.sub(r"(?<=\d) --", ", --", sentence)
    return re.sub(r"--([a-z-]+)", lambda found: f"'{LABELS[found[1].replace('-', '_')]}'", listed)


def of_photo(one: OnePhoto, number: int) -> str:
    """A photograph in the list of them."""
    if one.result:
        return f"{number}. {one.path.name} (restored)"
    count = len(one.faces)
    return f"{number}. {one.path.name} ({'no face' if not count else '1 face' if count == 1 else f'{count} faces'})"


def of_job(job: Job, what: str) -> str:
    """How far a job is.

    Args:
        job: in the queue.
        what: it is, as long as it waits.
    """
    if job.text == WAITING or job.ahead:
        ahead = job.ahead
        if not ahead:
            return f"{what}: starting"
        return f"{what}: {ahead} {'photo is' if ahead == 1 else 'photos are'} before it"
    return job.text


def of_found(one: OnePhoto) -> str:
    """What was found in a photograph, and what to do."""
    if not one.faces:
        return "No face was found in this photo, so there is none to restore; damage in it can be filled all the same."
    if len(one.faces) == 1:
        return "One face was found. Press Restore."
    return f"{len(one.faces)} faces were found. Click on those that shall stay as they are, then press Restore."


def of_share(share: float) -> str:
    """A part of a photograph, 0 to 1, in percent."""
    return "less than 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.{2 if share < 0.1 else 0}f} %"


def of_marks(one: OnePhoto) -> str:
    """How much is marked in a photograph, and what becomes of it."""
    if not one.marks.share:
        return f"Nothing is marked in {one.path.name}."
    return f"Of {one.path.name} {of_share(one.marks.share)} is marked, and will be filled when you press Restore."


def of_damage(photos: Sequence[OnePhoto]) -> str:
    """What became of a look for damage."""
    found = [f"{one.path.name} ({of_share(one.marks.share)})" for one in photos if one.marks.share]
    without = [one.path.name for one in photos if not one.marks.share]
    told = [f"Marked as damaged: {', '.join(found)}."] if found else []
    none = f"No damage was found in {', '.join(without)}: raise the sensitivity, or paint it in."
    return " ".join([*told, *([none] if without else [])])
