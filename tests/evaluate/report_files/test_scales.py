"""Scales place figures, and write round ones at their axes."""

import numpy as np
import pytest

from limner.evaluate.intervals import Interval
from limner.evaluate.report_files.scales import FactorScale, Scale, round_step


@pytest.mark.parametrize("low,high", [(0, 1), (20.3, 24.9), (-3, 800), (5, 5), (0, 0), (0.99999, 1), (1, 1 + 1e-15)])
def test_ticks_are_round_few_and_within(low, high):
    scale = Scale.around(low, high, 30, 330)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(30 <= place <= 330 for place, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)
    for place, text in ticks:
        assert scale.place(float(text)) == pytest.approx(place, abs=0.5)


def test_an_axis_may_grow_downwards():
    scale = Scale.around(0, 1, 200, 10)
    assert scale.place(1) < scale.place(0)
    bar = scale.bar(Interval(0.5, float("nan"), float("nan")))
    assert bar.low == bar.high == bar.value


@pytest.mark.parametrize("low,high", [(0.3, 0.3), (0.01, 40), (0.002, 90_000)])
def test_factors_are_equally_long(low, high):
    scale = FactorScale.around(low, high, 0, 100)
    assert scale.place(2 * low) - scale.place(low) == pytest.approx(scale.place(8 * low) - scale.place(4 * low))
    assert 1 <= len(scale.ticks()) <= 11
    for place, text in scale.ticks():
        assert scale.place(float(text)) == pytest.approx(place)


def test_steps_are_round():
    assert [round_step(value) for value in (1, 1.1, 3, 7, 0.03)] == [1, 2, 5, 10, 0.05]
    assert np.isclose(round_step(0.2), 0.2)
