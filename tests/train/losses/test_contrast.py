"""Contrast by octave: what a blur takes shows in the finest, wherever it is, and light and colour are none."""

import pytest
import torch

from limner.train.losses.contrast import contrasts


def test_as_much_as_there_is_of_each_octave():
    grain = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)).expand(1, 3, 64, 64)
    smooth = torch.nn.functional.avg_pool2d(grain, 5, 1, 2)
    for ours, theirs in zip(contrasts(0.1 * grain, 3), contrasts(0.2 * grain, 3), strict=True):
        assert ours.shape == theirs.shape and (ours / theirs).mean().item() == pytest.approx(0.5, abs=0.02)
    lost = [(a.mean() / b.mean()).item() for a, b in zip(contrasts(smooth, 3), contrasts(grain, 3), strict=True)]
    assert lost[0] < 0.3 and lost[0] < lost[1] < lost[2]


def test_where_it_is():
    half = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    half[..., 32:] = 0.5
    finest = contrasts(half, 1)[0][0, 0]
    assert finest.shape == (8, 8) and finest[:, :3].min() > 20 * finest[:, 5:].max()
