"""Distances of two sets that are not paired; of paired ones see `test_measure.py`."""

import tracemalloc

import numpy as np
import pytest

from limner.evaluate import set_distances
from limner.evaluate.metrics.distribution import frechet_distance, kernel_distance, moments
from limner.evaluate.set_distances import (
    frechet_interval,
    frechet_to_photographs,
    kernel_interval,
    kernel_to_photographs,
)


@pytest.mark.parametrize("many", [8, 60])
def test_they_agree_with_the_formulas(many):
    generator = np.random.default_rng(0)
    ours, photographs = generator.normal(0.2, 1.1, (many, 12)), generator.normal(size=(90, 12))
    frechet, kernel = frechet_to_photographs(ours, photographs), kernel_to_photographs(ours, photographs)
    assert frechet.value == pytest.approx(frechet_distance(moments(ours), moments(photographs)))
    assert frechet.low < frechet.value < frechet.high
    expected = kernel_distance(ours, photographs, np.random.default_rng(0))
    assert kernel.value == pytest.approx(1000 * expected.value) and kernel.low < kernel.value < kernel.high


def test_more_unlike_is_further_and_too_few_have_none():
    generator = np.random.default_rng(1)
    photographs = generator.normal(size=(80, 6))
    ours = generator.normal(size=(40, 6))
    for measure in (frechet_to_photographs, kernel_to_photographs):
        near, far = (measure(ours + shift, photographs).value for shift in (0, 1))
        assert near < far
        assert np.isnan(measure(ours[:1], photographs).value)


@pytest.mark.parametrize("measure", [frechet_interval, frechet_to_photographs])
def test_many_pictures_are_summed_up_to_the_same(measure, monkeypatch):
    generator = np.random.default_rng(0)
    ours, theirs = generator.normal(0.2, 1.1, (60, 12)), generator.normal(size=(60, 12))
    few = measure(ours, theirs)
    monkeypatch.setattr(set_distances, "MANY", 20)
    monkeypatch.setattr("limner.evaluate.metrics.distribution.BATCH", 7)
    many = measure(ours, theirs)
    assert many.value == pytest.approx(few.value)
    assert many.low < many.value < many.high and (many.high - many.low) == pytest.approx(few.high - few.low, rel=0.4)


@pytest.mark.parametrize("measure", [frechet_interval, kernel_interval, frechet_to_photographs, kernel_to_photographs])
def test_memory_does_not_grow_with_the_pictures(measure, monkeypatch, tmp_path):
    monkeypatch.setattr(set_distances, "MANY", 100)
    monkeypatch.setattr("limner.evaluate.metrics.distribution.BATCH", 100)
    monkeypatch.setattr(kernel_distance, "__defaults__", (False, 100))  # pictures of a subset
    peaks = []
    for count in (400, 4000):
        rows = np.random.default_rng(0).normal(size=(count, 2, 16)).astype(np.float32)
        rows.tofile(tmp_path / "rows")
        on_disk = np.memmap(tmp_path / "rows", np.float32, "r", shape=rows.shape)
        tracemalloc.start()
        measure(on_disk[:, 0], on_disk[:, 1])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # a whole set's features as float64 are 512,000 bytes; orders and flags of single pictures may grow
    assert peaks[1] < peaks[0] + 250_000
