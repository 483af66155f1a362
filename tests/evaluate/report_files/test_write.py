"""The files of a report."""

import sys
from dataclasses import replace

from limner.evaluate.report_files.write import write_report


def test_both_files_are_written(evaluated, tmp_path):
    assert write_report(tmp_path, evaluated) == tmp_path / "report.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_a_name_of_odd_bytes_is_written(evaluated, summed, tmp_path, monkeypatch):
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    monkeypatch.setattr(sys, "argv", ["limner", "evaluate", name])
    row = summed(name, [f"{name}{n}" for n in range(3)], psnr=range(3))
    write_report(tmp_path, replace(evaluated, summaries=[row]))
    for file in tmp_path.iterdir():
        assert "caf\\udce9" in file.read_text(encoding="utf-8")
