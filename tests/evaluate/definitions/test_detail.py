"""Ratios of detail are 1 of the truth itself, and less of a blurred one."""

import pytest

from limner.evaluate.comparison import Comparison
from limner.evaluate.definitions.detail import DETAIL, TOP_OCTAVES, TRUE_DETAIL

from ..metrics.faces import blurred, face


@pytest.mark.parametrize("metric", [*DETAIL, TOP_OCTAVES, TRUE_DETAIL], ids=lambda metric: metric.key)
def test_of_the_truth_and_of_a_blurred_one(metric):
    truth = face(128)
    same, soft = metric.of(Comparison([truth, blurred(truth, 2)], [truth, truth], [], {}))
    assert same == pytest.approx(1, abs=1e-6)
    if not metric.key.startswith("lattice") and metric.key not in ("octave_3", "octave_4"):
        assert soft < 0.9
