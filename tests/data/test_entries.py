"""Faces beside what methods made of them: the pool is made once, and some samples are the faces themselves."""

import numpy as np
import torch

from limner.data.entries import Entries
from limner.data.faces import FaceSet


def entries(shared, monkeypatch):
    stream = Entries(FaceSet.open(shared / "faces", "val").first(4), 3, 64, 32, seed=0, untouched=0.5)
    asked = []
    monkeypatch.setattr(stream, "restoration", lambda spoilt, way, seed: asked.append(way) or np.zeros_like(spoilt))
    return stream, asked


def test_a_sample_is_a_restoration_or_the_face_itself(shared, monkeypatch):
    stream, asked = entries(shared, monkeypatch)
    flags = []
    for n in range(24):
        sample = stream[n]
        flags.append(bool(sample["restored"]))
        assert sample["image"].shape == sample["entry"].shape == (3, 32, 32)
        assert not sample["entry"].any() if flags[-1] else torch.equal(sample["entry"], sample["image"])
    assert 6 < sum(flags) < 18
    assert len(asked) == stream.count  # each is restored once


def test_sample_n_is_the_same_whatever_came_before(shared, monkeypatch):
    (one, _), (other, _) = entries(shared, monkeypatch), entries(shared, monkeypatch)
    one[0], one[1]
    for name, value in one[7].items():
        torch.testing.assert_close(other[7][name], value)
