"""What the faces of a clip are restored with: its clearest frames, an album or given ones; and who is who in it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner.faces.placing import FoundFaces
from limner.faces.references import PhotoReferences, Reference, References
from limner.settings import Settings
from limner.video.look import Looked
from limner.video.picture import View
from limner.video.read import Part, clip_info
from limner.video.references import CLEAR, best, clearest, cost, references_of, same_people
from limner.video.tracks import Sighting, Track

from ..own_faces import POINTS
from .clips import write
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


class Known:
    """A source of references that notes what it was asked and knows the first face alone."""

    def of_faces(self, photo, faces, crops):
        self.asked = [(one.number, picture.shape) for one, picture in zip(faces, crops, strict=True)]
        self.shown = photo.pixels.shape
        device = torch.device("cpu")
        mine = References([Reference("anna.jpg", crops[0])], device)
        return PhotoReferences([mine, *[References([], device)] * (len(faces) - 1)], ["The face is Anna."])


def found_of(folder, tracks, **settings):
    """The references of tracks of a clip that shows the astronaut for 40 frames."""
    shown = astronaut()[40:200, 120:320]
    clip = write(folder / "a.mkv", [shown] * 40, times=range(0, 40 * 24, 24), sound=None)
    info, source = clip_info(clip), Known()
    restorer = SimpleNamespace(
        settings=Settings(method="refldm", **settings),
        size=64,
        placing=FoundFaces("limner", None),
        references=source,
        compute=SimpleNamespace(device="cpu"),
    )
    looked = Looked(times=list(range(0, 40 * 40, 40)), lengths=[40] * 40, tracks=list(tracks))
    return references_of(restorer, View(info, info.pixels), Part(), looked, tracks), source


def shots(*frames, vectors):
    """Tracks of the astronaut."""
    made = [track(n, one, vector) for n, (one, vector) in enumerate(zip(frames, vectors, strict=True))]
    for one in made:
        one.seen = [Sighting(POINTS - (120, 40), 0.9, 60.0 + frame, damage=0.5) for frame in one.frames]
    return made


@pytest.mark.parametrize("settings", [{"album": True}, {"references": ["anna.jpg"]}])
def test_all_tracks_of_a_person_share_what_they_are_restored_with(tmp_path, settings):
    tracks = shots(range(0, 9), range(12, 20), range(22, 30), vectors=[ANNA, BEN, ANNA])
    found, source = found_of(tmp_path, tracks, **settings)
    assert source.asked == [(1, (64, 64, 3)), (2, (64, 64, 3))], "each person once, all together, by the best frame"
    assert source.shown == (64, 64, 3), "no frame is held"
    assert set(found.each) == {1} and found.count == 1
    (found, _) = found_of(tmp_path, shots(range(0, 9), range(22, 30), vectors=[ANNA, ANNA]), **settings)
    assert found.each[0] is found.each[1] and found.count == 1
    assert found.notes == ["The face is Anna.", "Faces 0, 1 are one person, and so have the same references."]


def test_own_references_are_a_person_s(tmp_path):
    tracks = shots(range(0, 9), range(20, 40), vectors=[ANNA, ANNA])
    for one in tracks:
        one.seen = [Sighting(POINTS - (120, 40), 0.9, 80.0, damage=0.1 if frame == 25 else 0.5) for frame in one.frames]
    found, source = found_of(tmp_path, tracks)
    assert found.each[0] is found.each[1] and found.count == 1 and not hasattr(source, "asked")
    assert found.each[0].known[0].crop.shape == (64, 64, 3)
    assert found.notes == ["Faces 0, 1: restored with its clearest frames as references, at 1.00 s."]


def test_a_person_is_recognised_by_what_is_seen_best():
    one, other = track(0, range(5), ANNA), track(1, range(9, 12), ANNA, damage=lambda frame: 0.1 * frame - 0.8)
    assert best([one, other]) == (other, 0)
