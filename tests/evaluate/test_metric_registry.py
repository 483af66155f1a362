"""One entry is all that a metric takes."""

import json

import numpy as np
import pytest

from limner.evaluate import harm, limner_test, metric_registry
from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.metric import Metric, each
from limner.evaluate.metric_registry import (
    HOG_RANK1,
    METRICS,
    PERCEPTUAL,
    SET_METRICS,
    TRUTH,
    defined_in,
    metrics_of,
    set_metrics_of,
)

BOTH = ("limner-test", "harm")


@pytest.fixture
def toy(monkeypatch):
    """How much brighter a face came out, in hundredths of a grey level."""
    brighter = Metric(
        key="brighter",
        heading="brighter",
        form="+.1f",
        definition="how much brighter a face came out",
        range="any",
        of=each(lambda restored, truth: float(restored.mean() - truth.mean())),
        larger_is_better=None,
        needs=TRUTH,
        protocols=BOTH,
        factor=100,
    )
    monkeypatch.setattr(metric_registry, "METRICS", (*METRICS, brighter))
    return brighter


@pytest.mark.slow
@pytest.mark.parametrize("protocol", BOTH)
def test_a_metric_is_one_entry(toy, protocol, run, shared, monkeypatch):
    monkeypatch.setattr(harm, "SIZES", (256,))
    words = ["--protocol", protocol, "--data", shared / "faces", "--limit", 1, "--steps", 0, "--threads", 1]
    code, out, err = run("benchmark", *words, "--json")
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert all(isinstance(row["brighter"], float) for row in rows) and len({row["brighter"] for row in rows}) > 1
    code, out, err = run("benchmark", *words)
    heading, *lines = out.splitlines()
    assert code == 0 and heading.split().count("brighter") == 1 and len(lines) == len(rows)
    assert all(f"{row['brighter']:+.1f}" in line.split() for row, line in zip(rows, lines, strict=True))


def seen(nearest=None):
    pictures = [np.full((8, 8, 3), grey, np.uint8) for grey in (10, 20)]
    return Comparison(pictures, pictures[::-1], pictures, {"hog": Likeness(np.array([0.5, 0.7]), nearest)})


def test_figures_are_one_for_each_face(toy):
    assert toy.of(seen()).tolist() == [-10, 10]
    assert toy.mean(np.array([1.0, 2.0])) == 150
    assert HOG_RANK1.mean(HOG_RANK1.of(seen(np.array([True, False])))) == 0.5
    with pytest.raises(ValueError, match="gallery"):
        HOG_RANK1.of(seen())


def test_a_protocol_gives_what_its_metrics_need(toy):
    everything = {"truth", "input", "gallery"}
    keys = [metric.key for metric in metrics_of("limner-test", everything)]
    assert [key for key in keys if key in ("psnr", "rank1", "landmarks", "brighter")] == ["psnr", "rank1", "brighter"]
    keys = [metric.key for metric in metrics_of("limner-test", {"truth"})]
    assert "psnr" in keys and "rank1" not in keys, "what needs more is left out"


def test_fixed_protocols_offer_what_their_metrics_need():
    restored = {*limner_test.OFFERED, "photographs"}
    offers = {"limner-test": restored, "steps": restored, "harm": harm.OFFERED}
    for one in (*METRICS, *SET_METRICS):
        for name in offers.keys() & set(one.protocols):
            assert one.needs <= offers[name], f"{name} never shows {one.key}"


def test_two_metrics_of_a_protocol_cannot_share_a_key(toy, monkeypatch):
    monkeypatch.setattr(metric_registry, "METRICS", (toy, toy))
    with pytest.raises(ValueError, match="share a key"):
        metrics_of("harm", {"truth", "input"})


def test_equal_faces_have_no_perceptual_distance():
    face = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    pair = Comparison([face, face], [face, 255 - face], [face, face], {})
    same, other = PERCEPTUAL.of(pair)
    assert same == 0 and other > 0.01


@pytest.mark.parametrize("metric", [*METRICS, *SET_METRICS], ids=lambda metric: metric.key)
def test_every_metric_says_what_it_is(metric):
    assert metric.definition and metric.range


def test_one_whose_package_is_missing_is_left_out(monkeypatch):
    from limner.evaluate import metric

    monkeypatch.setattr(metric, "find_spec", lambda name: None)
    there = {one.key for one in metrics_of("evaluate", {"truth", "input", "gallery"})}
    assert "psnr" in there and not there & {"perceptual", "colour"}
    assert not set_metrics_of("evaluate", {"truth", "photographs"})
    assert {"perceptual", "colour", "frechet", "kernel"} < {one.key for one in defined_in("evaluate")}
