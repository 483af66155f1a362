"""Being asked to end, politely."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli.stopping import ended_politely

LIMNER = [sys.executable, "-m", "limner", "restore", "--threads", "1"]


def test_a_request_to_end_is_an_interruption_within_and_only_there():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_politely():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGTERM")
def test_a_run_that_is_asked_to_end_leaves_whole_results_and_tells_of_them(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(400):
        noise = np.random.default_rng(number).integers(0, 255, (200, 200, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / f"{number:03}.png")
    words = [*LIMNER, str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json"]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and len(results(tmp_path)) < 3:
        time.sleep(0.02)
    run.terminate()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "limner: interrupted." in err
    *done, last = json.loads(out)
    assert last["error"] == "Interrupted." and 2 <= len(done) < 400
    there = results(tmp_path)
    assert {Path(one["output"]) for one in done} <= set(there) and [
        one.name for one in (tmp_path / "out").glob(".*")
    ] == [".limner"]
    for path in there:
        assert path.read_bytes() == (tmp_path / "in" / path.name).read_bytes()


def results(folder: Path) -> list[Path]:
    return sorted((folder / "out").glob("*.png")) if (folder / "out").is_dir() else []
