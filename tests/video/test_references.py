"""A clip's own clearest frames as references, and who is who in it."""

import numpy as np

from limner.video.references import CLEAR, clearest, cost, same_people
from limner.video.tracks import Sighting, Track

from .test_tracks import ANNA, BEN, SHAPE

SECONDS = np.arange(100) / 25


def track(number, frames, vector, damage=lambda _: 0.8, size=128.0, **of_all) -> Track:
    made = Track(number, vector=vector)
    for frame in frames:
        made.add(frame, Sighting(SHAPE + 100, 0.9, size, damage=damage(frame), **of_all))
    return made


def test_tracks_of_one_person_belong_together():
    one, other = track(0, range(20), ANNA), track(1, range(30, 50), ANNA)
    beside, stranger = track(2, range(10, 25), ANNA), track(3, range(60, 80), BEN)
    assert same_people([one, other, stranger]) == [[one, other], [stranger]]
    assert same_people([one, beside]) == [[one], [beside]], "nobody is twice in one frame"


def test_the_clearest_frames_are_taken_apart_from_each_other():
    one = track(0, range(0, 50), ANNA, damage=lambda frame: {10: 0.2, 11: 0.21, 30: 0.3, 45: 0.6}.get(frame, 0.8))
    other = track(1, range(60, 90), ANNA, damage=lambda frame: 0.1 if frame == 70 else 0.8)
    taken = [(track.number, track.frames[place]) for track, place in clearest([one, other], SECONDS, 4)]
    assert taken == [(1, 70), (0, 10), (0, 30)]
    assert len(clearest([one, other], SECONDS, 2)) == 2


def test_where_all_are_alike_or_bad_none_is():
    assert clearest([track(0, range(50), ANNA, damage=lambda _: 0.3)], SECONDS, 4) == []
    bad = track(0, range(50), ANNA, damage=lambda frame: CLEAR + 0.05 if frame == 9 else 0.95)
    assert clearest([bad], SECONDS, 4) == []


def test_turned_and_cut_faces_are_no_references():
    for of_all in ({"yaw": 55.0}, {"outside": 0.1}):
        one = track(0, range(50), ANNA, damage=lambda frame: 0.2 if frame == 9 else 0.8, **of_all)
        assert clearest([one], SECONDS, 4) == []


def test_small_faces_cost_more():
    large, small = (Sighting(SHAPE, 0.9, size, damage=0.2) for size in (200.0, 50.0))
    assert cost(small) > cost(large) == 0.2 and cost(Sighting(SHAPE, 0.9, 200.0)) == 1.0
