"""Work that is done is kept, unless it was another's."""

from limner.video.encode import Coded
from limner.video.segments import Segments

PACKETS = [Coded(b"first", 0, True), Coded(b"", 2, False), Coded(bytes(range(256)), 1, False)]


def test_packets_come_back_as_they_were(tmp_path):
    segments = Segments(tmp_path / "out.mp4", {"seed": 1})
    assert segments.done() == 0
    segments.write(0, PACKETS)
    segments.write(1, PACKETS[:1])
    segments.write(3, PACKETS)  # one before it is missing
    again = Segments(tmp_path / "out.mp4", {"seed": 1})
    assert again.done() == 2
    assert list(again.read(0)) == PACKETS and list(again.read(1)) == PACKETS[:1]
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_work_with_other_settings_is_thrown_away(tmp_path):
    Segments(tmp_path / "out.mp4", {"seed": 1}).write(0, PACKETS)
    assert Segments(tmp_path / "out.mp4", {"seed": 2}).done() == 0
    assert Segments(tmp_path / "out.mp4", {"seed": 1}).done() == 0
    Segments(tmp_path / "other.mp4", {"seed": 1}).write(0, PACKETS)
    assert Segments(tmp_path / "out.mp4", {"seed": 1}).done() == 0


def test_what_was_being_written_when_the_run_was_killed_does_not_count(tmp_path):
    segments = Segments(tmp_path / "out.mp4", {})
    (segments.folder / ".0123456789abcdef.part").write_bytes(b"half")
    assert segments.done() == 0
