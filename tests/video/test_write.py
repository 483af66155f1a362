"""Everything of a clip but its frames goes on as it is."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from limner.video import segments as work
from limner.video import write as writing
from limner.video.encode import Encoding
from limner.video.fits import check_target
from limner.video.picture import View
from limner.video.pyav import ClipError
from limner.video.read import Part, clip_info, frames_of
from limner.video.segments import Segments
from limner.video.write import Kept, write_clip

from .clips import facts, write


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(work, "FRAMES", 4)
    monkeypatch.setattr(writing, "FRAMES", 4)


WHOLE = Part()


def passed_on(source: Path, target: Path, codec: str | None = None, part: Part = WHOLE, words: str | None = None):
    """A clip whose frames are stored again as they are, by segments."""
    info = clip_info(source)
    encoding = Encoding.of(info, target, codec)
    check_target(encoding, target)
    view, times, last = View(info, encoding.pixels), [], 1
    every = [(frame.pts, frame.duration, view.native(frame)) for frame in frames_of(info, part)]
    with Segments(target, {}) as segments:
        segments.make(encoding, (frame for _, _, frame in every), 0, len(every), lambda _: None)
        for time, length, _ in every:
            times.append(time)
            last = length or last
        notes = write_clip(Kept(encoding, times, last, part, words), segments, target)
        segments.remove()
    return notes


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", None), ("a.mp4", "h264"), ("a.mov", "hevc"), ("a.mp4", "mpeg4"), ("a.mp4", "ffv1")]
)
def test_times_sound_turn_and_colours_stay_exactly(tmp_path, name, codec):
    source = write(tmp_path / "source.mp4", codec="libx264", turn=270)
    assert passed_on(source, tmp_path / name, codec) == []
    before, after = facts(source), facts(tmp_path / name)
    assert after.times == before.times and len(set(after.times)) == 10
    assert after.others == before.others and len(after.others["audio"]) > 10
    assert after.colours == before.colours
    assert clip_info(tmp_path / name).turn == 270


def test_in_matroska_times_are_whole_milliseconds_and_the_sound_s_bytes_its_own(tmp_path):
    source = write(tmp_path / "source.mp4", codec="libx264")
    passed_on(source, tmp_path / "a.mkv", "ffv1")
    before, after = facts(source), facts(tmp_path / "a.mkv")
    assert after.times == [Fraction(round(1000 * time), 1000) for time in before.times]
    assert [data for _, data in after.others["audio"]] == [data for _, data in before.others["audio"]]


@pytest.mark.parametrize("codec", ["ffv1", "rawvideo"])
def test_without_loss_frames_stay_bit_for_bit(tmp_path, codec):
    source = write(tmp_path / "source.mkv")
    passed_on(source, tmp_path / "a.mkv", codec)
    before, after = facts(source), facts(tmp_path / "a.mkv")
    assert (after.pixels, after.times, after.others) == (before.pixels, before.times, before.others)


def test_subtitles_chapters_and_titles_go_along(tmp_path):
    source = write(tmp_path / "source.mkv", words=True)
    passed_on(source, tmp_path / "a.mkv", words="restored")
    assert facts(tmp_path / "a.mkv").others["subtitle"] == facts(source).others["subtitle"]
    with av.open(str(tmp_path / "a.mkv")) as file:
        assert file.metadata["title"] == "A day at the sea" and file.metadata["COMMENT"] == "restored"
        (chapter,) = file.chapters()
        assert chapter["metadata"]["title"] == "first"


def test_a_part_begins_at_0_with_its_own_sound(tmp_path):
    source = write(tmp_path / "source.mp4", codec="libx264")
    passed_on(source, tmp_path / "a.mp4", part=Part(0.1, 0.4))
    before, after = facts(source), facts(tmp_path / "a.mp4")
    assert after.times == [time - before.times[3] for time in before.times[3:6]]
    heard = [data for time, data in before.others["audio"] if before.times[3] <= time < 0.4]
    assert [data for _, data in after.others["audio"]] == heard
    assert 0 <= after.others["audio"][0][0] < Fraction(1, 40)


def test_the_same_work_gives_the_same_file(tmp_path):
    source = write(tmp_path / "source.mp4", codec="libx264")
    for name in ("a.mkv", "b.mkv", "a.mp4", "b.mp4"):
        passed_on(source, tmp_path / name)
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_what_has_no_place_is_told_before_anything_is_done(tmp_path):
    source = write(tmp_path / "source.mp4", codec="libx264", turn=90)
    with pytest.raises(ClipError, match=r"a.webm can't hold the audio of .*source.mp4 \(aac\): name the output .mp4"):
        passed_on(source, tmp_path / "a.webm", "vp9")
    with pytest.raises(ClipError, match=r"A file of the kind webm can't hold libx264: name the output .mkv"):
        passed_on(source, tmp_path / "a.webm")
    (note,) = passed_on(source, tmp_path / "a.avi", "mjpeg")
    assert note.startswith("a.avi can't say that the clip is turned by 90 degrees")
    assert {path.name for path in tmp_path.iterdir()} == {"source.mp4", "a.avi"}


def test_a_result_is_never_half_written(tmp_path, monkeypatch):
    source = write(tmp_path / "source.mp4", codec="libx264")
    (tmp_path / "a.mp4").write_bytes(b"an earlier one")

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(writing, "_packets", broken)
    with pytest.raises(
        ClipError, match=r"a.mp4 can't be written \(no space left\): choose another place or format. Its fr"
    ):
        passed_on(source, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == b"an earlier one"
    assert not list(tmp_path.glob(".*.part"))
