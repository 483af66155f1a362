"""By which encoder a clip is stored, in which layout, how finely."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from limner.video.encode import Encoder, Encoding, format_of
from limner.video.pyav import ClipError
from limner.video.read import ClipInfo, Colours

from .clips import frames

INFO = ClipInfo(
    Path("a.mp4"), 64, 48, "h264", "yuv420p", Fraction(25), Fraction(1, 600), 0, Fraction(1), Colours(0, 2, 2, 2), 1.0
)


@pytest.mark.parametrize(
    ("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265"), ("vp9", "libvpx-vp9"), ("mpeg4", "mpeg4")]
)
def test_a_clip_keeps_its_codec_and_layout(codec, encoder):
    encoding = Encoding.of(replace(INFO, codec=codec), Path("out.mkv"))
    assert (encoding.encoder, encoding.pixels, encoding.quality) == (encoder, "yuv420p", 75)


def test_a_codec_that_nobody_writes_becomes_the_usual_one():
    assert Encoding.of(replace(INFO, codec="vc1"), Path("out.mkv")).encoder == "libx264"


@pytest.mark.parametrize(
    ("codec", "layout", "taken"),
    [
        ("ffv1", "yuv422p10le", "yuv422p10le"),
        ("h264", "yuv422p10le", "yuv422p10le"),
        ("mpeg4", "yuv444p10le", "yuv420p"),
        ("vp9", "yuv422p", "yuv422p"),
        ("h264", "gbrp", "yuv444p"),
        ("prores", "yuv420p", "yuv422p10le"),
        ("mjpeg", "gray", "yuvj420p"),
    ],
)
def test_the_layout_loses_least(codec, layout, taken):
    assert Encoding.of(replace(INFO, pixels=layout), Path("out.mkv"), codec).pixels == taken


def test_pixels_that_are_stored_otherwise_are_told():
    assert Encoding.of(INFO, Path("out.mkv")).notes == []
    assert Encoding.of(INFO, Path("out.avi"), "mjpeg").notes == []
    (note,) = Encoding.of(replace(INFO, pixels="yuv422p10le"), Path("out.mkv"), "mpeg4").notes
    assert note == "Frames are stored as yuv420p, for mpeg4 can't hold the clip's own yuv422p10le."
    (note,) = Encoding.of(replace(INFO, codec="rawvideo", pixels="rgb555le"), Path("out.avi")).notes
    assert note == "Frames are stored as bgr24, for nothing can be changed in the clip's own rgb555le."
    with pytest.raises(ClipError, match=r"The pixels of a.mp4 \(x2rgb10be\) can't be read: store it anew, as yuv420p."):
        Encoding.of(replace(INFO, pixels="x2rgb10be"), Path("out.mkv"), "ffv1")


def test_what_is_not_there_is_told():
    with pytest.raises(ClipError, match="No encoder is here for the codec 'nothing': give h264, hevc"):
        Encoding.of(INFO, Path("out.mkv"), "nothing")
    with pytest.raises(ClipError, match="No encoder is here for the codec 'aac'"):
        Encoding.of(INFO, Path("out.mkv"), "aac")
    with pytest.raises(ClipError, match=r"out.xyz is of no known format: name the output .mp4, .mkv, .mov or .webm."):
        Encoding.of(INFO, Path("out.xyz"))
    with pytest.raises(ClipError, match="mpeg2video can't store 64 x 48 pixels, 7 frames a second"):
        Encoder(Encoding.of(replace(INFO, rate=Fraction(7)), Path("out.mkv"), "mpeg2video"))


def test_formats_go_by_their_suffix():
    assert [format_of(Path(f"a.{one}")) for one in ("mkv", "MP4", "mov", "ts", "avi")] == [
        *("matroska", "mp4", "mov", "mpegts", "avi")
    ]


def coded(codec: str, quality: int | None = None) -> list:
    encoding = Encoding.of(INFO, Path("out.mkv"), codec, quality)
    encoder, packets = Encoder(encoding), []
    for one in frames(10):
        frame = av.VideoFrame.from_ndarray(one, "rgb24").reformat(format=encoding.pixels)
        packets += encoder.frame(frame)
    return [*packets, *encoder.rest()]


@pytest.mark.parametrize("codec", ["h264", "ffv1", "mpeg4", "mjpeg", "vp9"])
def test_every_frame_becomes_one_packet_and_the_first_a_key(codec):
    packets = coded(codec)
    assert sorted(one.frame for one in packets) == list(range(10))
    assert packets[0].key and packets[0].frame == 0
    assert [one.data for one in coded(codec)] == [one.data for one in packets]


@pytest.mark.parametrize("codec", ["h264", "mpeg4", "prores"])
def test_quality_costs_room(codec):
    sizes = [sum(len(one.data) for one in coded(codec, quality)) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "mpeg4", "prores"])
def test_packets_know_nothing_of_what_memory_held_before(codec):
    program = (
        "import hashlib; from tests.video.test_encode import coded; "
        f"print(hashlib.sha256(b''.join(one.data for one in coded({codec!r}))).hexdigest())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"MALLOC_PERTURB_": fill}, capture_output=True, check=True
        ).stdout
        for fill in ("0", "77")  # glibc fills what it gives; others don't know the variable
    ]
    assert len(told[0]) > 60 and told[0] == told[1]
