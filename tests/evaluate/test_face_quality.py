"""Turns and damage are measured on faces whose turns and damage are known."""

import csv

import numpy as np
import pytest

from limner import LimnerError
from limner.data.faces import FaceSet
from limner.evaluate import face_quality
from limner.evaluate.face_quality import told_of_damage, told_of_turns, turns_of
from limner.faces.find import Face
from limner.faces.pose import projected

NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
HEADINGS = [f"{name}_{axis}" for name in NAMES for axis in "xy"]


@pytest.fixture
def folder(tmp_path):
    """Labels of mean heads turned by -70 to 70 degrees, and one that the mesh didn't trust."""
    with (tmp_path / "landmarks_mediapipe.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file", *HEADINGS, "mesh_score"])
        for yaw in range(-70, 71, 10):
            five = projected(np.array(float(yaw)), np.array(0.0)) + 200
            writer.writerow([f"{yaw}.jpg", *five.ravel(), 1.0])
        writer.writerow(["odd.jpg", *range(10), 0.3])
    return tmp_path


def test_turns_are_those_of_the_labels(folder):
    turns = turns_of(folder)
    assert turns.files == [str(yaw) for yaw in range(-70, 71, 10)]
    np.testing.assert_allclose(turns.yaw, range(-70, 71, 10), atol=0.3)
    count, by_fit, by_eyes = turns.by_narrowness(25, 35)
    assert count == 2 and by_fit == pytest.approx(30, abs=0.3) and by_eyes == pytest.approx(30, abs=0.5)
    assert turns.by_narrowness(80, 90)[0] == 0
    lines = told_of_turns(turns)
    assert lines[0].startswith("yaw of 15 faces: mean +0.00") and "0 fit no head" in lines[1]
    assert lines[2] == "profiles, turned by more than 60 degrees: 2" and "70: " in lines[3]


def test_a_folder_without_the_table_is_told(tmp_path):
    with pytest.raises(LimnerError, match=r"has no landmarks_mediapipe.csv: give the folder of faces that has it\.$"):
        turns_of(tmp_path)


def test_what_the_finder_s_points_say_is_held_against_the_labels(folder, monkeypatch):
    found = projected(np.array(40.0), np.array(0.0)).astype(np.float32)
    monkeypatch.setattr(face_quality.Photo, "open", lambda path: type("Empty", (), {"srgb": lambda self: path.stem})())
    face = Face((0.0, 0.0, 100.0, 100.0), found, 1.0)
    monkeypatch.setattr(face_quality, "find_faces", lambda name: [face] if name != "70" else [])
    (line,) = face_quality.told_of_found(turns_of(folder), folder, 2)
    assert line == "the 2 most turned: 1 found, median 70 by the labels and 40 as found, 0 as profiles"


def test_damage_grows_with_the_preset(shared):
    faces = FaceSet.open(shared / "faces", "test", "val", "train").large(512).spread(3)
    assert set(faces.sides) == {512} and 1 <= len(faces) <= 3
    clean, severe = (face_quality.damages_of(faces, preset) for preset in (None, "ffhq-ref-severe"))
    assert (severe > clean + 0.2).all()
    assert face_quality.told_of_sharp(faces).startswith(f"octaves of {len(faces)} sharp faces: structure [0.")
    lines = told_of_damage(["clean", "severe"], [clean, severe])
    assert lines[0].startswith("damage, clean: median 0.") and lines[1].endswith("above the row before in 100%")
