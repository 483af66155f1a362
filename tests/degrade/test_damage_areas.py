"""Areas: covers of the right shape, missing paper at the edge, dots small and stains soft."""

import numpy as np
import pytest

from limner.degrade.damage_areas import blots, dust, fingerprints, mould, silvering, stains, tears

KINDS = [dust, blots, tears, stains, mould, fingerprints, silvering]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("height", "width"), [(96, 96), (60, 140)])
def test_covers_fit_the_picture(kind, height, width):
    shares = []
    for seed in range(12):
        layers = kind(height, width, 1.0, np.random.default_rng(seed))
        for layer in layers:
            assert layer.cover.shape == (height, width) and layer.cover.dtype == np.float32
            assert layer.cover.min() >= 0 and layer.cover.max() <= 1.001
            assert np.broadcast_shapes(layer.colour.shape, (height, width, 3)) == (height, width, 3)
        shares.append(max(float(layer.cover.max()) for layer in layers if layer.counts))
    assert np.median(shares) > 0.2


def test_a_tear_begins_at_the_edge_behind_a_white_rim():
    at_edge = 0
    for seed in range(20):
        _, core, gone = tears(120, 120, 1.0, np.random.default_rng(seed))
        rim = np.concatenate([gone.cover[0], gone.cover[-1], gone.cover[:, 0], gone.cover[:, -1]])
        at_edge += rim.max() > 0.9
        assert (core.cover >= gone.cover - 0.01).all() and core.colour.mean() > 0.75
        assert gone.cover[50:70, 50:70].mean() < 1
    assert at_edge > 12


def test_specks_are_small_and_stains_are_soft():
    for seed in range(10):
        (speck,) = dust(120, 120, 1.0, np.random.default_rng(seed))
        assert (speck.cover > 0.3).mean() < 0.15
    edges = [np.abs(np.diff(stains(120, 120, 1.0, np.random.default_rng(seed))[0].cover)).max() for seed in range(20)]
    sharp = [np.abs(np.diff(blots(120, 120, 1.0, np.random.default_rng(seed))[0].cover)).max() for seed in range(20)]
    assert np.median(edges) < 0.6 * np.median(sharp)
