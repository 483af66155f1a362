"""What the net that finds damage learns from, and its figures."""

import numpy as np
import pytest
import torch

from limner.degrade.damage import Damaged
from limner.errors import LimnerError
from limner.nets.damage import DamageNet
from limner.train import make_recipe
from limner.train.recipes.damage import figures, fixed_windows, found, loss, shown


class Told(torch.nn.Module):
    """Says what it was told."""

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.logits


def batch() -> dict[str, torch.Tensor]:
    truth, care = torch.zeros(1, 8, 8), torch.ones(1, 8, 8)
    truth[0, 2], care[0, 5] = 1, 0
    return {"picture": torch.zeros(1, 3, 8, 8), "truth": truth, "care": care}


def test_loss():
    case, generator = batch(), torch.Generator()
    right = torch.where(case["truth"] > 0, 12.0, -12.0)
    best = loss(Told(right), case, generator).item()
    assert best < 0.01
    missed, false, doubtful = right.clone(), right.clone(), right.clone()
    missed[0, 2], false[0, 7], doubtful[0, 5] = -3, 3, 12
    assert loss(Told(missed), case, generator) > best + 0.5 and loss(Told(false), case, generator) > best + 0.3
    assert loss(Told(doubtful), case, generator).item() == pytest.approx(best, abs=1e-4)


def test_figures_leave_doubt_out():
    truth, doubt = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    truth[2], doubt[5] = True, True
    case = Damaged(np.zeros((8, 8, 3), np.uint8), truth, doubt)
    chance = np.zeros((8, 8), np.float32)
    chance[2, :6], chance[3, :2], chance[5] = 0.9, 0.8, 1.0
    assert figures([(case, chance)]) == pytest.approx({"marked": 8 / 56, "precision": 6 / 8, "recall": 6 / 8})
    clean = Damaged(case.picture, np.zeros_like(truth), doubt)
    assert figures([(clean, chance)]) == {"marked": pytest.approx(8 / 56)}
    row = shown(case, chance)
    assert row["truth"][2, 0, 0] == 255 and row["truth"][5, 0, 0] == 90 and row["found"][3, 0, 0] == 204


@pytest.mark.slow
def test_the_recipe_learns_and_measures(shared):
    recipe = make_recipe("damage", shared / "faces", seed=3)
    assert isinstance(recipe.model, DamageNet)
    samples = [recipe.data[n] for n in range(3)]
    several = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    recipe.loss(recipe.model.train(), several, torch.Generator()).backward()
    net = recipe.model.eval()
    cases = fixed_windows(recipe.data.faces[:3], True)
    with torch.no_grad():
        measured = figures([(case, found(net, case)) for case in cases])
    assert set(measured) == {"marked", "precision", "recall"} and all(0 <= one <= 1 for one in measured.values())
    with pytest.raises(LimnerError, match="one preset, 'mini', not 'paper'"):
        make_recipe("damage", shared / "faces", "paper")
