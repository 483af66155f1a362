"""Faces beside what methods made of them: the pool is made once, and some samples are the faces themselves."""

import numpy as np
import torch

from limner.data.entries import FEATURES, Entries
from limner.data.faces import FaceSet
from limner.pixels import to_tensor


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


def test_boxes_hold_eyes_and_mouth_and_most_windows_hold_a_box(shared, monkeypatch):
    stream, _ = entries(shared, monkeypatch)
    stream.size, stream.window = 256, 144
    shown = {name: 0 for name in FEATURES}
    for n in range(60):
        sample, one = stream[n], stream.made[n % stream.count]
        for name, (height, width) in FEATURES.items():
            top, left = sample[name].tolist()
            if top < 0:
                assert (top, left) == (-1, -1)
                continue
            shown[name] += 1
            y, x = one.boxes[name]
            box = sample["image"][:, top : top + height, left : left + width]
            whole = to_tensor(one.image[y : y + height, x : x + width])
            assert torch.equal(box, whole) or torch.equal(box, whole.flip(2))
    assert all(count > 20 for count in shown.values()), shown


def test_a_box_lies_around_its_points_and_within_the_face(shared, monkeypatch):
    stream, _ = entries(shared, monkeypatch)
    stream.size = 256
    points = np.array([[90, 110], [170, 112], [128, 150], [100, 252], [150, 254]], np.float32)
    (top, left), (lowest, _) = (stream.boxes(points)[name] for name in ("eyes", "mouth"))
    height, width = FEATURES["eyes"]
    assert abs(top + (height - 1) / 2 - 111) <= 1 and abs(left + (width - 1) / 2 - 130) <= 1
    assert lowest == 256 - FEATURES["mouth"][0]
