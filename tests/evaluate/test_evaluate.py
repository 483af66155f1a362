"""Anybody's pictures are measured, and told of."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate import evaluate
from limner.evaluate.measure import Measures
from limner.evaluate.metric_registry import PSNR
from limner.photo.write import save_png


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders of five restored pictures and their truths, which are measured by PSNR alone."""
    monkeypatch.setattr(evaluate, "standard_extractors", list)
    monkeypatch.setattr(evaluate, "measures_of", lambda *given, **more: Measures((PSNR,), (), ()))
    generator = np.random.default_rng(0)
    for name in "abcde":
        truth = generator.integers(20, 200, (16, 16, 3), np.uint8)
        for folder, picture in (("truth", truth), ("restored", truth + np.uint8(2))):
            (tmp_path / folder).mkdir(exist_ok=True)
            save_png(tmp_path / folder / f"<{name}>.png", picture)
    return tmp_path


def test_a_report_lies_beside_the_figures(folders):
    out = folders / "out"
    evaluate.evaluate_folder(folders / "restored", folders / "truth", None, out)
    assert {path.name for path in out.iterdir()} == {"pictures.csv", "summary.json", "report.html", "report.md"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "42.11" in page and "&lt;a&gt;" in page and "<a>" not in page


def test_nothing_is_kept_without_an_output(folders):
    before = {path.name for path in folders.iterdir()}
    summary = evaluate.evaluate_folder(folders / "restored", folders / "truth", None, None)
    assert summary.estimates["psnr"].value == pytest.approx(10 * np.log10(255**2 / 4))
    assert {path.name for path in folders.iterdir()} == before


def test_figures_of_other_pictures_are_refused(folders):
    out = folders / "out"
    evaluate.evaluate_folder(folders / "restored", folders / "truth", None, out)
    (folders / "restored" / "<c>.png").unlink()
    with pytest.raises(LimnerError, match="not asked for, such as <c>"):
        evaluate.evaluate_folder(folders / "restored", folders / "truth", None, out)
