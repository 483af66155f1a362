"""What a clip shows is seen once, also when the look is interrupted."""

from types import SimpleNamespace

import numpy as np
import pytest
from skimage.data import astronaut

from limner.faces.find import face_of
from limner.faces.placing import FoundFaces
from limner.video.look import Looked, Looker
from limner.video.picture import View
from limner.video.pyav import ClipError
from limner.video.read import Part, clip_info

from ..own_faces import POINTS
from .clips import write


class KnownFaces(FoundFaces):
    """Finds the astronaut where she is, without a net; once frames are used up, fails as a killed run does."""

    def find(self, rgb):
        found.append(rgb.shape)
        if len(found) > stops[0]:
            raise KeyboardInterrupt
        return [] if rgb.std() < 5 else [face_of(POINTS - (120, 40), 0.9)]


found: list[tuple] = []
stops = [99]


@pytest.fixture
def clip(tmp_path):
    """Eight frames of a face, then six of nobody."""
    shown = astronaut()[40:200, 120:320]
    grey = np.full_like(shown, 90)
    return write(tmp_path / "a.mkv", [shown] * 8 + [grey] * 6, times=range(0, 14 * 24, 24), sound=None)


def looker(clip, folder, part=None):
    restorer = SimpleNamespace(placing=KnownFaces("limner", None), size=256)
    info = clip_info(clip)
    return Looker(restorer, View(info, info.pixels), part or Part(), folder / "seen.jsonl")


@pytest.fixture(autouse=True)
def fresh():
    found.clear()
    stops[0] = 99


def test_faces_times_and_cuts_are_seen(clip, tmp_path):
    seen = looker(clip, tmp_path).look()
    assert seen.times == list(range(0, 14 * 40, 40)) and seen.cuts == [8]
    (track,) = seen.tracks
    assert track.frames == list(range(8)) and track.vector is not None and track.number == 0
    assert np.allclose(track.seen[3].points, POINTS - (120, 40), atol=1e-3)
    assert track.seen[0].damage is not None and abs(track.seen[0].yaw or 0) < 30


@pytest.mark.parametrize("stop", [1, 5, 9])
def test_an_interrupted_look_goes_on_and_sees_the_same(clip, tmp_path, stop):
    whole = looker(clip, tmp_path).look()
    (tmp_path / "again").mkdir()
    stops[0] = len(found) + stop
    with pytest.raises(KeyboardInterrupt):
        looker(clip, tmp_path / "again").look()
    with (tmp_path / "again" / "seen.jsonl").open("a") as file:
        file.write('{"time": 4')  # killed amid a line
    stops[0], before = 999, len(found)
    again = looker(clip, tmp_path / "again").look()
    assert len(found) - before == 14 - stop
    assert (again.times, again.cuts) == (whole.times, whole.cuts)
    assert np.array_equal(again.tracks[0].vector, whole.tracks[0].vector)
    assert (tmp_path / "again" / "seen.jsonl").read_text() == (tmp_path / "seen.jsonl").read_text()


def test_a_part_without_frames_is_told(clip, tmp_path):
    with pytest.raises(ClipError, match="a.mkv has no frame there: give another --from or --to."):
        looker(clip, tmp_path, Part(20.0)).look()


def test_shots_lie_between_cuts():
    seen = Looked(list(range(30)), [1] * 30, [10, 20])
    assert [seen.shot(frame) for frame in (0, 9, 10, 29)] == [(0, 10), (0, 10), (10, 20), (20, 30)]
