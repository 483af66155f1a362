"""Large faces in both ways: rows for each, and what the enlarger gives beside the interpolation."""

import pytest

from limner.evaluate.large_faces import CUBIC, DAMAGES, ENLARGED, INPUT, main


@pytest.mark.slow
def test_both_ways_are_told(shared, tmp_path, capsys, monkeypatch):
    sheet = tmp_path / "sheet.png"
    monkeypatch.setattr(
        "sys.argv", ["large_faces", "--data", str(shared / "faces"), "--limit", "2", "--sheet", str(sheet)]
    )
    main()
    rows = [line.split(": ", 1) for line in capsys.readouterr().out.splitlines()]
    assert [row for row, _ in rows] == [f"{d}, {way}" for d in DAMAGES for way in (INPUT, CUBIC, ENLARGED)]
    finest = {row: float(told.split("octave 1 ")[1].split(",")[0]) for row, told in rows}
    severe = f"{DAMAGES[0]}, "
    assert finest[severe + ENLARGED] > 1.2 * finest[severe + CUBIC]
    assert sheet.stat().st_size > 100_000
    assert all("beside cubic psnr" in told for row, told in rows if row.endswith(ENLARGED))
