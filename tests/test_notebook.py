"""The notebook runs from its first cell to its last, without a network and in a short time."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NOTEBOOK = Path(__file__).parents[1] / "examples" / "restoring.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SECONDS = 20  # of a processor, which other programs don't change


def code_cells() -> list[str]:
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_the_notebook_holds_no_results():
    """What a run left in it would grow old unseen, and no two are alike."""
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in CELLS if cell["cell_type"] == "code")
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, source in enumerate(code_cells()):
        exec(compile(source, f"{NOTEBOOK.name}, code cell {number}", "exec"), namespace)
    assert time.process_time() - started < SECONDS
    told = capsys.readouterr().out
    assert "face 0: box" in told and told.count("called off") == 1
    truth, spoilt = (np.asarray(namespace[name], float) for name in ("truth", "spoilt"))
    restored = np.asarray(Image.open("restored.png"), float)
    eyes_to_mouth = slice(70, 160), slice(110, 195)
    assert np.abs(restored - truth)[eyes_to_mouth].mean() < 0.9 * np.abs(spoilt - truth)[eyes_to_mouth].mean()
    assert Image.open("restored.jpg").size == (288, 288)
