"""The command as the documentation starts it with two processes."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_torchrun_trains_with_two_processes(shared, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "limner"]
    command += ["train", "difface-estimator", "--data", str(shared / "faces"), "-o", str(tmp_path / "run")]
    command += ["--device", "cpu", "--threads", "1", "--workers", "0", "--steps", "1", "--every", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("The weights are in") == 2, "both processes came to the end"
    weights = tmp_path / "run" / "weights"
    assert json.loads((weights / "config.json").read_text()) and list(weights.glob("*.safetensors"))
