import numpy as np
import pytest
from PIL import Image

from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.report import Column, Report, Row, contact_sheet, save_sheet


def test_pictures_stand_in_their_places():
    rows = [[np.full((30, 40, 3), 10 * (3 * r + c), np.uint8) for c in range(3)] for r in range(2)]
    sheet = contact_sheet(rows, ["input", "method", "truth"], gap=4)
    assert sheet.shape == (22 + 2 * 34, 3 * 44 - 4, 3)
    assert (sheet[22 + 15, 20 + 44] == 10).all() and (sheet[22 + 34 + 15, 20 + 88] == 50).all()
    assert (sheet[22 + 15, 41] == 255).all()


def test_saves_faces_spread_over_all(tmp_path):
    pictures = [[np.full((8, 8, 3), i, np.uint8)] for i in range(100)]
    save_sheet(tmp_path / "docs" / "sheet.png", pictures, ["x"], most=3)
    sheet = np.asarray(Image.open(tmp_path / "docs" / "sheet.png"))
    assert [sheet[22 + 4 + row * 12, 4, 0] for row in range(3)] == [0, 50, 99]


def test_a_cell_is_its_figure_in_the_column_s_form():
    row = Row({"mean": 0.12345, "spread": 0.5, "gain": None})
    assert Column("mean", "likeness", ".3f", " ± {spread:.1f}").cell(row) == "0.123 ± 0.5"
    assert Column("gain", "gain", "+.2f", " of {spread}").cell(row) == "-"
    assert row.number("mean") == 0.12345
    with pytest.raises(TypeError, match="'gain' is None"):
        row.number("gain")


def test_what_could_not_be_told_is_a_dash_and_null():
    column = Column("kernel", "kernel", ".1f", " of {kernel}")
    row = Row({"kernel": float("nan")})
    assert column.cell(row) == "-" and column.text(None) == column.text(float("nan")) == "-"
    assert column.between(mean_interval(np.arange(3.0))) == "-", "fewer than four pictures"
    assert column.between(Interval(2, 1, 3)) == "1.0 to 3.0" and column.text(float("inf")) == "inf"
    assert Report({}, [row], (column,)).as_json() == {"rows": [{"kernel": None}]}


def test_a_report_in_both_forms():
    report = Report({"protocol": "toy"}, [Row({"a": 1, "b": 2.0})], (Column("b", "B", ".1f"),), rows_key="points")
    assert report.as_json() == {"protocol": "toy", "points": [{"a": 1, "b": 2.0}]}
    assert (report.headings(), report.cells()) == (["B"], [["2.0"]])
