"""Who a face is: alike enough, and nobody else nearly so; never by the photograph itself."""

import numpy as np
import pytest

from limner.album import recognise
from limner.album.recognise import KNOWN, UNSURE, Looks, evidence
from limner.album.store import Vectors


def unit(*angles: float) -> np.ndarray:
    """Unit vectors in a plane at these degrees."""
    turned = np.radians(angles)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def looks(vectors: np.ndarray, people: list[int], clear: list[bool] | None = None) -> Looks:
    count = np.arange(len(people))
    shown = np.array(clear if clear else [True] * len(people), bool)
    return Looks(Vectors(count + 100, count, np.array(people, np.int64), shown, vectors))


def test_the_nearest_person_by_the_mean_of_their_faces():
    found = looks(unit(0, 40, 120), [7, 7, 9]).recognise(unit(20)[0])
    assert (found.verdict, found.person) == ("known", 7)
    assert found.likeness == pytest.approx(1) and found.next == pytest.approx(np.cos(np.radians(100)), abs=1e-6)


def test_somebody_else_as_alike_makes_it_unsure():
    found = looks(unit(0, 60), [1, 2]).recognise(unit(29)[0])
    assert found.person == 1 and found.evidence < found.likeness
    assert evidence(0.6, 0.6) < evidence(0.6, 0.45) < evidence(0.6, 0.1) == evidence(0.6, 0.0)
    assert UNSURE < KNOWN < 1 - 0.6 * 0.35, "a face that is wholly alike is known in the smallest album"


def test_a_stranger_and_an_empty_album_are_nobody():
    assert looks(unit(0), [1]).recognise(unit(90)[0]).verdict == "nobody"
    assert looks(np.zeros((0, 0), np.float32), []).recognise(unit(0)[0]).person is None
    assert looks(unit(0), [-1]).recognise(unit(0)[0]).verdict == "nobody", "a face of nobody's"


def test_the_photograph_itself_and_its_copies_do_not_count():
    known = looks(unit(10, 90), [1, 2])
    assert known.recognise(unit(30)[0]).person == 1
    assert known.recognise(unit(30)[0], photos=[0]).person == 2
    assert known.recognise(unit(10.1)[0]).person == 2, "as alike as copies are"


def test_damaged_faces_count_where_there_is_no_clear_one():
    vectors, people = unit(0, 90, 180), [1, 1, 2]
    found = looks(vectors, people, [True, False, False]).likeness(unit(0)[0], np.zeros(3, bool))
    np.testing.assert_allclose(found, [1, -1], atol=1e-6)


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = looks(vectors, [n // 5 for n in range(50)])
    whole = known.cosines(vectors[3])
    monkeypatch.setattr(recognise, "BLOCK", 7)
    np.testing.assert_allclose(known.cosines(vectors[3]), whole, atol=1e-6)
    np.testing.assert_allclose(whole, vectors @ vectors[3], atol=1e-6)
