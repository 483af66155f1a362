"""The state of a run is nothing but safetensors and JSON: what else lies in its folder is never opened."""

import json
import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from limner.errors import LimnerError
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.estimator import Estimator
from limner.train.loop import fit
from limner.train.losses.adversary import AdversarialLoss, Adversary
from limner.train.recipe import Recipe, Training

PARTS = ("average", "loss", "model", "optimizer")


class Faces:
    def __getitem__(self, n):
        return {"image": torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(n))}


class Fooling(AdversarialLoss):
    """A loss that remembers: a discriminator and its optimiser."""

    def __init__(self):
        torch.manual_seed(1)
        self.adversary = Adversary(0, 1.0, PatchDiscriminator(4, 1), lr=1e-3)

    def __call__(self, model, batch, generator):
        made = model(batch["image"])
        self.adversary.learn(batch["image"], made.detach())
        loss = (made - batch["image"]).square().mean()
        self.step += 1
        return loss + self.adversary.fool(made, loss)


def recipe(steps=4) -> Recipe:
    torch.manual_seed(0)
    net = Estimator(sample_size=16, patch_size=2, widths=(8, 8), depths=(1, 1))
    return Recipe("toy", net, Faces(), Fooling(), Training(steps, 2, 1e-2, 1e-2, ema=0.9))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    fit(recipe(2), folder, cpu=True)
    return folder


@pytest.fixture
def run_folder(stopped, tmp_path):
    return shutil.copytree(stopped, tmp_path / "run")


def resume(folder):
    toy = recipe()
    fit(toy, folder, resume=True, cpu=True)
    return toy


def test_resumed_equals_whole_with_a_loss_that_remembers(run_folder, tmp_path):
    whole = recipe()
    fit(whole, tmp_path / "whole", cpu=True)
    resume(run_folder)
    for part in PARTS:
        one, other = (load_file(folder / f"state/{part}.safetensors") for folder in (tmp_path / "whole", run_folder))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one), part


def test_a_state_is_safetensors_and_json(stopped):
    files = {path.name for path in (stopped / "state").iterdir()}
    assert files == {"run.json", *(f"{part}.safetensors" for part in PARTS)}
    assert json.loads((stopped / "state/run.json").read_text()) == {"recipe": "toy", "step": 2}


class Malicious:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


EARLIER = ("custom_checkpoint_0.pkl", "optimizer.bin", "scheduler.bin", "random_states_0.pkl", "sampler.bin")


@pytest.mark.parametrize("ours", [True, False])
def test_no_pickle_of_a_run_folder_runs(run_folder, tmp_path, ours):
    for name in EARLIER:
        (run_folder / "state" / name).write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
        torch.save(Malicious(tmp_path / "ran"), run_folder / "state" / f"zip_{name}")
    if ours:
        resume(run_folder)
    else:
        (run_folder / "state/run.json").unlink()
        with pytest.raises(
            LimnerError, match=r"state that can be resumed safely, run\.json is missing \(earlier versions"
        ):
            resume(run_folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("part", PARTS)
def test_a_pickle_in_the_place_of_tensors_is_refused(run_folder, tmp_path, part):
    torch.save({"weight": Malicious(tmp_path / "ran")}, run_folder / f"state/{part}.safetensors")
    with pytest.raises(LimnerError, match=rf"{part}\.safetensors are damaged"):
        resume(run_folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("null", "should hold one JSON object"),
        ("{", "can't be read as JSON"),
        ("[" * 100_000, "can't be read as JSON"),
        ('{"recipe": "other", "step": 2}', "holds a run of the recipe 'other': resume it as that, not toy"),
        ('{"recipe": "toy", "step": "2"}', "gives no number of steps"),
        ('{"recipe": "toy", "step": true}', "gives no number of steps"),
        ('{"recipe": "toy", "step": -1}', "gives no number of steps"),
        (" " * 2**21 + "{}", "should hold one JSON object"),
    ],
)
def test_a_broken_run_json(run_folder, run, sentence):
    (run_folder / "state/run.json").write_text(run)
    with pytest.raises(LimnerError, match=sentence):
        resume(run_folder)


def lose(tensors):
    tensors.popitem()


def add(tensors):
    tensors["more"] = torch.ones(1)


def reshape(tensors):
    name = max(tensors, key=lambda name: tensors[name].ndim)
    tensors[name] = tensors[name].flatten()


def spoil(tensors):
    name = max(tensors, key=lambda name: tensors[name].ndim)
    tensors[name] = torch.full_like(tensors[name], torch.nan)


@pytest.mark.parametrize("change", [lose, add, reshape, spoil])
@pytest.mark.parametrize("part", PARTS)
def test_tensors_that_do_not_fit(run_folder, part, change):
    file = run_folder / f"state/{part}.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)
    with pytest.raises(LimnerError, match=rf"{part}\.safetensors (don't fit|hold values)"):
        resume(run_folder)


def test_moments_of_no_step(run_folder):
    """AdamW would divide by zero."""
    file = run_folder / "state/optimizer.safetensors"
    save_file({n: t - 3 if n.endswith(".step") else t for n, t in load_file(file).items()}, file)
    with pytest.raises(LimnerError, match="counts fewer steps than one"):
        resume(run_folder)
