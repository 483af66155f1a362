import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


def test_the_demo_shows_before_and_after(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(DEMO)])
    runpy.run_path(str(DEMO), run_name="__main__")
    assert "1 face(s) restored" in capsys.readouterr().out
    sheet = np.asarray(Image.open(tmp_path / "demo" / "before_after.png"))
    before, after, truth = (sheet[22 : 22 + 288, left : left + 288].astype(int) for left in (0, 292, 584))
    face = (slice(70, 160), slice(110, 195))
    assert np.abs(after - truth)[face].mean() < 0.9 * np.abs(before - truth)[face].mean(), "no nearer to the truth"
    assert (before[:, :20] == after[:, :20]).all()
