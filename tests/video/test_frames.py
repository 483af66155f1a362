"""Frames of nobody pass as they are, from whichever is asked for."""

from types import SimpleNamespace

import pytest

from limner.video.frames import RestoredFrames
from limner.video.picture import View
from limner.video.read import Part, clip_info, frames_of
from limner.video.steady import WITHIN

from .clips import frames as pictures
from .clips import write


@pytest.mark.parametrize("start", [0, 1, WITHIN, WITHIN + 2, 23])
def test_from_a_frame_on_each_comes_once_and_untouched(tmp_path, start):
    info = clip_info(write(tmp_path / "a.mkv", pictures(24), times=range(0, 24 * 24, 24), sound=None))
    frames = RestoredFrames(SimpleNamespace(size=64), View(info, info.pixels), Part(), [], {})
    wanted = [(one.pts, one.to_ndarray().tobytes()) for one in frames_of(info)][start:]
    assert [(one.pts, one.to_ndarray().tobytes()) for one in frames.starting(start)] == wanted
    assert len(wanted) == 24 - start and frames.made_up == []
