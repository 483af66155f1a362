"""Where a face is restored, and how much of it."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.settings import Settings
from limner.video.look import Looked
from limner.video.tracks import Sighting, Track
from limner.video.ways import chosen_tracks, way_of

from .test_tracks import SHAPE

SECONDS = np.arange(60) / 25


def looked(*tracks: Track, cuts: list[int] | None = None) -> Looked:
    return Looked(list(range(60)), [1] * 60, cuts or [], list(tracks))


def track(frames, number=0, size=100.0, yaw=lambda _: 0.0, score=0.9) -> Track:
    made = Track(number)
    for frame in frames:
        made.add(frame, Sighting(np.array([200.0 + frame, 200]) + SHAPE * size / 100, score, size, yaw(frame)))
    return made


def test_a_face_that_is_there_all_the_time_is_restored_all_the_time():
    one = track(range(60))
    way = way_of(one, looked(one), SECONDS, 256, named=False)
    assert way.side == 256 and all(way.at(frame)[1] == 1 for frame in range(60)) and way.at(60) is None
    assert np.allclose(way.at(30)[0], one.seen[30].points, atol=0.1)


def test_within_a_shot_it_comes_and_goes_gently_and_at_a_cut_at_once():
    one = track(range(20, 40))
    way = way_of(one, looked(one, cuts=[40]), SECONDS, 256, named=False)
    shown = [way.at(frame)[1] if way.at(frame) else 0 for frame in range(18, 42)]
    assert shown[:8] == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 1, 1]) and shown[-4:] == [1, 1, 0, 0]


def test_short_gaps_are_bridged_and_long_ones_are_not():
    one = track([*range(10), *range(15, 25), *range(45, 60)])
    way = way_of(one, looked(one), SECONDS, 256, named=False)
    assert way.at(12)[1] == 1 and way.at(35) is None and 0 < way.at(45)[1] < 1 == way.at(55)[1]


def test_a_profile_is_left_alone_unless_it_is_named():
    one = track(range(60), yaw=lambda frame: 80.0 if frame >= 30 else 0.0)
    way = way_of(one, looked(one), SECONDS, 256, named=False)
    shown = [way.at(frame)[1] if way.at(frame) else 0 for frame in range(60)]
    assert shown[10] == 1 and shown[50] == 0 and np.abs(np.diff(shown)).max() < 0.6
    assert way_of(one, looked(one), SECONDS, 256, named=True).at(50)[1] == 1


def test_large_faces_are_steadied_in_a_larger_frame():
    one = track(range(60), size=400)
    assert way_of(one, looked(one), SECONDS, 256, named=False).side == 512


def test_faces_are_chosen_by_their_tracks():
    found = looked(track(range(60)), track(range(9), 1, 60), track(range(9), 2, 30, score=0.5))
    numbers = {
        tuple(one.number for one in chosen_tracks(found, Settings(**wish)))
        for wish in ({"faces": "all"}, {"faces": [0, 1, 2]}, {"min_face": 20})
    }
    assert numbers == {(0, 1, 2)}
    assert [one.number for one in chosen_tracks(found, Settings(faces="largest"))] == [0]
    assert [one.number for one in chosen_tracks(found, Settings(faces=[1, 1]))] == [1]
    assert [one.number for one in chosen_tracks(found, Settings(min_face=50))] == [0, 1]
    assert [one.number for one in chosen_tracks(found, Settings(min_score=0.8))] == [0, 1]
    with pytest.raises(LimnerError, match=r"There is no face 3: the clip has 3 \(0 to 2\), each followed"):
        chosen_tracks(found, Settings(faces=[3]))
