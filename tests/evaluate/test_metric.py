"""What makes figures of comparisons."""

import numpy as np
import pytest

from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.metric import degrees, each, input_likeness, likeness, person_likeness

PICTURES = [np.full((4, 4, 3), value, np.uint8) for value in (10, 30)]
SEEN = Comparison(
    PICTURES,
    PICTURES[::-1],
    [],
    {"net": Likeness(np.array([0.5, -1.0]))},
    {"net": np.array([0.1, 0.2])},
    {"net": np.array([0.3, 0.4])},
)


def test_each_pairs_pictures_and_truths():
    assert each(lambda a, b: float(a.mean() - b.mean()))(SEEN).tolist() == [-20, 20]


def test_likeness_to_whom():
    assert likeness("net")(SEEN).tolist() == [0.5, -1]
    assert degrees("net")(SEEN) == pytest.approx([60, 180])
    assert input_likeness("net")(SEEN).tolist() == [0.1, 0.2]
    assert person_likeness("net")(SEEN).tolist() == [0.3, 0.4]
