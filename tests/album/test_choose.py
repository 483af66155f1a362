"""The best references: sharp, large, turned alike, of about the same age, and of one exposure the best copy."""

from pathlib import Path

import numpy as np

from limner.album.choose import best_references, reason_of, turned_apart, years_apart
from limner.album.store import AlbumFace, AlbumPhoto
from limner.faces.pose import Pose
from limner.faces.seen import SeenFace

BOX, POINTS = (0.0, 0.0, 9.0, 9.0), np.zeros((5, 2), np.float32)
OLD = SeenFace(BOX, POINTS, 0.9, pose=Pose(10.0, 0.0, 0.0, 0.05))


def candidate(name: str, taken: str | None = None, side: float = 256, **others) -> tuple[AlbumFace, AlbumPhoto]:
    face = AlbumFace(BOX, POINTS, 0.9, side=side, **({"yaw": 10.0, "pitch": 0.0, "damage": 0.1} | others))
    return face, AlbumPhoto(Path(name), 1, 1, name, taken)


def order(*candidates, taken: str | None = "1960-01-01") -> list[str]:
    chosen = best_references(OLD, taken, candidates, np.eye(len(candidates)), 0.99)
    return [one.photo.path.name for one in chosen]


def test_what_speaks_for_a_reference():
    assert order(candidate("blurred", damage=0.6), candidate("sharp")) == ["sharp", "blurred"]
    assert order(candidate("small", side=60), candidate("large")) == ["large", "small"]
    assert order(candidate("turned", yaw=-30.0), candidate("alike")) == ["alike", "turned"]
    assert order(candidate("late", "1995-01-01"), candidate("near", "1962-01-01")) == ["near", "late"]
    assert order(candidate("undated"), candidate("near", "1962-01-01")) == ["near", "undated"]
    assert order(candidate("too small to tell", damage=None), candidate("sharp")) == ["sharp", "too small to tell"]


def test_of_copies_the_best_alone():
    vectors = np.array([[1, 0], [1, 0.01], [0, 1]])
    several = [candidate("copy", damage=0.3), candidate("original"), candidate("other", damage=0.5)]
    chosen = best_references(OLD, None, several, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 0.99)
    assert [one.photo.path.name for one in chosen] == ["original", "other"]


def test_the_reason_in_words():
    reason = reason_of(OLD, "1960-01-01", *candidate("a", "1964-01-01", yaw=13.0, pitch=4.0))
    assert reason == "damage 0.10, 256 px, turned 5 degrees otherwise, 4 years apart"
    assert reason_of(OLD, None, *candidate("a", "1964-01-01")).endswith("otherwise, taken 1964")
    assert reason_of(OLD, None, *candidate("a", yaw=None)).endswith("256 px, undated")


def test_what_is_not_known_is_none():
    assert turned_apart(SeenFace(BOX, POINTS, 0.9), candidate("a")[0]) is None
    assert years_apart(None, "1960-01-01") is None and years_apart("1960-01-01", "1960-12-31") < 1.01
