"""The command `limner train`: its options for nets are those of the recipes' functions."""

import subprocess
import sys

from limner.train import RECIPES, builds_on


def test_the_command_needs_no_torch():
    told = "import sys, limner.cli.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


def test_the_help_tells_which_recipes_build_on_what(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, told, _ = run("train", "--help")
    told = " ".join(told.replace("│", " ").split())
    assert code == 0
    assert "ldbfr-injection: else mini/ldbfr-prior." in told and "clrface-mask: else mini." in told
    for recipe in RECIPES:
        assert all(f"--{net.replace('_', '-')} " in told for net in builds_on(recipe))


def test_a_net_of_the_catalogue_or_a_folder_to_start_from(run, shared, tmp_path):
    words = ("--data", shared / "faces", "-o", tmp_path / "run", "--device", "cpu", "--steps", 1, "--workers", 0)
    code, _, told = run("train", "clean", "--start", "mini/estimator", *words)
    assert code == 2 and "mini/estimator has no readable config.json" in told
    code, _, told = run("train", "refldm", "--start", "mini/difface-estimator", *words)
    assert code == 2 and "mini/difface-estimator holds another net than a UNet" in told
    code, _, told = run("train", "vqgan", "--start", "mini/vqgan", *words)
    assert code == 2 and "The recipe 'vqgan' takes no --start: leave it out." in told
