"""Where the finder's recipes compute: the loss where the net is, the measuring on the processor."""

import pytest
import torch
from torch import nn

from limner.train.recipes import alignnet, proposals
from limner.train.validation import Report, on_the_processor

AWAY = torch.device("meta")
"""A device without numbers, which refuses whatever lies on the processor."""
ALIGNNET = {"patch": (3, 96, 96), "face": (), "points": (5, 2), "eyes": ()}
PROPOSALS = {"picture": (3, 64, 64), "points": (5, 2, 8, 8)} | dict.fromkeys(("heat", "care", "share", "size"), (8, 8))
RECIPES = {
    "alignnet": (alignnet.loss, ALIGNNET, [(), (5, 2), (5, 24, 24)]),
    "proposals": (proposals.loss, PROPOSALS, [(8, 8), (8, 8), (5, 2, 8, 8)]),
}


def empty(shape):
    return torch.zeros(2, *shape, device=AWAY)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_loss_makes_nothing_on_another_device(recipe):
    loss, batch, given = RECIPES[recipe]
    batch = {name: empty(shape) for name, shape in batch.items()}
    assert loss(lambda pictures: [empty(shape) for shape in given], batch, torch.Generator()).device == AWAY


def test_measuring_gets_a_copy_on_the_processor():
    net, seen = nn.Linear(2, 2, dtype=torch.float64), []
    on_the_processor(lambda given: seen.append(given) or Report({}, None))(net)
    assert seen[0] is not net and torch.equal(seen[0].weight, net.weight)
    assert {parameter.device.type for parameter in seen[0].parameters()} == {"cpu"}
