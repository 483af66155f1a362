"""Clips are read frame by frame, with their own times."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from limner.video import read
from limner.video.pyav import ClipError
from limner.video.read import Part, clip_info, frames_of

from .clips import BASE, VARYING, frames, write


def test_what_is_known_of_a_clip(tmp_path):
    info = clip_info(write(tmp_path / "a.mp4", codec="mpeg4", turn=90))
    assert (info.width, info.height, info.codec, info.pixels, info.turn) == (64, 48, "mpeg4", "yuv420p", 90)
    assert info.aspect == 1 and info.colours.range == 2 and info.colours.matrix == 5


def test_every_frame_has_its_own_time(tmp_path):
    info = clip_info(write(tmp_path / "a.mp4", codec="libx264"))
    times = [frame.pts * frame.time_base for frame in frames_of(info)]
    assert times == [time * BASE for time in VARYING]


def test_a_part_is_from_one_second_to_another(tmp_path):
    info = clip_info(write(tmp_path / "a.mkv"))
    times = [float(frame.pts * frame.time_base) for frame in frames_of(info, Part(0.1, 0.52))]
    assert times == pytest.approx([VARYING[n] / 600 for n in range(3, 7)], abs=1e-3)
    assert len(list(frames_of(info, Part(0.5)))) == 4


@pytest.mark.parametrize(("start", "end"), [(-1, None), (2, 1), (1, 1), (float("nan"), 2)])
def test_a_part_without_anything_is_refused(start, end):
    with pytest.raises(ClipError, match="There is nothing from .* give times with --from before --to."):
        Part(start, end)


def test_frames_without_times_get_those_of_the_rate(tmp_path):
    with av.open(str(tmp_path / "a.m2v"), "w", format="mpeg2video") as file:
        stream = file.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.max_b_frames = 64, 48, "yuv420p", 0
        for one in frames(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(one, "rgb24").reformat(format="yuv420p")))
        file.mux(stream.encode())
    info = clip_info(tmp_path / "a.m2v")
    times = [frame.pts * info.time_base for frame in frames_of(info)]
    assert len(times) == 5 and all(b - a == Fraction(1, 25) for a, b in pairwise(times))


def test_what_is_no_clip_is_told(tmp_path):
    with pytest.raises(ClipError, match=r"There is no clip .*missing.mp4: check the path."):
        clip_info(tmp_path / "missing.mp4")
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(ClipError, match=r"a.mp4 can't be read as a moving picture .*: play it"):
        clip_info(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as file:
        tone = file.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        file.mux(tone.encode(frame))
        file.mux(tone.encode())
    with pytest.raises(ClipError, match="holds no moving picture, only sound or a cover"):
        clip_info(tmp_path / "sound.mp4")


def test_a_damaged_packet_costs_its_own_frames_alone(tmp_path):
    path = write(tmp_path / "a.mkv", times=range(0, 240, 24), sound=None, codec="mjpeg")
    data = bytearray(path.read_bytes())
    middle = data.index(b"\xff\xd8\xff", len(data) // 2)
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    assert 8 <= len(list(frames_of(clip_info(path)))) <= 10


def test_a_doubled_time_moves_no_other_frame(tmp_path, monkeypatch):
    info = clip_info(write(tmp_path / "a.mkv", sound=None))
    decoded = read._decoded

    def with_times(times):
        def told(container, stream):
            for frame, time in zip(decoded(container, stream), times, strict=False):
                frame.pts = time
                yield frame

        return told

    monkeypatch.setattr(read, "_decoded", with_times([0, 40, 80, 80, 120, 160]))
    assert [frame.pts for frame in frames_of(info)] == [0, 40, 80, 81, 120, 160]
    monkeypatch.setattr(read, "_decoded", with_times([0, 2000, 4000, 0, 40]))
    with pytest.raises(ClipError, match=r"begin anew after 4\.0 s, as those of joined files do"):
        list(frames_of(info))
