"""Holes as the paper tears them: how large, where, and alike in every run."""

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.data.holes import KINDS, SHOWN, FacesWithHoles, borders, boxes, expand, halves, scratches, strokes


def shares(draw, size: int = 64, count: int = 200) -> np.ndarray:
    return np.array([(draw(size, np.random.default_rng(n)) > 0).mean() for n in range(count)])


@pytest.mark.parametrize("draw", [draw for draw, _ in SHOWN], ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("size", [64, 256])
def test_masks_are_black_and_white_and_repeat_themselves(draw, size):
    mask = draw(size, np.random.default_rng(5))
    assert mask.shape == (size, size) and mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
    assert np.array_equal(mask, draw(size, np.random.default_rng(5)))


def test_how_much_is_missing():
    assert (shares(halves) == 0.5).all()
    assert (shares(expand) == 0.75).all()  # the middle half of each side is kept
    assert shares(borders).min() >= 0.04 and shares(borders).max() <= 1 - 0.4**2
    assert shares(boxes).min() > (30 / 256) ** 2 * 0.8 and shares(boxes).max() < 0.85
    assert 0.3 < shares(strokes).mean() < 0.7
    assert shares(scratches).mean() < 0.12


def test_boxes_keep_the_papers_lengths_and_margin():
    for seed in range(50):
        rows, columns = np.nonzero(boxes(256, np.random.default_rng(seed)))
        assert min(rows.min(), columns.min()) >= 10 and max(rows.max(), columns.max()) < 246
        assert np.ptp(rows) >= 29 and np.ptp(columns) >= 29


def test_the_kinds_of_the_papers_test_set():
    assert list(KINDS) == ["box", "irregular", "expand", "half"]


def test_faces_lack_what_their_mask_says(shared):
    faces = FacesWithHoles(FaceSet.open(shared / "faces", "train"), 64, seed=0)
    for number in range(4):
        sample = faces[number]
        mask = sample["mask"]
        assert mask.shape == (1, 64, 64) and ((mask == 0) | (mask == 1)).all() and mask.any()
        torch.testing.assert_close(sample["lq"], sample["image"] * (1 - mask), rtol=0, atol=0)
        assert torch.equal(faces[number]["lq"], sample["lq"])
