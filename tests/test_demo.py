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
    before, after = sheet[22:534, :512], sheet[22:534, 516:1028]
    assert (before != after).any() and (before[:, :40] == after[:, :40]).all()
