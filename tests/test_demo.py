import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


@pytest.mark.slow
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


@pytest.mark.slow
def test_old_photographs_side_by_side(tmp_path, monkeypatch, capsys):
    from skimage.data import astronaut

    script = DEMO.with_name("old_photos.py")
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path), str(tmp_path / "sheet.jpg")])
    with pytest.raises(SystemExit, match="limner: The folder .* holds no photograph"):
        runpy.run_path(str(script), run_name="__main__")
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "nobody.png")
    with pytest.raises(SystemExit, match="limner: No photograph in .* has a face that limner finds"):
        runpy.run_path(str(script), run_name="__main__")
    Image.fromarray(astronaut()[:288, 72:360]).save(tmp_path / "one.png")
    runpy.run_path(str(script), run_name="__main__")
    nobody, one = capsys.readouterr().out.splitlines()[-2:]
    assert nobody == "nobody.png: no face found"
    left = re.fullmatch(r"one.png: difface (\S+), refldm (\S+), ldbfr (\S+), clrface (\S+)", one)
    assert left is not None and all(0.8 < float(share) < 1.5 for share in left.groups())
    sheet = np.asarray(Image.open(tmp_path / "sheet.jpg"))
    assert sheet.shape[1] == 5 * 220 + 4 * 4 and 220 < sheet.shape[0] < 260
    before, *after = (sheet[-200:, left : left + 220].astype(int) for left in range(0, 5 * 224, 224))
    assert all(0.05 < np.abs(one - before).mean() < 30 for one in after)
