"""What drawing asks of a source of randomness, and nothing more."""

import numpy as np
import pytest

from limner.degrade.degrade import apply, draw, preset_names
from limner.degrade.scan_wear import draw_scan


class Bare:
    """Only what the protocol names."""

    def __init__(self, seed: int):
        dice = np.random.default_rng(seed)
        self.random, self.uniform, self.standard_normal = dice.random, dice.uniform, dice.standard_normal


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_drawn_from_the_protocol_alone(preset):
    face = np.random.default_rng(9).integers(0, 256, (64, 64, 3), np.uint8)
    ours, numpys = draw(preset, Bare(4), 64, 64), draw(preset, np.random.default_rng(4), 64, 64)
    np.testing.assert_array_equal(apply(face, ours), apply(face, numpys))


def test_scans_are_drawn_from_the_protocol_alone():
    assert [draw_scan(Bare(n)) for n in range(50)] == [draw_scan(np.random.default_rng(n)) for n in range(50)]
