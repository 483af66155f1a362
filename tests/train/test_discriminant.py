"""Fitting the discriminant: directions in which people differ and damage doesn't move them."""

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.train.discriminant import DAMAGES, descriptions, fitted


def test_directions_of_damage_and_moods_count_little():
    rng = np.random.default_rng(0)
    people = rng.normal(size=(80, 266))
    people[:, 5] *= 5  # a direction in which photographs of one person differ most
    copies = np.repeat(people[:, None], 2, axis=1)
    copies[:, 1] += rng.normal(size=(80, 266)) * np.where(np.arange(266) == 5, 30, 0.1)
    pairs = rng.normal(size=(20, 1, 266)) + 0.1 * rng.normal(size=(20, 2, 266))
    net = fitted(copies.astype(np.float32), pairs.astype(np.float32), embedding=40)
    weight = net.project.weight.detach().numpy()
    assert weight.shape == (40, 266)
    lengths = np.linalg.norm(weight, axis=0)
    assert lengths[5] < 0.2 * np.median(lengths[:256])
    torch.testing.assert_close(net.mean, torch.from_numpy(copies[:, 0].mean(0)).float())


@pytest.mark.slow
def test_descriptions_of_a_folder(shared):
    faces = FaceSet.open(shared / "faces", "train")
    few = faces.first(12)
    copies, pairs = descriptions(few, 2, seed=0)
    several = sum(few.people.count(person) > 1 for person in set(few.people))
    assert copies.shape == (min(2, len(set(few.people)) - several), 1 + len(DAMAGES), 4612)
    assert pairs.shape[0] == several and np.isfinite(copies).all()
