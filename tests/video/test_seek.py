"""A part of a clip is decoded from a keyframe before it, and its frames are those that decoding all of it gives."""

from fractions import Fraction

import av
import numpy as np
import pytest

from limner.video import read, seek
from limner.video.read import Part, clip_info, frames_of

COUNT = 150
KINDS = {
    "closed.mp4": ("libx264", {"x264-params": "keyint=24:bframes=3:scenecut=0"}),
    "open.mkv": ("libx264", {"x264-params": "keyint=24:bframes=3:open-gop=1:scenecut=0"}),
    "open.ts": ("libx264", {"x264-params": "keyint=24:bframes=3:open-gop=1:scenecut=0"}),
    "open.mov": ("libx265", {"x265-params": "keyint=24:bframes=3:open-gop=1:scenecut=0:log-level=none"}),
    "refresh.mp4": ("libx264", {"x264-params": "keyint=40:intra-refresh=1:bframes=2"}),
    "b.mpg": ("mpeg2video", {"g": "15", "bf": "2"}),
    "b.ts": ("mpeg2video", {"g": "15", "bf": "2"}),
    "b.avi": ("mpeg4", {"g": "20", "bf": "2"}),
    "v.webm": ("libvpx-vp9", {"g": "30", "crf": "40"}),
    "i.mkv": ("ffv1", {"g": "1"}),
    "raw.m2v": ("mpeg2video", {"g": "15", "bf": "2"}),
    "one.mp4": ("libx264", {"x264-params": "keyint=1000:scenecut=0"}),
}
"""By the file's name the encoder and how its frames depend on others."""
SEEKS = {"closed.mp4", "open.mkv", "open.mov", "v.webm", "i.mkv"}
"""Where decoding surely begins later."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    random = np.random.default_rng(0)
    ground = random.integers(0, 255, (96, 400, 3)).astype(np.uint8)
    for name, (codec, options) in KINDS.items():
        with av.open(str(folder / name), "w") as file:
            stream = file.add_stream(codec, rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for number in range(COUNT):
                picture = np.ascontiguousarray(ground[number % 20 : number % 20 + 64, number : number + 96])
                frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return folder


def shown(info, part):
    return [(frame.pts, frame.to_ndarray().tobytes()) for frame in frames_of(info, part)]


@pytest.mark.parametrize("name", KINDS)
def test_a_part_is_the_same_as_without_seeking(clips, name, monkeypatch):
    info = clip_info(clips / name)
    every = shown(info, Part())
    assert len(every) == COUNT
    counted = []

    def counting(packets):
        for frame in seek_decoded(packets):
            counted.append(frame)
            yield frame

    seek_decoded = seek.decoded
    monkeypatch.setattr(seek, "decoded", counting)
    monkeypatch.setattr(read, "decoded", counting)
    for start in (0.5, 1.0, 2.3, 3.84, 4.6, 5.5, 5.96):
        counted.clear()
        wanted = [(time, data) for time, data in every if (time - info.begins) * info.time_base >= Fraction(str(start))]
        assert shown(info, Part(start)) == wanted, start
        if name in SEEKS and start > 3:
            assert len(counted) < COUNT - 25 * (start - 3.1)
    assert shown(info, Part(99.0)) == []


def test_where_a_frame_has_no_time_nobody_seeks(clips, monkeypatch):
    info, real = clip_info(clips / "closed.mp4"), seek.decoded

    def timeless(packets):
        for number, frame in enumerate(real(packets)):
            if number % 10 == 9:
                frame.pts = None
            yield frame

    monkeypatch.setattr(seek, "decoded", timeless)
    with av.open(str(info.path)) as file:
        assert seek.sought(file, file.streams.video[0], info.begins, 5.5) is None
    assert len(shown(info, Part(5.5))) == 12
