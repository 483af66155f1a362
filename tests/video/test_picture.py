"""Frames as limner sees them, and what was changed back in their own numbers."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from limner.video.picture import View, square_size
from limner.video.read import ClipInfo, Colours

from .clips import frames

LAYOUTS = ["yuv420p", "yuvj420p", "yuv444p10le", "nv12", "bgr0", "gray", "yuyv422", "yuv411p", "gbrp", "rgb24"]


def view_of(layout: str, turn: int = 0, aspect: Fraction = Fraction(1), colours: int = 2) -> tuple[View, av.VideoFrame]:
    frame = av.VideoFrame.from_ndarray(frames(1, 61, 83)[0], "rgb24").reformat(format=layout)
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    frame.colorspace = colours
    known = Colours(0, 2, 2, colours)
    info = ClipInfo(Path("a"), 83, 61, "ffv1", layout, Fraction(25), Fraction(1, 25), turn, aspect, known, None)
    return View(info, layout), frame


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_not_changed_stays_bit_for_bit(layout, turn):
    view, frame = view_of(layout, turn, Fraction(16, 11))
    shown = view.shown(frame)
    assert shown.shape[1::-1] == square_size(view.info)
    again = view.changed(frame, shown, shown)
    assert again is not frame and (again.pts, again.time_base) == (7, Fraction(1, 25))
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, -1) for plane in (*frame.planes, *again.planes)]
    width = {"bgr0": 83 * 4, "rgb24": 83 * 3, "yuyv422": 83 * 2, "yuv444p10le": 83 * 2}.get(layout)
    half = len(planes) // 2
    for plane, old, new in zip(frame.planes, planes[:half], planes[half:], strict=True):
        assert np.array_equal(old[:, : width or plane.width], new[:, : width or plane.width])


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one != "gray"])
def test_a_change_is_seen_where_it_was_made_and_nowhere_else(layout):
    view, frame = view_of(layout, turn=90)
    before = view.shown(frame)
    after = before.copy()
    after[20:40, 10:30] = np.clip(after[20:40, 10:30].astype(int) + 40, 0, 255)
    shown = view.shown(view.changed(frame, before, after)).astype(int)
    inner = np.clip(after[24:36, 14:26].astype(int), 0, 255)
    assert np.abs(shown[24:36, 14:26] - inner).mean() < (6 if "411" in layout or "420" in layout else 3)
    shown[14:46, 4:36] = before[14:46, 4:36]
    assert np.array_equal(shown, before)


def test_an_upright_clip_is_shown_as_it_is_and_a_turned_one_turned():
    view, frame = view_of("rgb24")
    turned, _ = view_of("rgb24", turn=90)
    assert np.array_equal(view.shown(frame), frames(1, 61, 83)[0])
    assert np.array_equal(turned.shown(frame), np.rot90(frames(1, 61, 83)[0]))


def test_colours_are_those_that_the_clip_names():
    rgb = np.full((64, 64, 3), (200, 40, 90), np.uint8)
    for matrix in (1, 5):
        view, _ = view_of("yuv444p", colours=matrix)
        frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv444p", dst_colorspace=matrix)
        assert np.abs(view.shown(frame).astype(int) - rgb).max() <= 3


def test_a_frame_of_another_size_or_layout_is_brought_to_the_clip_s():
    view, _ = view_of("yuv420p")
    other = av.VideoFrame.from_ndarray(frames(1, 40, 40)[0], "rgb24")
    other.pts, other.time_base = 3, Fraction(1, 25)
    native = view.native(other)
    assert (native.width, native.height, native.format.name, native.pts) == (83, 61, "yuv420p", 3)
    _, own = view_of("yuv420p")
    assert view.native(own) is own
