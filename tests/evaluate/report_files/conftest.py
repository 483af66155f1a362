"""Evaluations without a net: figures as a test gives them, and small plain pictures."""

import numpy as np
import pytest

from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report_files.evaluation import Evaluation, UsedWeights
from limner.evaluate.summary import Summary


def picture_called(text, side=24):
    return np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).integers(
        0, 255, (side, side, 3), np.uint8
    )


def see(row, name):
    return Seen(name, picture_called(row + name), picture_called(name), picture_called("given" + name))


def see_without_input(row, name):
    return Seen(name, picture_called(row + name), picture_called(name))


@pytest.fixture
def summed():
    """A function that makes a summary of figures by the metrics' keys."""

    def make(row, names, sets=None, **figures):
        values = {key: np.asarray(one, float) for key, one in figures.items()}
        estimates = {key: mean_interval(one) for key, one in values.items()}
        facts = {"preset": "ffhq-ref-severe"}
        return Summary(row, facts, tuple(names), values, estimates | (sets or {}))

    return make


@pytest.fixture
def evaluated(summed):
    """Two rows of eight pictures, the second one surely better by PSNR and not by SSIM."""
    names = [f"face_{number}" for number in range(8)]
    noise = np.random.default_rng(0).normal(0, 1, (4, 8))
    rows = [
        summed(
            "input",
            names,
            {"frechet": Interval(90.0, 80.0, 100.0)},
            psnr=20 + noise[0],
            ssim=0.6 + 0.01 * noise[1],
            detail=0.1 + 0.01 * noise[2],
            perceptual=800 + noise[3],
            seconds=[1e-6] * 8,
        ),
        summed(
            "difface",
            names,
            {"frechet": Interval(40.0, 35.0, 45.0)},
            psnr=24 + noise[0],
            ssim=0.6 + 0.01 * noise[1][::-1],
            detail=0.6 + 0.01 * noise[2],
            perceptual=700 + noise[3],
            seconds=[0.5] * 8,
        ),
    ]
    return Evaluation("limner-test", rows, see, [UsedWeights("mini", "restoring: difface", "Apache-2.0")])


@pytest.fixture
def no_inputs():
    """Pictures that nobody knows the inputs of."""
    return see_without_input
