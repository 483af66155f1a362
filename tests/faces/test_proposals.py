"""Guesses where a face might be."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner.faces.align import transform
from limner.faces.find import load_proposal_net
from limner.faces.proposals import (
    LARGEST_COPY,
    RIM,
    SMALLEST_COPY,
    Proposals,
    copies,
    frames,
    look_over,
    propose,
    scale_of,
)
from limner.nets.proposals import STEP, STRIDE, UNIT, ProposalNet

FACE = np.array([[203.2, 100.8], [247.0, 104.0], [224.3, 128.5], [202.1, 139.5], [243.0, 142.5]])
"""The astronaut's eyes, nose and corners of the mouth."""


class Seeing(ProposalNet):
    """Sees a face in the brightest cell, and keeps the shapes that it was shown."""

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.shown = tuple(pictures.shape)
        heat = torch.nn.functional.avg_pool2d(pictures.mean(1), STRIDE)
        heat = torch.where(heat == heat.max(), 5.0, -5.0)
        return heat, torch.zeros_like(heat), torch.zeros(len(heat), 5, 2, *heat.shape[1:])


def test_copies_are_each_half_as_large():
    seen = list(copies(np.zeros((1200, 1600, 3), np.uint8)))
    sizes = np.array([copy.shape[1::-1] for copy, _ in seen])
    assert np.prod(sizes[0]) == pytest.approx(LARGEST_COPY**2, rel=0.01)
    np.testing.assert_allclose(sizes[:-1] / sizes[1:], 2, rtol=0.03)
    assert SMALLEST_COPY <= sizes[-1].min() < 2 * SMALLEST_COPY
    for (_, scale), size in zip(seen, sizes, strict=True):
        np.testing.assert_allclose(scale, size / (1600, 1200))
    assert next(copies(np.zeros((300, 400, 3), np.uint8)))[0].shape == (300, 400, 3)  # what is small stays


@pytest.mark.parametrize("shape", [(1, 1), (7, 900), (900, 7)])
def test_a_picture_too_narrow_for_a_face_has_no_copies(shape):
    assert list(copies(np.zeros((*shape, 3), np.uint8))) == []


def test_what_is_seen_lies_in_the_pixels_of_the_copy():
    copy = np.zeros((70, 101, 3), np.uint8)
    copy[40:48, 64:72] = 255  # a cell, since the rim is two cells wide
    net = Seeing()
    seen = look_over(net, copy, 0.5)
    assert seen.points == pytest.approx(np.tile([67.5, 43.5], (1, 5, 1))) and seen.sides == pytest.approx(UNIT)
    assert net.shown[0] == 1 and all(side % STEP == 0 for side in net.shown[2:])
    assert net.shown[2] >= 70 + 2 * RIM and net.shown[3] >= 101 + 2 * RIM


def test_what_is_seen_in_a_copy_is_told_in_pixels_of_the_photograph():
    photo = np.zeros((1600, 1600, 3), np.uint8)
    photo[800:816, 480:496] = 255
    seen = propose(Seeing(), photo, 0.5)
    scales = [scale for _, scale in copies(photo)]
    assert len(seen.scores) == len(scales)
    assert np.abs(seen.points[:3] - (487.5, 807.5)).max() < 2 * STRIDE / scales[2][0]
    np.testing.assert_allclose(seen.sides, [UNIT / scale.mean() for scale in scales])


def test_some_are_chosen():
    found = Proposals(np.arange(4.0), np.arange(40.0).reshape(4, 5, 2), np.arange(4.0), np.arange(4))
    assert found.some([2, 0]).scores.tolist() == [2, 0] and found.some([]).points.shape == (0, 5, 2)


def test_a_face_is_proposed_with_its_points():
    seen = propose(load_proposal_net(), astronaut(), 0.3)
    away = np.linalg.norm(seen.points - FACE, axis=-1).mean(-1) / 44
    assert away.min() < 0.2 and seen.scores[away.argmin()] > 0.5
    assert seen.sides[away.argmin()] == pytest.approx(105, rel=0.3)


def test_a_picture_is_shrunk_by_its_pixels_and_not_by_its_length():
    assert scale_of(1600, 1600, 1600) == scale_of(100, 5000, 1600) == 1
    assert scale_of(3200, 3200, 1600) == 0.5
    assert scale_of(12_800, 800, 1600) == scale_of(800, 12_800, 1600) == 0.5


def test_frames_carry_squares_to_upright_patches():
    (frame,) = frames(np.array([[120.0, 200.0]]), np.deg2rad([30.0]), np.array([80.0]))
    np.testing.assert_allclose(transform(np.array([[120.0, 200.0]]), frame), [[0.5, 0.5]], atol=1e-9)
    right = np.array([[120.0, 200.0]]) + 40 * np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)])
    np.testing.assert_allclose(transform(right, frame), [[1, 0.5]], atol=1e-9)


def test_the_likeliest_of_each_place_and_size_is_kept():
    points = np.zeros((5, 5, 2)) + np.array([0, 5, 0, 60, 0])[:, None, None]
    found = Proposals(np.array([0.5, 0.9, 0.8, 0.7, 0.6]), points, np.array([40.0, 42, 120, 40, 41]), np.zeros(5, int))
    assert found.distinct().scores.tolist() == [0.9, 0.8, 0.7]


def test_another_copy_seconds_a_face():
    points = np.zeros((5, 5, 2)) + np.array([0, 5, 3, 60, 0])[:, None, None]
    sides, scores = np.array([40.0, 42, 41, 40, 120]), np.array([0.9, 0.8, 0.4, 0.7, 0.6])
    found = Proposals(scores, points, sides, np.array([0, 0, 1, 1, 1]))
    assert found.seconded(found, 0.1).tolist() == [0.4, 0.4, 0.9, 0.1, 0.1], "not its own copy, place and size alike"
    assert found.seconded(found.some([]), 0.1).shape == (0,)


def test_copies_are_numbered():
    photo = np.zeros((400, 400, 3), np.uint8)
    photo[200:216, 120:136] = 255
    assert sorted(set(propose(Seeing(), photo, 0.5).copies.tolist())) == list(range(len(list(copies(photo)))))
