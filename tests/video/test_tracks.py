"""Faces keep their tracks: by place, and by look where places don't tell."""

import numpy as np
import pytest

from limner.video.tracks import Sighting, Tracker

ANNA, BEN = np.eye(8)[0], np.eye(8)[1]
SHAPE = np.array([[-20, -15], [20, -15], [0, 0], [-15, 20], [15, 20]], float)


def face(x: float, y: float = 100.0, size: float = 100.0) -> Sighting:
    return Sighting(np.array([x, y]) + SHAPE * size / 100, 0.9, size)


def followed(frames, looks, cuts=(), rate=25.0):
    """Track numbers of all frames; `looks` gives each face's person, by frame and place."""
    tracker, numbers, asked = Tracker(), [], []

    def describe(frame):
        def of(place):
            asked.append((frame, place))
            return looks(frame, place)

        return of

    for number, faces in enumerate(frames):
        numbers.append(tracker.see(number, number / rate, faces, describe(number), number in cuts))
    return numbers, tracker, asked


def test_one_face_is_one_track_and_described_once():
    numbers, tracker, asked = followed([[face(100 + 4 * n)] for n in range(20)], lambda *_: ANNA)
    assert numbers == [[0]] * 20 and asked == [(0, 0)]
    (track,) = tracker.tracks
    assert track.frames == list(range(20)) and track.size == 100


def test_two_faces_that_pass_each_other_keep_theirs():
    frames = [[face(100 + 16 * n), face(420 - 16 * n)] for n in range(21)]
    numbers, tracker, _ = followed(frames, lambda _, place: (ANNA, BEN)[place])
    assert numbers == [[0, 1]] * 21 and len(tracker.tracks) == 2


def test_the_order_in_which_faces_are_found_does_not_matter():
    frames = [[face(100), face(400)] if n % 2 else [face(400), face(100)] for n in range(6)]
    numbers, _, _ = followed(frames, lambda n, place: (ANNA, BEN)[place ^ (n % 2)])
    assert numbers == [[0, 1], [1, 0]] * 3


def test_a_face_that_was_hidden_comes_back_as_itself():
    frames = [[face(100)]] * 5 + [[]] * 20 + [[face(220)]] * 5
    assert followed(frames, lambda *_: ANNA)[0][-1] == [0]
    assert followed(frames, lambda n, _: ANNA if n < 10 else BEN)[0][-1] == [1]
    long_away = [[face(100)]] * 5 + [[]] * 60 + [[face(220)]] * 5
    assert followed(long_away, lambda *_: ANNA)[0][-1] == [1]


@pytest.mark.parametrize("person", [ANNA, BEN])
def test_a_cut_ends_all_tracks(person):
    numbers, _, asked = followed([[face(100)]] * 6, lambda n, _: ANNA if n < 3 else person, cuts={3})
    assert numbers == [[0]] * 3 + [[1]] * 3 and asked == [(0, 0), (3, 0)]


def test_a_face_of_another_size_is_another():
    numbers, _, _ = followed([[face(100)], [face(100, size=40)]], lambda n, _: (ANNA, BEN)[n])
    assert numbers == [[0], [1]]
