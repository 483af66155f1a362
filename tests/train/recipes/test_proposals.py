"""What the net of proposals learns from."""

import numpy as np
import pytest
import torch

from limner.data.scenes import Scene
from limner.errors import LimnerError
from limner.faces.proposals import peaks
from limner.nets.alignnet import upright_points
from limner.nets.proposals import GUESS, STRIDE, ProposalNet, centres
from limner.train import make_recipe
from limner.train.recipes.proposals import Targets, found_and_false, loss, measured, targets


def scene_of(*faces: tuple[float, float, float, float]) -> Scene:
    """A grey scene of 96 px with upright faces: x, y of the patch's middle, side of the box, visible share."""
    points = [upright_points(side / 0.75) + np.array([x, y]) - side / 1.5 for x, y, side, _ in faces]
    sides, visible = (np.array([face[k] for face in faces], np.float32) for k in (2, 3))
    return Scene(np.full((96, 96, 3), 128, np.uint8), np.array(points, np.float32).reshape(-1, 5, 2), sides, visible)


def test_targets():
    maps = targets(scene_of((44, 36, 20, 1.0), (12, 84, 20, 0.3), (84, 84, 60, 1.0), (84, 10, 30, 0.0)))
    assert maps["heat"].shape == maps["size"].shape == (12, 12) and maps["points"].shape == (5, 2, 12, 12)
    assert (maps["heat"] == 1).nonzero().tolist() == [[4, 5]]  # one is wanted, in the cell that holds its middle
    assert 0 < maps["heat"][4, 6] < 1 and maps["heat"][9, 1] < 1e-6
    assert (
        maps["care"][4, 5] == 1 and maps["care"][10, 1] == 0 and maps["care"][10, 10] == 0
    )  # hidden, large: no matter
    assert maps["care"][1, 10] == 1 and maps["heat"][1, 10] < 1e-6  # of this face nothing is left
    assert maps["size"][4, 5] == 20 and maps["share"][4, 5] == 1
    assert maps["points"][..., 4, 5].numpy() == pytest.approx(scene_of((44, 36, 20, 1.0)).points[0])


class Told(torch.nn.Module):
    """Says what it was told."""

    device = torch.device("cpu")

    def __init__(self, *answer: torch.Tensor):
        super().__init__()
        self.answer = answer

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.answer


def right_answer(scene: Scene) -> tuple[dict[str, torch.Tensor], tuple[torch.Tensor, ...]]:
    batch = {name: value[None] for name, value in targets(scene).items()}
    batch["picture"] = torch.from_numpy(scene.picture.transpose(2, 0, 1).copy())[None]
    heat = torch.where(batch["heat"] == 1, 12.0, -12.0)
    place = (batch["points"] - centres(12, 12)) / batch["size"][:, None, None]
    return batch, (heat, (batch["size"] / 16).log(), place)


def test_loss():
    batch, (heat, sizes, offsets) = right_answer(scene_of((44, 36, 20, 1.0), (12, 84, 20, 0.3)))
    generator = torch.Generator()
    best = loss(Told(heat, sizes, offsets), batch, generator).item()
    assert best < 0.01
    assert loss(Told(torch.full_like(heat, GUESS), sizes, offsets), batch, generator) > best + 1
    assert loss(Told(-heat, sizes, offsets), batch, generator) > best + 10
    assert loss(Told(heat, sizes + 0.5, offsets), batch, generator).item() == pytest.approx(best + 0.5, abs=1e-3)
    assert loss(Told(heat, sizes, offsets + 0.1), batch, generator).item() == pytest.approx(best + 1, abs=1e-3)
    silent = heat.clone()
    silent[0, 10, 1] = 12  # what is said of a hidden face doesn't matter
    assert loss(Told(silent, sizes, offsets), batch, generator).item() == pytest.approx(best, abs=1e-3)


def test_what_is_found_and_what_is_false():
    scene = scene_of((44, 36, 20, 1.0), (12, 84, 20, 0.3))
    _, (heat, sizes, offsets) = right_answer(scene)
    errors, wanted, false = found_and_false(Told(heat, sizes, offsets), scene, 0.3)
    assert errors == [pytest.approx(0, abs=1e-5)] and (wanted, false) == (1, 0)
    heat[0, 1, 10] = 5
    assert found_and_false(Told(heat, sizes, offsets), scene, 0.3)[1:] == (1, 1)
    assert found_and_false(Told(-heat.abs(), sizes, offsets), scene, 0.3) == ([], 1, 0)


def test_peaks_are_read_best_first():
    heat = torch.full((4, 6), -9.0)
    heat[1, 1], heat[1, 2], heat[3, 5] = 1.0, 0.5, 3.0
    seen = peaks(heat, torch.zeros(4, 6), torch.zeros(5, 2, 4, 6), 0.1)
    assert seen.scores == pytest.approx(torch.tensor([3.0, 1.0]).sigmoid().numpy())
    assert seen.points[0, 0].tolist() == [5 * STRIDE + 3.5, 3 * STRIDE + 3.5] and seen.sides.tolist() == [16, 16]


def test_the_recipe_learns_and_measures(shared):
    recipe = make_recipe("proposals", shared / "faces", seed=3)
    assert isinstance(recipe.model, ProposalNet) and isinstance(recipe.data, Targets)
    samples = [recipe.data[n] for n in range(2)]
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    recipe.loss(recipe.model, batch, torch.Generator()).backward()
    with torch.inference_mode():
        report = measured(recipe.model.eval(), recipe.data.scenes, 4)
    assert 0 <= report.figures["found at 0.1"] <= 1 and report.sheet.shape == (5 * 288, 8 * 288, 3)
    with pytest.raises(LimnerError, match="one preset, 'mini', not 'paper'"):
        make_recipe("proposals", shared / "faces", "paper")
