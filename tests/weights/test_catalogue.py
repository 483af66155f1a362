"""The catalogue: names, places, and that a licence is always stated."""

from dataclasses import replace
from pathlib import Path

import pytest

from limner.errors import WeightsError
from limner.weights import WEIGHTS, Embedded, Published, find, models_dir
from limner.weights.catalogue import megabytes


@pytest.mark.parametrize("weights", WEIGHTS, ids=lambda weights: weights.name)
def test_every_entry_is_found_and_states_its_facts(weights, tmp_path):
    assert find(weights.name) is weights
    facts = dict(weights.facts(tmp_path))
    assert all(facts[label] for label in ("name", "purpose", "licence", "place"))


def test_names_are_unique():
    assert len({weights.name for weights in WEIGHTS}) == len(WEIGHTS)


def test_a_published_entry_answers_to_its_file():
    assert find("iddpm_ffhq512_ema500000.pth").name == "official/difface-prior"


def test_an_unknown_name_lists_what_is_near():
    with pytest.raises(WeightsError, match=r"no weights called 'mini/diface-prior': did you mean .*mini/difface-prior"):
        find("mini/diface-prior")
    with pytest.raises(WeightsError, match=r"'zzz': did you mean mini/proposals or .* or official/yunet\?"):
        find("zzz")


@pytest.mark.parametrize("weights", [w for w in WEIGHTS if isinstance(w, Embedded)], ids=lambda weights: weights.name)
def test_embedded_weights_are_there_with_a_card(weights):
    assert weights.present()
    facts = dict(weights.facts())
    assert len(facts["sha256"]) == 64 and facts["licence"] == "Apache-2.0"
    assert "icen" in weights.card()
    assert len(weights.files()) == 1


def test_facts_of_a_published_file_before_and_after(tmp_path):
    weights = find("official/difface-prior")
    assert isinstance(weights, Published)
    facts = dict(weights.facts(tmp_path))
    assert facts["size"] == "about 639 MB"
    assert facts["licence"] == "NTU S-Lab License 1.0, non-commercial"
    assert facts["place"].endswith("iddpm_ffhq512_ema500000.pth (not there yet)")
    assert facts["sha256"].startswith("not published by the authors")
    weights.path(tmp_path).write_bytes(b"x" * 1500)
    weights.record(tmp_path).write_text("abc  iddpm_ffhq512_ema500000.pth\n")
    facts = dict(weights.facts(tmp_path))
    assert facts["size"] == "2 kB"
    assert facts["sha256"].startswith("abc (not published by the authors; recorded")
    assert dict(replace(weights, sha256="def").facts(tmp_path))["sha256"] == "def"


def test_models_dir(monkeypatch):
    monkeypatch.setenv("LIMNER_MODELS", "~/models")
    assert models_dir() == Path.home() / "models"
    monkeypatch.delenv("LIMNER_MODELS")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert models_dir() == Path("/cache/limner")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models_dir() == Path.home() / ".cache/limner"
    monkeypatch.setattr("sys.platform", "darwin")
    assert models_dir() == Path.home() / "Library/Caches/limner"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert models_dir() == Path("/local/limner")


@pytest.mark.parametrize(
    ("size", "text"),
    [(639_153_816, "639 MB"), (9_640_000, "9.6 MB"), (232_589, "233 kB"), (1_000_000, "1.0 MB")],
)
def test_megabytes(size, text):
    assert megabytes(size) == text
