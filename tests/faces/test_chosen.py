"""Which faces are restored, and what is told of them."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from limner import LimnerError, Settings
from limner.faces.chosen import faces_to_restore
from limner.faces.find import Face
from limner.faces.placing import AlignedCrop, FoundFaces
from limner.faces.pose import projected

PHOTO = np.zeros((400, 900, 3), np.uint8)


def face(number: int, yaw: float = 0.0, side: float = 140.0, left: float = 100.0) -> Face:
    """The mean head, turned, in a box of so many pixels."""
    points = projected(np.array(yaw), np.array(0.0)) * side / 140 + (left + side / 2, 150)
    return Face((left, 100.0, left + side, 100.0 + side), points.astype(np.float32), 0.9, number)


@dataclass(frozen=True)
class Given(FoundFaces):
    """Faces that a test gives."""

    detector: str = "limner"
    yunet: None = None
    faces: list[Face] = field(default_factory=list)

    def find(self, rgb: np.ndarray) -> list[Face]:
        return self.faces


@pytest.fixture
def undamaged(monkeypatch):
    monkeypatch.setattr("limner.faces.seen.damage", lambda rgb, landmarks: 0.1)


def told(*faces: Face, **asked):
    return faces_to_restore(PHOTO, Given(faces=list(faces)), Settings(**asked), 256)


@pytest.mark.usefixtures("undamaged")
def test_a_profile_is_left_alone_and_named():
    done = told(face(0), face(1, 75), face(2, -30))
    assert [one.number for one in done.restored] == [0, 2] and [one.number for one in done.left_alone] == [1]
    assert [one.number for one in done.all] == [0, 1, 2]
    (note,) = done.notes
    assert note.startswith(
        "Face 1 is a profile, turned by 75 degrees, and left alone, for the nets know faces from the"
    )
    assert note.endswith("--faces 1 restores it all the same.")
    only = told(face(0, -80), faces="largest")
    assert only.restored == [] and only.left_alone[0].number == 0 and only.notes[0].startswith("Face 0 is a profile")


@pytest.mark.usefixtures("undamaged")
def test_a_profile_that_is_named_is_restored():
    done = told(face(0), face(1, 75), faces=[1, 0])
    assert [one.number for one in done.all] == [1, 0] and done.left_alone == []
    assert done.notes == ["Face 1: a profile, turned by 75 degrees: expect little, or a second eye."]


@pytest.mark.usefixtures("undamaged")
def test_what_makes_a_face_doubtful_is_told():
    assert told(face(0)).notes == []
    assert told(face(0, 52)).notes == ["The face: a half profile, turned by 52 degrees: expect little of the far side."]
    (note,) = told(face(0, left=-20)).notes
    assert note.startswith("The face: cut by the edge of the photo")
    assert told(face(0, left=-3)).notes == [], "hardly"
    both = told(face(0), face(1, side=24.4), face(2, side=21))
    assert both.notes == [
        "Faces 1 and 2: only 21 to 24 px, so that what comes out is a likely face rather than this one."
    ]
    crowd = told(*(face(number, side=24) for number in range(9)))
    assert crowd.notes[0].startswith("9 of 9 faces: only 24 px")
    odd = face(0)
    odd.landmarks[2] = 170, 60
    (note,) = told(odd).notes
    assert note.startswith("The face: the five points are not those of a head, so nobody knows how it is turned")


def test_damage_is_told(monkeypatch):
    for damage, many in ((0.9, 1), (0.5, 0), (None, 0)):
        monkeypatch.setattr("limner.faces.seen.damage", lambda rgb, landmarks, damage=damage: damage)
        assert [note.startswith("The face: badly damaged") for note in told(face(0)).notes] == [True] * many


@pytest.mark.usefixtures("undamaged")
def test_notes_on_the_search_come_first(monkeypatch):
    monkeypatch.setattr("limner.faces.placing.LARGE_FACE", 1)
    notes = told(face(0, 52)).notes
    assert notes[0].startswith("Faces smaller than") and len(notes) == 2


@pytest.mark.usefixtures("undamaged")
def test_an_aligned_crop_is_never_a_profile():
    done = faces_to_restore(PHOTO[:300, :300], AlignedCrop(), Settings(aligned=True), 256)
    assert len(done.restored) == 1 and done.left_alone == done.notes == []


@pytest.mark.usefixtures("undamaged")
def test_a_face_that_is_not_there_is_told():
    with pytest.raises(LimnerError, match="There is no face 4: the photo has 1"):
        told(face(0), faces=[4])
