"""Each metric by its entry: the truth itself is best, and what needs more looks at the right thing."""

import numpy as np
import pytest

from limner.degrade.degrade import apply, draw
from limner.evaluate.comparison import Comparison
from limner.evaluate.definitions.fidelity import COLOUR, CONSISTENCY, GIVEN_LANDMARKS, NEARNESS, NIQE

from ..metrics.faces import face, noisy

TRUTH = face(128)


@pytest.mark.parametrize("metric", [*(one for one in NEARNESS if one is not NIQE), COLOUR], ids=lambda one: one.key)
def test_noise_is_further_from_the_truth(metric):
    same, near, far = metric.of(
        Comparison([TRUTH, noisy(TRUTH, 5), noisy(TRUTH, 30)], [TRUTH] * 3, [], {}),
    )
    assert same > near > far if metric.larger_is_better else same < near < far


def test_niqe_needs_no_truth():
    calm, wild = NIQE.of(Comparison([TRUTH, noisy(TRUTH, 60)], [], [], {}))
    assert calm < wild


def test_consistency_takes_the_inputs_degradation():
    degradation = draw("gfpgan", np.random.default_rng(0), 128, 128)
    degraded = apply(TRUTH, degradation)
    same, other = CONSISTENCY.of(
        Comparison([TRUTH, TRUTH[:, ::-1].copy()], [], [degraded] * 2, {}, degradations=[degradation] * 2)
    )
    assert same == np.inf and other < 30


def test_given_landmarks_take_the_pictures_size():
    points = np.array([[30, 40], [90, 40], [60, 60], [40, 90], [80, 90]], np.float64)
    (far,) = GIVEN_LANDMARKS.of(Comparison([TRUTH], [], [], {}, points=[(points + 1, points)]))
    assert far == pytest.approx(4 * np.sqrt(2))
