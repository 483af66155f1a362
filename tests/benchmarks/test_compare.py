"""Which cases of two runs differ."""

from dataclasses import replace

import pytest

from cases import Case
from compare import compare, table
from limner import LimnerError
from measured import Measured, Run

CASE = Case("difface", "mini", 256, 1, "fp32", 2, 0, 1, "eager", "cpu")
OTHER = replace(CASE, batch=4)
BEFORE = Measured(CASE, (1.0, 1.1, 1.2), (100.0, 100.0, 100.0), 500.0)


def run_of(*measured: Measured) -> Run:
    return Run(("before", "after"), measured)


@pytest.mark.parametrize(
    ("seconds", "rate", "memory", "verdict"),
    [
        ((1.0, 1.1, 1.2), 100.0, 500.0, "alike"),
        ((1.15, 1.3, 1.4), 100.0, 500.0, "alike"),  # the ranges overlap
        ((1.3, 1.4, 1.5), 100.0, 500.0, "slower"),
        ((0.7, 0.8, 0.9), 100.0, 500.0, "faster"),
        ((2.0, 2.2, 2.4), 50.0, 500.0, "alike"),  # on a machine of half the speed
        ((1.0, 1.1, 1.2), 50.0, 500.0, "faster"),
        ((1.0, 1.1, 1.2), 100.0, 520.0, "alike"),
        ((1.0, 1.1, 1.2), 100.0, 600.0, "alike, more memory"),
        ((1.3, 1.4, 1.5), 100.0, 400.0, "slower, less memory"),
    ],
)
def test_the_verdict_looks_through_the_spread_and_the_machine(seconds, rate, memory, verdict):
    (found,) = compare(run_of(BEFORE), run_of(Measured(CASE, seconds, (rate,) * 3, memory)))
    assert found.verdict == verdict


def test_cases_are_matched_by_name_and_lone_ones_counted():
    before = run_of(BEFORE, replace(BEFORE, what=OTHER))
    after = run_of(replace(BEFORE, what=OTHER, seconds=(3.0, 3.0, 3.0)))
    (found,) = differences = compare(before, after)
    assert found.name == OTHER.name and found.verdict == "slower"
    told = table(before, after, differences)
    assert "A: before" in told and "B: after" in told
    assert told.endswith("1 of 1 cases differ by more than their spread; 1 stand in one run alone.")


def test_runs_with_nothing_in_common_are_refused():
    with pytest.raises(LimnerError, match="no case in common: measure both with the same options."):
        compare(run_of(BEFORE), run_of(replace(BEFORE, what=OTHER)))
