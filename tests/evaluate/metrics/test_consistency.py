"""What the input was made from is consistent with it, and what contradicts it isn't."""

import numpy as np
import pytest

from limner.degrade.degrade import apply, draw
from limner.degrade.degrade import truth as truth_of
from limner.evaluate.metrics.consistency import consistency

from .faces import blurred, face


@pytest.mark.parametrize("preset", ["gfpgan", "ffhq-ref-severe", "old-print"])
def test_the_truth_is_consistent(preset: str):
    clean = face(128)
    degradation = draw(preset, np.random.default_rng(5 if preset == "old-print" else 2), 128, 128)
    degraded, truth = apply(clean, degradation), truth_of(clean, degradation)
    assert (truth != clean).any() == (preset == "old-print"), "a print has its own tone"
    assert consistency(truth, degraded, degradation) == np.inf
    shifted = [np.clip(truth.astype(int) + step, 0, 255).astype(np.uint8) for step in (4, 12, 40)]
    figures = [consistency(picture, degraded, degradation) for picture in shifted]
    assert figures[0] > figures[1] > figures[2]


def test_it_does_not_ask_for_what_the_input_has_lost():
    truth = face(128)
    degradation = draw("ffhq-ref-severe", np.random.default_rng(2), 128, 128)
    degraded = apply(truth, degradation)
    lacking = consistency(blurred(truth, 0.6), degraded, degradation)
    assert lacking > 35 and lacking > consistency(truth[:, ::-1].copy(), degraded, degradation) + 10
    assert lacking > consistency(degraded, degraded, degradation), "the input itself would be degraded twice"
