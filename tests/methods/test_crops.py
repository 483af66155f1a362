"""Crops of any size on their way to the nets and back, and the noise of each result."""

import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.methods.crops import fit_to, noise_like, per_face, restored_size, stacked

from .tiny import pictures, seeded


def test_crops_of_the_right_size_pass_untouched():
    crops = pictures(2, 1, 32)
    assert fit_to(crops, 32) is crops and restored_size(crops, 32, 32) is crops


def test_crops_that_are_none_are_told_in_a_sentence():
    crop = np.zeros((32, 32, 3), np.uint8)
    assert stacked([crop, crop]).shape == (2, 3, 32, 32)
    for wrong in (crop.astype(np.float32), crop[:16], crop[..., 0], np.zeros((64, 64, 3), np.uint8)):
        with pytest.raises(LimnerError, match=r"Aligned crops are \(S, S, 3\) in uint8 and all of one size, not \("):
            stacked([crop, wrong])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 44), (16, 32)])
def test_other_sizes_go_and_come_back(height, width):
    smooth = torch.linspace(0, 1, width).expand(2, 3, height, width)
    there = fit_to(smooth, 32)
    assert there.shape == (2, 3, 32, 32)
    back = restored_size(there, height, width)
    assert back.shape == smooth.shape and (back - smooth).abs().mean() < 0.01


def test_what_comes_back_lies_within_0_and_1():
    checked = (torch.arange(8) % 2).float().expand(1, 3, 8, 8)
    assert fit_to(checked, 32).max() > 1, "bicubic overshoots"
    back = restored_size(checked, 32, 32)
    assert back.min() == 0 and back.max() == 1


def drawn(generators):
    return [torch.randn(1, generator=one).item() for one in generators]


def test_each_result_has_a_generator_of_its_own():
    own = [seeded(seed) for seed in range(3)]
    assert per_face(own, 3) == own
    source = seeded()
    assert per_face(source, 1) == [source]
    assert drawn(per_face(seeded(), 3)) == drawn(per_face(seeded(), 3)) != drawn(per_face(seeded(2), 3))
    assert len(set(drawn(per_face(seeded(), 3)))) == 3
    assert drawn(per_face(None, 2)) == drawn(per_face(seeded(0), 2))
    with pytest.raises(LimnerError, match="3 results need 3 generators, not 2."):
        per_face(own[:2], 3)


def test_noise_does_not_depend_on_its_company():
    cpu = torch.device("cpu")
    both = noise_like((3, 4, 5), [seeded(1), seeded(2)], cpu)
    assert both.shape == (2, 3, 4, 5) and torch.equal(both[1:], noise_like((3, 4, 5), [seeded(2)], cpu))
