"""The pool of restorations: frames, windows in step, and what worse weights would give."""

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from limner.data import restorations
from limner.data.faces import FaceSet
from limner.data.restorations import Restorations, Restored, detuned, join_frame, spoilt
from limner.faces import join
from limner.pixels import to_picture


def texture(side: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(30, 220, (side // 8, side // 8, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture
def pool():
    """One that holds the same picture four times over, in every role."""
    one = Restored(*[texture(128)] * 4)
    faces = FaceSet(__file__, [], [], np.zeros((0, 5, 2)))
    return Restorations(faces, nn.Identity(), 4, 64, 0, made=dict.fromkeys(range(4), one))


def test_the_four_windows_show_the_same_place(pool, monkeypatch):
    monkeypatch.setattr(restorations, "DETUNED", 0.0)
    seen = set()
    for n in range(20):
        sample = pool[n]
        for picture in sample.values():
            assert picture.shape == (3, 64, 64) and torch.equal(picture, sample["image"])
        window = to_picture(sample["image"])
        for mirror in (1, -1):
            if cv2.matchTemplate(texture(128), window[:, ::mirror].copy(), cv2.TM_SQDIFF).min() < 1e4:
                seen.add(mirror)
    assert seen == {1, -1}


def test_each_is_made_once(pool, monkeypatch):
    pool.made.clear()
    made = []
    monkeypatch.setattr(pool, "make", lambda place: made.append(place) or Restored(*[texture(64, place)] * 4))
    assert pool.of(2) is pool.of(2) and made == [2]


def test_photographs_are_as_clean_as_those_that_are_joined(pool, monkeypatch):
    class Whitener(nn.Conv2d):
        def forward(self, x):
            return 1.5 * torch.ones_like(x)

    monkeypatch.setattr(pool, "cleaner", Whitener(3, 3, 1))
    monkeypatch.setattr(join, "CAUTION", 0.25)
    assert (pool.cleaned(np.full((16, 16, 3), 51, np.uint8)) == 102).all()


@pytest.mark.parametrize(("side", "frame"), [(40, 64), (80, 64), (81, 128), (200, 128)])
def test_photo_and_truth_meet_the_restoration_in_its_frame(side, frame):
    picture = np.full((side, side, 3), 90, np.uint8)
    one = join_frame(picture, picture, texture(64), picture)
    assert one.photo.shape == one.truth.shape == one.cleaned.shape == (frame, frame, 3)
    assert (one.photo == 90).all() and one.grown().shape == (frame, frame, 3)


@pytest.mark.parametrize("kind", range(7))
def test_every_way_of_going_wrong_shows_and_is_repeatable(kind, monkeypatch):
    right, wrong = texture(64), texture(64, 1)

    class Chosen:
        """A generator whose one choice is made."""

        def __init__(self):
            self.dice = np.random.default_rng(0)

        def __getattr__(self, name):
            return getattr(self.dice, name)

        def choice(self, *_, **__):
            return [kind]

    first, again = detuned(right, wrong, Chosen()), detuned(right, wrong, Chosen())
    np.testing.assert_array_equal(first, again)
    assert first.shape == right.shape and first.dtype == np.uint8
    assert np.abs(first.astype(int) - right).mean() > 1


def test_a_spoilt_face_keeps_what_it_should_become():
    faded = greys = 0
    for n in range(60):
        photo, goal = spoilt(texture(64), restorations.DAMAGE, np.random.default_rng(n))
        assert photo.shape == goal.shape == (64, 64, 3) and photo.dtype == goal.dtype == np.uint8
        faded += np.ptp(goal.mean(2)) < 0.9 * np.ptp(texture(64).mean(2))
        greys += np.ptp(goal.astype(int), axis=2).max() == 0
    assert 6 <= faded <= 36 and 3 <= greys <= 30


def test_shares_are_whole():
    for shares in (restorations.SHOWN, restorations.DAMAGE, restorations.WAYS):
        assert sum(shares.values()) == pytest.approx(1)
