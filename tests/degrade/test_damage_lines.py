"""Lines: long and narrow, and the shading beside a fold is no damage."""

import numpy as np
import pytest

from limner.degrade.damage_lines import cracks, folds, hairs, scratches, tide_lines

KINDS = [scratches, cracks, hairs, folds, tide_lines]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("height", "width"), [(96, 96), (60, 140)])
def test_a_line_covers_little_and_is_somewhere(kind, height, width):
    shares = []
    for seed in range(12):
        layers = kind(height, width, 1.0, np.random.default_rng(seed))
        for layer in layers:
            assert layer.cover.shape == (height, width) and layer.cover.dtype == np.float32
            assert layer.cover.min() >= 0 and layer.cover.max() <= 1.001
        shares.append(max(float((layer.cover > 0.3).mean()) for layer in layers if layer.counts))
    assert 0 < np.median(shares) < 0.25


def test_lengths_scale_with_the_unit():
    narrow, broad = (
        sum((scratches(200, 200, unit, np.random.default_rng(seed))[0].cover > 0.2).mean() for seed in range(20))
        for unit in (0.8, 3.0)
    )
    assert broad > 1.5 * narrow


def test_a_fold_crosses_the_print_between_two_shades():
    for seed in range(10):
        shading, line = folds(100, 100, 1.0, np.random.default_rng(seed))
        assert shading.tints and not shading.counts and line.counts
        assert np.ptp(shading.colour) < 1.6
    assert sum(not layer.counts for layer in tide_lines(100, 100, 1.0, np.random.default_rng(0))) == 1
