"""The training patches of AlignNet: their points lie where the face's are, and a resumed run sees the same ones."""

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.data.wear import SIZE
from limner.errors import LimnerError
from limner.nets.alignnet import AlignNet
from limner.train.recipes import alignnet as stage
from limner.train.recipes.alignnet import NOISE, SWAP_SIDES, Patches, cells, loss, preview

from ..dotted import COLOURS, dotted_face


@pytest.fixture(scope="module")
def dotted(tmp_path_factory) -> FaceSet:
    return dotted_face(tmp_path_factory.mktemp("faces"), 9)


def test_points_follow_the_throw(dotted, monkeypatch):
    monkeypatch.setattr(stage, "cover", lambda *_: None)
    patches, mirrored = Patches(dotted), 0
    for seed in range(60):
        patch, points, eyes = patches._face(np.random.default_rng(seed))
        assert patch.shape == (SIZE, SIZE, 3)
        assert 0.1 < eyes < 0.8
        expected = COLOURS
        inside = [((p > 0.02) & (p < 0.97)).all() for p in points]
        seen = [
            patch[tuple(np.rint(p * SIZE).astype(int)[::-1])] if ok else None
            for p, ok in zip(points, inside, strict=True)
        ]
        if seen[0] is not None and np.abs(seen[0].astype(int) - COLOURS[1]).max() < 60:
            expected, mirrored = [COLOURS[k] for k in SWAP_SIDES], mirrored + 1
        for colour, want in zip(seen, expected, strict=True):
            assert colour is None or np.abs(colour.astype(int) - want).max() < 90
    assert 15 < mirrored < 45


def test_a_sample_depends_on_seed_and_number_alone(dotted):
    patches = Patches(dotted, 3)
    before = [patches[n] for n in range(20)]
    after = [Patches(dotted, 3)[n] for n in reversed(range(20))][::-1]
    for one, two in zip(before, after, strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(before[0]["patch"], Patches(dotted, 4)[0]["patch"])
    assert {sample["face"].item() for sample in before} == {0.0, 1.0}
    assert before[0]["patch"].shape == (3, SIZE, SIZE) and before[0]["patch"].dtype == torch.uint8


def test_cells_have_the_point_for_their_expectation():
    points = torch.rand(7, 5, 2) * 0.9 + 0.05
    share = cells(points, SIZE // 4)
    torch.testing.assert_close(share.sum(-1), torch.ones(7, 5))
    maps = share.clamp(min=1e-30).log().view(7, 5, SIZE // 4, SIZE // 4)
    torch.testing.assert_close(AlignNet()._expectation(maps), points, atol=1e-5, rtol=0)


class Told(torch.nn.Module):
    """Says what it was told."""

    def __init__(self, logits: torch.Tensor, points: torch.Tensor, heat: torch.Tensor | None = None):
        super().__init__()
        self.answer = logits, points, torch.zeros(len(logits), 5, 24, 24) if heat is None else heat

    def forward(self, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.answer


def test_loss(dotted):
    samples = [Patches(dotted)[n] for n in range(16)]
    batch = {key: torch.stack([s[key] for s in samples]) for key in samples[0]}
    generator = torch.Generator()
    right = torch.where(batch["face"] > 0, 20.0, -20.0)
    flat = 0.3 * np.log(24 * 24)  # what heat maps that know nothing cost
    assert loss(Told(right, batch["points"]), batch, generator).item() == pytest.approx(flat, abs=1e-4)
    assert loss(Told(-right, batch["points"]), batch, generator) > flat + 10
    elsewhere = batch["points"] + 0.1 * (1 - batch["face"][:, None, None])  # points of what is no face don't count
    assert loss(Told(right, elsewhere), batch, generator).item() == pytest.approx(flat, abs=1e-4)
    off = batch["points"] + 0.1 * batch["eyes"][:, None, None]
    assert loss(Told(right, off), batch, generator).item() == pytest.approx(
        flat + 0.6 * np.log1p(0.1 / NOISE), rel=1e-3
    )
    sharp = cells(batch["points"], 24).clamp(min=1e-6).log().view(-1, 5, 24, 24)
    assert loss(Told(right, batch["points"], sharp), batch, generator) < 0.6 * flat


@torch.inference_mode()
def test_preview(dotted):
    assert preview(AlignNet(), Patches(dotted), 16).shape == (288, 1152, 3)


def test_recipe(shared):
    recipe = stage.alignnet(shared / "faces", seed=5)
    assert recipe.name == "alignnet" and recipe.seed == 5
    again = stage.alignnet(shared / "faces", seed=5)
    assert all(torch.equal(a, b) for a, b in zip(recipe.model.parameters(), again.model.parameters(), strict=True))
    with pytest.raises(LimnerError, match="one preset, 'mini', not 'huge'"):
        stage.alignnet(shared / "faces", "huge")


def test_points_are_exact_to_a_fraction_of_a_pixel(dotted, monkeypatch):
    """Half a stored pixel between picture and label once made all points 1 % of the eye distance too low."""
    monkeypatch.setattr(stage, "cover", lambda *_: None)
    patches, away = Patches(dotted), []
    for seed in range(60):
        patch, points, _ = patches._face(np.random.default_rng((9, seed)))
        mask = (patch[..., 2].astype(int) > 180) & (patch[..., :2].max(-1) < 80)
        x, y = points[2] * SIZE
        if mask.sum() > 20 and min(x, y) > 12 and max(x, y) < SIZE - 12:
            seen = np.argwhere(mask).mean(0)[::-1] - (x, y)
            away += [seen] if np.abs(seen).max() < 3 else []
    assert len(away) > 20
    assert np.abs(np.mean(away, axis=0)).max() < 0.12
