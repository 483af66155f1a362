"""Distances of two sets that are not paired; of paired ones see `test_measure.py`."""

import numpy as np
import pytest

from limner.evaluate.metrics.distribution import frechet_distance, kernel_distance, moments
from limner.evaluate.set_distances import frechet_to_photographs, kernel_to_photographs


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
