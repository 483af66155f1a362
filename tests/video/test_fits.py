"""What doesn't fit into a file of some format is told before anything is done."""

from dataclasses import replace
from fractions import Fraction

import pytest

from limner.video.encode import Encoding
from limner.video.fits import check_target
from limner.video.pyav import ClipError
from limner.video.read import clip_info

from .clips import write


def check(source, target, codec=None, **changes):
    check_target(Encoding.of(replace(clip_info(source), **changes), target, codec), target)


def test_what_a_format_refuses_at_its_head(tmp_path):
    source = write(tmp_path / "a.mkv", sound=None)
    check(source, tmp_path / "b.mkv")
    with pytest.raises(ClipError, match="can't say when frames of x264 are shown: name the output .mkv"):
        check(source, tmp_path / "b.avi", "h264")
    with pytest.raises(ClipError, match=r"can't hold what .* does .*: name the output .mkv"):
        check(source, tmp_path / "b.mov", "vp9")


@pytest.mark.parametrize(("name", "codec"), [("b.ts", "ffv1"), ("b.ts", "vp9"), ("b.mpg", "mjpeg"), ("b.mpg", "vp9")])
def test_frames_that_nobody_could_read_back_are_refused(tmp_path, name, codec):
    with pytest.raises(ClipError, match=rf"{codec} can't be read back from .*{name}: name the output .mkv, or give an"):
        check(write(tmp_path / "a.mkv", sound=None), tmp_path / name, codec)


@pytest.mark.parametrize(
    ("sound", "words", "what"), [("flac", False, "audio .*flac"), ("aac", True, "subtitle .*subrip")]
)
def test_a_transport_stream_gets_nothing_that_it_has_no_name_for(tmp_path, sound, words, what):
    source = write(tmp_path / "a.mkv", sound=sound, words=words, codec="libx264")
    with pytest.raises(ClipError, match=rf"b.ts can't hold the {what}\): name the output .mkv or .mkv."):
        check(source, tmp_path / "b.ts")
    check(write(tmp_path / "c.mkv", codec="libx264"), tmp_path / "b.ts")


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("h264", "b.mkv"),
        ("h264", "b.ts"),
        ("mpeg2video", "b.mpg"),
        ("ffv1", "b.mp4"),
        ("vp9", "b.mp4"),
        ("hevc", "b.mov"),
    ],
)
def test_the_shape_of_pixels_is_kept(tmp_path, codec, name):
    source = write(tmp_path / "a.mkv", sound=None)
    check(source, tmp_path / name, codec, aspect=Fraction(16, 11), width=720, height=576)


@pytest.mark.parametrize("codec", ["ffv1", "vp9", "av1"])
def test_a_file_that_would_forget_the_shape_of_pixels_is_refused(tmp_path, codec):
    source = write(tmp_path / "a.mkv", sound=None)
    told = rf"b.mkv can't say of {codec} that its pixels aren't square \(16:11\): name the output .mp4 or .mov, or give"
    with pytest.raises(ClipError, match=told):
        check(source, tmp_path / "b.mkv", codec, aspect=Fraction(16, 11))
    check(source, tmp_path / "b.mkv", codec)
