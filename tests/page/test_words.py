"""What the page says of faces and jobs."""

from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.components.base import FormComponent

from limner.album.references import note_on
from limner.faces.pose import Pose
from limner.faces.references import FacePerson
from limner.faces.seen import SeenFace
from limner.page import words
from limner.page.blocks import laid_out
from limner.page.restoring import Limits
from limner.page.session import OnePhoto
from limner.page.work import Work
from limner.restoration import Restoration

FACE = SeenFace((0, 0, 99, 99), np.zeros((5, 2), np.float32), 1.0, 2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Face 3"),
        ({"pose": Pose(70, 0, 0, 0.05)}, "Face 3 (seen from the side: limner knows faces from the front, so look well"),
        ({"pose": Pose(50, 0, 0, 0.05)}, "Face 3 (turned far to the side)"),
        ({"outside": 0.3}, "Face 3 (cut off by the edge)"),
        (
            {"box": (0, 0, 20, 20), "damage": 0.9},
            "Face 3 (very small, so much of it will be guessed; badly damaged",
        ),
    ],
)
def test_a_face_is_numbered_from_one_and_its_doubts_are_told(changes, said):
    assert words.of_face(replace(FACE, **changes)).startswith(said)


def test_photos_are_numbered_with_their_faces():
    one = OnePhoto(Path("a.jpg"), Path())
    assert words.of_photo(one, 2) == "2. a.jpg (no face)" and words.of_found(one).startswith("No face was found")
    one.faces = [FACE, FACE]
    assert words.of_photo(one, 1) == "1. a.jpg (2 faces)" and words.of_found(one).startswith("2 faces were found.")


def test_who_waits_is_told_for_how_many():
    work = Work()
    first, second, third = (work.place() for _ in range(3))
    assert words.of_job(first, "a.jpg") == "a.jpg: starting"
    assert words.of_job(second, "a.jpg") == "a.jpg: 1 photo is before it"
    assert words.of_job(third, "a.jpg") == "a.jpg: 2 photos are before it"
    first.tell("a.jpg: face 1 of 2")
    assert words.of_job(first, "a.jpg") == "a.jpg: face 1 of 2"
    work.close()


def test_notes_name_the_pages_own_controls_and_no_option_of_the_command_line():
    kept = "The EXIF is damaged and was left out."
    notes = [
        kept,
        "Leave --strength at auto.",
        "Others (--reference) would help.",
        "They differ by 1.2 of 255: --start 200 --steps 10 makes them freer.",
        "The references went to face 0 (0 is the largest): --faces chooses.",
    ]
    done = Restoration([], [], None, 1, np.zeros((1, 1), np.uint8), notes=notes)
    assert words.notes_for_people(done) == [
        kept,
        "Leave 'Strength' at auto.",
        "Others ('Drop other photos of the person here') would help.",
        "They differ by 1.2 of 255: 'Start' 200, 'Steps' 10 makes them freer.",
    ]


def test_labels_are_those_of_the_controls():
    with gr.Blocks() as blocks:
        page = laid_out(Limits())
    there = {one.label for one in blocks.blocks.values() if isinstance(one, FormComponent | gr.File)}
    assert page.reference_drop.label in there and set(words.LABELS.values()) <= there


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            FacePerson(0, "nobody", None, 0.1),
            "Face 1 is nobody whom the album knows, so there are no references for it.",
        ),
        (FacePerson(1, "unsure", "Anna", 0.31), "Face 2 may be Anna (0.31 alike), which isn't sure enough for"),
        (FacePerson(0, "said", "Anna", 1.0), "Face 1 is Anna (as you said), of whom the album has no other photograph"),
        (
            FacePerson(0, "known", "Anna", 0.8, (("/photos/a.jpg", "damage 0.01, 173 px"),)),
            "Face 1 is Anna (0.80 alike); the references are a.jpg (damage 0.01, 173 px).",
        ),
    ],
)
def test_who_a_face_is_and_why_it_has_its_references(told, said):
    assert words.of_person(told).startswith(said) and "--" not in words.of_person(told)


def test_who_is_who_is_told_once():
    """The notes of the album are told in the page's words, so that they don't stand there twice."""
    person = FacePerson(0, "nobody", None, 0.1)
    done = Restoration([], [FACE], None, 1, np.zeros((1, 1), np.uint8), notes=[note_on(person, False)], people=[person])
    assert words.notes_for_people(done) == []


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0.00 %"), (1e-5, "less than 0.01 %"), (0.0123, "1.23 %"), (0.256, "26 %")]
)
def test_parts_of_a_photo_are_percent(share, said):
    assert words.of_share(share) == said


def test_what_is_marked_is_told_by_the_photos_name(tmp_path):
    torn, whole = (OnePhoto(tmp_path / name, tmp_path) for name in ("torn.jpg", "whole.jpg"))
    assert words.of_marks(torn) == "Nothing is marked in torn.jpg."
    torn.marks.share = 0.0123
    assert words.of_marks(torn) == "Of torn.jpg 1.23 % is marked, and will be filled when you press Restore."
    assert words.of_damage([torn]) == "Marked as damaged: torn.jpg (1.23 %)."
    assert words.of_damage([torn, whole]).endswith(
        "No damage was found in whole.jpg: raise the sensitivity, or paint it in."
    )
