"""`limner evaluate` and what it prints."""

import json

import numpy as np
import pytest

from limner.photo.write import save_png


def pictures(folder, seed, side=96):
    folder.mkdir()
    for number in range(4):
        generator = np.random.default_rng([seed, number])
        save_png(folder / f"{number}.png", generator.integers(0, 256, (side, side, 3)).astype(np.uint8))
    return folder


def test_every_option_reaches_the_measures(run, tmp_path, monkeypatch):
    from limner.evaluate import evaluate as module

    seen = []

    def evaluate_folder(what, folder, done):
        seen.append(what)
        return module.Summary("r", {}, ("a",), {}, {}), ()

    monkeypatch.setattr(module, "evaluate_folder", evaluate_folder)
    words = ["evaluate", "r", "--against", "t", "--real", "p", "--inputs", "i", "--references", "o", "--threads", 1]
    words += ["--degradation", "gfpgan", "--landmarks", "a.csv", "--landmarks", "b.csv", "--net", "niqe=n.mat"]
    code, out, err = run(*words, "--net", "arcface=f", "-o", tmp_path / "out", "--json")
    assert code == 0, err
    assert json.loads(out)["row"] == "r"
    told = {key: str(value) for key, value in vars(seen[0]).items()}
    assert [told[key] for key in ("restored", "against", "real", "inputs", "references")] == ["r", "t", "p", "i", "o"]
    assert seen[0].degradation == "gfpgan" and seen[0].nets == ("niqe=n.mat", "arcface=f")
    assert [path.name for path in seen[0].landmarks] == ["a.csv", "b.csv"]


def test_without_anything_to_hold_them_against(run, tmp_path):
    code, _, err = run("evaluate", pictures(tmp_path / "r", 0), "--threads", 1)
    assert code != 0 and "give --against TRUTH, --real PHOTOGRAPHS or --inputs" in " ".join(err.split())


@pytest.mark.slow
def test_a_table_of_what_was_measured(run, tmp_path):
    restored, truth = pictures(tmp_path / "r", 0), pictures(tmp_path / "t", 1)
    code, out, err = run("evaluate", restored, "--against", truth, "-o", tmp_path / "out", "--threads", 1)
    assert code == 0, err
    assert out.split()[:2] == ["metric", "value"] and "PSNR dB" in out and "consistency" not in out
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["facts"]["without_figure"] == {"landmarks": 4}, "noise has no face"
