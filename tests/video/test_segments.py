"""Work that is done is kept, unless it was another's."""

import subprocess
import sys

import pytest

from limner.photo.write import part_beside
from limner.process import processes
from limner.video.encode import Coded
from limner.video.pyav import ClipError
from limner.video.segments import Segments

PACKETS = [Coded(b"first", 0, True), Coded(b"", 2, False), Coded(bytes(range(256)), 1, False)]


def test_packets_come_back_as_they_were(tmp_path):
    with Segments(tmp_path / "out.mp4", {"seed": 1}) as segments:
        assert segments.done() == 0
        segments.write(0, PACKETS)
        segments.write(1, PACKETS[:1])
        segments.write(3, PACKETS)  # one before it is missing
    with Segments(tmp_path / "out.mp4", {"seed": 1}) as again:
        assert again.done() == 2
        assert list(again.read(0)) == PACKETS and list(again.read(1)) == PACKETS[:1]
        again.remove()
    assert list(tmp_path.iterdir()) == []


def test_work_with_other_settings_is_thrown_away(tmp_path):
    for name, seed, done in (("out", 1, 0), ("out", 2, 0), ("out", 1, 0), ("other", 1, 0), ("out", 1, 1)):
        with Segments(tmp_path / f"{name}.mp4", {"seed": seed}) as segments:
            assert segments.done() == done
            segments.write(0, PACKETS)


def test_what_was_being_written_when_the_run_was_killed_does_not_count(tmp_path):
    with Segments(tmp_path / "out.mp4", {}) as segments:
        (segments.folder / ".0123456789abcdef.part").write_bytes(b"half")
        assert segments.done() == 0


def test_two_processes_never_work_at_one_result(tmp_path):
    told = r"Another process restores into .*out.mp4: wait for it, or give another output."
    with Segments(tmp_path / "out.mp4", {}) as segments:
        segments.write(0, PACKETS)
        with pytest.raises(ClipError, match=told), Segments(tmp_path / "out.mp4", {"seed": 2}):
            pass
        with Segments(tmp_path / "other.mp4", {}):
            pass
        assert segments.done() == 1, "the other has thrown nothing away"


@pytest.mark.parametrize(("error", "done", "left"), [(ClipError, 0, 0), (ClipError, 1, 1), (KeyboardInterrupt, 0, 1)])
def test_what_the_same_command_would_meet_again_leaves_nothing(tmp_path, error, done, left):
    with pytest.raises(error), Segments(tmp_path / "out.mp4", {}) as segments:
        for number in range(done):
            segments.write(number, PACKETS)
        raise error("no such face")
    assert len(list(tmp_path.iterdir())) == left


def test_what_killed_runs_left_is_swept(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    part = tmp_path / f".{processes()}{gone.pid:08x}{'0' * 16}.part"
    part.write_bytes(b"half")
    other = part_beside(tmp_path / "other.mp4")
    other.write_bytes(b"at work")
    with Segments(tmp_path / "out.mp4", {}):
        assert not part.exists() and other.exists()
