"""What the page says of faces and jobs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limner.faces.pose import Pose
from limner.faces.seen import SeenFace
from limner.page import words
from limner.page.session import OnePhoto
from limner.page.work import Work

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
