"""From pictures to figures, estimates and galleries."""

import numpy as np
import pytest

from limner.evaluate.extractors import Extractor
from limner.evaluate.measure import Measures, nearest_truths
from limner.evaluate.metric import Metric, SetMetric
from limner.evaluate.metric_registry import PSNR
from limner.evaluate.metrics.distribution import frechet_distance, kernel_distance, moments
from limner.evaluate.picture_sets import Seen
from limner.evaluate.set_distances import frechet_interval, kernel_interval


def colours(pictures):
    means = np.array([picture.mean(axis=(0, 1)) for picture in pictures])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


EYE = Extractor("colour", "recogniser", 3, colours, "mean colour", "none needed")


def rank(seen):
    return seen.likeness["colour"].nearest


RANK = Metric(
    key="rank",
    heading="rank",
    form=".1%",
    definition="nearest",
    range="0 to 1",
    larger_is_better=True,
    of=rank,
    extractor="colour",
    needs=frozenset({"truth", "gallery"}),
)
FAR = SetMetric(
    key="far",
    heading="far",
    form=".2f",
    definition="distance",
    range="0 upwards",
    larger_is_better=False,
    extractor="colour",
    of=frechet_interval,
    needs=frozenset({"truth"}),
)


def test_a_set_is_measured_and_summed_up(tmp_path):
    generator = np.random.default_rng(0)
    measures = Measures((PSNR, RANK), (FAR,), (EYE,), timed=True)
    measured = measures.open(tmp_path)
    for name in "abcdef":
        truth = np.full((8, 8, 3), generator.integers(20, 200, 3), np.uint8)
        measures.add(measured, Seen(name, truth + np.uint8(2), truth), seconds=0.5)
    summary = measures.summary("row", measures.open(tmp_path), {})
    assert summary.names == tuple("abcdef")
    assert summary.estimates["psnr"].value == pytest.approx(10 * np.log10(255**2 / 4))
    assert summary.estimates["rank"].value == 1 and summary.estimates["seconds"].value == 0.5
    ours, theirs = measured.vectors("colour")
    assert summary.estimates["far"].value == pytest.approx(frechet_distance(moments(ours), moments(theirs)), abs=1e-6)


def test_the_nearest_truth_is_looked_for_in_blocks(monkeypatch):
    monkeypatch.setattr("limner.evaluate.measure.BLOCK", 3)
    generator = np.random.default_rng(0)
    theirs = generator.normal(size=(10, 16))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = theirs.copy()
    ours[[2, 7]] = ours[[7, 2]]
    found = nearest_truths(ours, theirs)
    assert np.flatnonzero(~found.nearest).tolist() == [2, 7]
    np.testing.assert_allclose(found.own, (ours * theirs).sum(axis=1))


def test_intervals_of_distances_agree_with_the_formulas():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(50, 12)), generator.normal(0.2, 1.1, size=(50, 12))
    frechet, kernel = frechet_interval(a, b), kernel_interval(a, b)
    assert frechet.value == pytest.approx(frechet_distance(moments(a), moments(b)))
    assert frechet.low < frechet.value < frechet.high
    expected = kernel_distance(a, b, np.random.default_rng(0), paired=True)
    assert kernel.value == pytest.approx(1000 * expected.value)
    assert np.isnan(kernel_interval(a[:3], b[:3]).value)


def test_a_truth_is_looked_at_once_for_all_rows(tmp_path):
    looked = []

    def looking(pictures):
        looked.extend(pictures)
        return colours(pictures)

    eye = Extractor("colour", "recogniser", 3, looking, "mean colour", "none needed")
    measures = Measures((PSNR,), (FAR,), (eye,))
    tables = [measures.open(tmp_path / row) for row in ("one", "other")]
    for name in "ab":
        truth = np.full((8, 8, 3), ord(name), np.uint8)
        for shift, table in enumerate(tables, 1):
            measures.add(table, Seen(name, truth + np.uint8(shift), truth))
    assert [int(picture.flat[0]) for picture in looked] == [98, 97, 99, 99, 98, 100]
    np.testing.assert_array_equal(tables[0].vectors("colour")[1], tables[1].vectors("colour")[1])
