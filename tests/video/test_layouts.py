"""Into which layouts of pixels a change can be written, and what is taken where it can't."""

import av
import numpy as np
import pytest

from limner.video.layouts import changeable, converts, nearest

from .test_picture import view_of

EVERY = sorted(av.video.format.names)


def test_in_every_layout_that_can_be_changed_a_change_is_written_and_all_else_stays():
    there = [one for one in EVERY if changeable(one)]
    assert len(there) > 150 and {"rgb48le", "p210le", "y210le", "xv36be", "yuv444p10msble", "ya16be"} <= set(there)
    for layout in there:
        view, frame = view_of(layout)
        before = view.shown(frame)
        after = before.copy()
        after[20:40, 10:30] = np.clip(after[20:40, 10:30].astype(int) + 40, 0, 255)
        shown = view.shown(view.changed(frame, before, after)).astype(int)
        if "gray" not in layout and not layout.startswith("ya"):
            assert np.abs(shown[24:36, 14:26] - after[24:36, 14:26]).mean() < 1, layout
        shown[14:46, 4:36] = before[14:46, 4:36]
        assert np.array_equal(shown, before), layout


@pytest.mark.parametrize(
    "layout", ["rgb555le", "rgb565be", "bgr444le", "rgb8", "monow", "x2rgb10le", "pal8", "gbrpf32le"]
)
def test_numbers_in_parts_of_words_palettes_and_floats_cannot_be_changed(layout):
    assert not changeable(layout)


@pytest.mark.parametrize(
    ("encoder", "layout", "taken"),
    [
        ("rawvideo", "rgb565le", "bgr24"),
        ("rawvideo", "rgb48le", "rgb48le"),
        ("rawvideo", "x2rgb10le", "gbrp10le"),
        ("rawvideo", "monow", "gray"),
        ("rawvideo", "pal8", "bgr24"),
        ("ffv1", "rgb555le", "bgr0"),
        ("ffv1", "x2rgb10le", "gbrp10le"),
        ("ffv1", "gbrpf32le", "gbrp16le"),
    ],
)
def test_the_layout_that_loses_least_is_taken_instead(encoder, layout, taken):
    assert nearest(encoder, layout) == taken


def test_what_ffmpeg_can_neither_read_nor_write_is_known():
    assert converts("yuv420p", "rgb24") and not converts("rgb24", "pal8") and not changeable("uyyvyy411")
