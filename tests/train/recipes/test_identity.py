"""The recogniser's recipe: who is a class, what the views are, the margin, and that something is learned."""

import json

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet, held_out_people
from limner.degrade.degrade import apply
from limner.evaluate.identity import Photographs, verify
from limner.nets.identity import IdentityNet
from limner.train.loop import save_weights
from limner.train.recipes.identity import (
    MINI,
    SIZE,
    Classifier,
    Loss,
    Views,
    identity,
    validation_people,
    wear,
    with_margin,
)
from limner.weights.load import load_net


@pytest.fixture(scope="module")
def faces(shared):
    return FaceSet.open(shared / "faces", "train")


@pytest.mark.usefixtures("collection")
def test_who_is_a_class(faces):
    watched = validation_people(faces)
    views = Views(faces, watched)
    people = [{faces.people[index] for index in photographs} for photographs in views.classes]
    assert all(len(one) == 1 for one in people)
    classes = set().union(*people)
    assert len(classes) == len(people) and not classes & set(watched) and not classes & held_out_people()
    assert sum(map(len, views.classes)) + sum(person in watched for person in faces.people) == len(faces)
    assert 20 <= len(watched) <= 40
    assert all(faces.people.count(person) > 1 for person in watched)
    tested = FaceSet.open(faces.folder, "test").people
    assert not classes & set(tested) and not set(watched) & set(tested)


def test_a_sample_is_fixed_by_its_number(faces):
    first, second = Views(faces, seed=3), Views(faces, seed=3)
    for n in (0, 5, 4000):
        assert torch.equal(first[n]["views"], second[n]["views"]) and first[n]["person"] == second[n]["person"]
    assert not torch.equal(first[0]["views"][0], first[0]["views"][1])
    assert first[0]["views"].shape == (2, 3, SIZE, SIZE) and first[0]["views"].dtype == torch.uint8


def test_everyone_comes_once_an_epoch(faces):
    few = Views(faces.first(300))
    few.view = lambda index, rng: np.zeros((SIZE, SIZE, 3), np.uint8)  # type: ignore[method-assign]
    people = [few[n]["person"].item() for n in range(2 * len(few.classes))]
    assert sorted(people[: len(few.classes)]) == sorted(people[len(few.classes) :]) == list(range(len(few.classes)))
    assert people[: len(few.classes)] != people[len(few.classes) :]


def test_two_photographs_are_both_seen(faces):
    views = Views(faces)
    person = next(k for k, photographs in enumerate(views.classes) if len(photographs) == 2)
    two = views._two(person, np.random.default_rng(0))
    assert sorted(two) == views.classes[person]


def test_wear_looks_like_the_preset(faces):
    """What is left of a picture at the small size is about what the full-size preset leaves of it."""
    from limner.degrade.degrade import degrade

    left = {"small": [], "large": []}
    for index in range(12):
        rng = np.random.default_rng(index)
        small = faces.image(index, SIZE)
        left["small"].append(_detail(apply(small, wear("ffhq-ref-severe", rng))) / _detail(small))
        worn = degrade(faces.image(index, 512), "ffhq-ref-severe", rng)
        left["large"].append(_detail(worn[::4, ::4]) / _detail(faces.image(index, 512)[::4, ::4]))
    assert np.mean(left["small"]) == pytest.approx(np.mean(left["large"]), abs=0.12)


def _detail(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=1)).mean())


def test_the_margin_widens_the_angle_to_the_own_class_alone():
    angles = torch.tensor([[0.3, 1.0], [2.0, 3.0]], dtype=torch.float64)
    widened = with_margin(angles.cos(), torch.tensor([1, 0]), 0.2)
    torch.testing.assert_close(widened, torch.tensor([[0.3, 1.2], [2.2, 3.0]], dtype=torch.float64).cos())
    torch.testing.assert_close(with_margin(angles.cos(), torch.tensor([1, 0]), 0.0), angles.cos())
    # Beyond a half turn it goes on falling.
    angles = torch.linspace(0.01, 3.13, 100, dtype=torch.float64)
    widened = with_margin(angles.cos()[:, None], torch.zeros(100, dtype=torch.long), 0.5)[:, 0]
    assert (widened.diff() < 0).all()


class _Fixed(torch.nn.Module):
    """Answers with given vectors, classes along the axes."""

    def __init__(self, vectors):
        super().__init__()
        self.vectors = vectors

    def forward(self, views):
        return self.vectors, self.vectors


def test_the_loss_wants_twins_alike_and_at_their_class():
    batch = {"views": torch.zeros(2, 2, 3, 8, 8, dtype=torch.uint8), "person": torch.tensor([0, 1])}
    generator = torch.Generator()
    right = torch.eye(4)[[0, 0, 1, 1]]
    swapped = torch.eye(4)[[0, 1, 0, 1]]
    elsewhere = torch.eye(4)[[2, 2, 3, 3]]
    plain, paired = Loss(margin=0.2, scale=16.0), Loss(margin=0.2, scale=16.0, pairs=1.0)
    assert plain(_Fixed(right), batch, generator) < 1e-3
    assert paired(_Fixed(right), batch, generator) < 1e-3
    assert plain(_Fixed(elsewhere), batch, generator) > 10
    assert paired(_Fixed(elsewhere), batch, generator) == pytest.approx(
        plain(_Fixed(elsewhere), batch, generator).item(), abs=1e-3
    )  # twins are alike
    assert paired(_Fixed(swapped), batch, generator) > plain(_Fixed(swapped), batch, generator) + 5


@pytest.mark.slow
@pytest.mark.usefixtures("collection")
def test_a_few_people_are_learned(faces):
    """Eight people, sixty steps: the classes are known and so are fresh views of them."""
    torch.manual_seed(0)
    views = Views(faces.first(8))
    model = Classifier(IdentityNet(**(MINI | {"widths": (32, 48), "stem_width": 16})), 8)
    loss = Loss(margin=0.2, scale=16.0, pairs=1.0)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-3)
    losses = []
    for step in range(60):
        samples = [views[8 * step + n] for n in range(8)]
        batch = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
        value = loss(model, batch, torch.Generator())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_only_the_recogniser_is_saved(tmp_path):
    torch.manual_seed(0)
    model = Classifier(IdentityNet(**MINI), 1000).eval()
    save_weights(model, tmp_path, "fp16")
    loaded = load_net(tmp_path)
    assert isinstance(loaded, IdentityNet)
    crops = torch.rand(2, 3, SIZE, SIZE)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(crops), model.net(crops), atol=5e-3, rtol=0)


@pytest.mark.slow
def test_recipe(shared):
    recipe = identity(shared / "faces")
    assert isinstance(recipe.model, Classifier) and recipe.training.export == "fp16"
    figures = recipe.validation(recipe.model.eval()).figures
    assert {"clean auc", "ffhq-ref-severe rank1"} <= figures.keys()
    paper = identity(shared / "faces", "paper")
    assert (paper.loss.margin, paper.loss.scale, paper.loss.pairs) == (0.5, 64.0, 0.0)
    assert sum(p.numel() for p in paper.model.net.parameters()) == 43_590_848


@pytest.mark.slow
def test_the_embedded_one_is_of_this_recipe(faces):
    """Those who were no class are told apart; those whose photographs came later than the weights, and are of different
    days, less surely than the model card says of the first ones."""
    net = load_net("mini/identity")
    assert isinstance(net, IdentityNet)
    written = json.loads(IdentityNet(**MINI).to_json_string())
    assert {key: net.config[key] for key in MINI} == {key: written[key] for key in MINI}
    clean, _ = verify(net, Photographs.of(faces, (None, "ffhq-ref-severe"), validation_people(faces)))
    assert clean.auc > 0.9 and clean.accuracy > 0.85
