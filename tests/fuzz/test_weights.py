"""A few of the cases of `python -m tests.fuzz.weights`, which has a thousand."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_hostile_weights_are_read_or_refused():
    command = [sys.executable, "-m", "tests.fuzz.weights", "--count", "60", "--seed", "7"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "60 cases of seed 7" in done.stdout and " 0 failed" in done.stdout
