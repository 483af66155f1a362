"""The enlarger, untrained: cubic interpolation at any size, an eye for no more than its surroundings."""

import pytest
import torch

from limner.nets.enlarge import Enlarger, interpolated


@pytest.mark.parametrize(("height", "width"), [(37, 90), (64, 64), (5, 3)])
def test_an_untrained_one_interpolates_at_any_size(height, width):
    picture = torch.rand(2, 3, height, width)
    large = Enlarger()(picture)
    assert large.shape == (2, 3, 2 * height, 2 * width) and torch.equal(large, interpolated(picture))


@pytest.mark.parametrize("patch", [1, 2])
def test_what_it_adds_lies_where_it_was_seen(patch):
    net = Enlarger(patch_size=patch, widths=(8, 8), depths=(1, 1))
    torch.nn.init.normal_(net.head.weight)
    picture = torch.full((1, 3, 64, 64), 0.5)
    changed = picture.clone()
    changed[..., 40, 20] = 1.0
    difference = (net(changed) - net(picture)).abs().sum(1)[0]
    rows, columns = torch.nonzero(difference > 0.05 * difference.max(), as_tuple=True)
    assert abs(rows.float().mean() - 80.5) < 4 and abs(columns.float().mean() - 40.5) < 4
