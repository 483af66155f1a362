import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from limner.errors import LimnerError
from limner.methods.schedules import difface_schedule
from limner.nets.estimator import Estimator
from limner.train.loop import _save, fit, learning_rate
from limner.train.recipe import Recipe, Training
from limner.train.state import State
from limner.train.validation import Report


class Noise:
    """Samples that depend on their number alone, as the loop demands; it remembers who was asked for."""

    def __init__(self):
        self.asked: list[int] = []

    def __getitem__(self, n):
        self.asked.append(n)
        generator = torch.Generator().manual_seed(n)
        return {"image": torch.rand(3, 16, 16, generator=generator)}


def recipe(steps=6, **changes) -> Recipe:
    torch.manual_seed(0)
    net = Estimator(sample_size=16, patch_size=2, widths=(8, 8), depths=(1, 1))
    training = Training(steps=steps, batch=4, lr=1e-2, final_lr=1e-3, warmup=2, ema=0.9, clip=1.0)
    toy = Recipe("toy", net, Noise(), denoise, training)
    of_the_training = {key: changes.pop(key) for key in list(changes) if hasattr(training, key)}
    return replace(toy, training=replace(training, **of_the_training), **changes)


def denoise(model, batch, generator):
    noise = torch.randn(batch["image"].shape, generator=generator)
    return (model(batch["image"] + 0.5 * noise) - batch["image"]).pow(2).mean()


def weights(folder):
    return load_file(folder / "diffusion_pytorch_model.safetensors")


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)


def test_training_moves_the_weights_and_lowers_the_loss(tmp_path):
    toy = recipe(steps=60, ema=None)
    before = [
        denoise(toy.model, {"image": toy.data[999]["image"][None]}, torch.Generator().manual_seed(i)) for i in range(9)
    ]
    fit(toy, tmp_path, cpu=True)
    after = [
        denoise(toy.model, {"image": toy.data[999]["image"][None]}, torch.Generator().manual_seed(i)) for i in range(9)
    ]
    assert sum(after) < 0.9 * sum(before)


def test_a_resumed_run_continues_exactly(tmp_path):
    whole = weights(fit(recipe(), tmp_path / "whole", cpu=True))

    class StopAfterThree(Noise):
        def __getitem__(self, n):
            if n == 3 * 4 - 1:  # the last sample of the third step
                os.kill(os.getpid(), signal.SIGINT)
            return super().__getitem__(n)

    first = recipe(data=StopAfterThree())
    fit(first, tmp_path / "parts", cpu=True)
    assert first.data.asked[-1] < 5 * 4, "the run went on after Ctrl-C"  # one batch is fetched ahead
    second = recipe()
    parts = weights(fit(second, tmp_path / "parts", resume=True, cpu=True))
    assert second.data.asked[0] in range(4, 5 * 4, 4), "the run began anew or skipped samples"
    assert_same(whole, parts)


def test_what_a_net_draws_itself_continues_too(tmp_path):
    """Dropout takes torch's global generator, which earlier states kept as a pickle."""

    def dropped(model, batch, generator):
        return (model(torch.nn.functional.dropout(batch["image"], 0.5)) - batch["image"]).pow(2).mean()

    constant = {"loss": dropped, "final_lr": 1e-2}  # a shorter run has the same rates
    whole = weights(fit(recipe(**constant), tmp_path / "whole", cpu=True))
    fit(recipe(steps=3, **constant), tmp_path / "parts", cpu=True)
    assert_same(whole, weights(fit(recipe(**constant), tmp_path / "parts", resume=True, cpu=True)))


def test_a_run_that_is_done_stays_as_it_is(tmp_path):
    whole = weights(fit(recipe(), tmp_path, cpu=True))
    assert_same(whole, weights(fit(recipe(steps=4), tmp_path, resume=True, cpu=True)))


def test_a_state_names_parameters_as_the_net_does(tmp_path):
    toy = recipe()
    fit(toy, tmp_path, cpu=True)
    assert load_file(tmp_path / "state/model.safetensors").keys() == toy.model.state_dict().keys()


def test_accumulation_equals_the_whole_batch(tmp_path):
    def clean(model, batch, generator):
        return (model(batch["image"]) - 0.5).pow(2).mean()

    at_once = weights(fit(recipe(loss=clean), tmp_path / "a", cpu=True))
    in_parts = weights(fit(recipe(loss=clean, accumulate=2), tmp_path / "b", cpu=True))
    for name in at_once:
        torch.testing.assert_close(at_once[name], in_parts[name], rtol=1e-3, atol=1e-5)


def test_the_moving_average_is_what_is_saved(tmp_path):
    averaged, raw = (weights(fit(recipe(ema=e), tmp_path / str(e), cpu=True)) for e in (0.9, None))
    assert any((averaged[name] != raw[name]).any() for name in raw)


def test_saves_measures_and_draws_on_the_way(tmp_path):
    measured = []

    def validate(model):
        assert not model.training
        measured.append(model)
        return Report({"error": 1.0}, np.zeros((8, 8, 3), np.uint8))

    toy = recipe(
        steps=4,
        scheduler=difface_schedule("sample"),
        validation=validate,
        export="fp16",
        precision="bf16",
    )
    folder = fit(toy, tmp_path, every=2, cpu=True)
    assert len(measured) == 2
    assert sorted(p.name for p in tmp_path.glob("sheet_*.png")) == ["sheet_0000002.png", "sheet_0000004.png"]
    assert {v.dtype for v in weights(folder).values()} == {torch.float16}
    assert any(path.name.startswith("events") for path in tmp_path.rglob("*")), "no TensorBoard log"
    assert (folder / "config.json").is_file() and (folder / "scheduler_config.json").is_file()


def test_learning_rate():
    toy = recipe(steps=12)
    rates = [learning_rate(toy.training, step) for step in range(13)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[12] == pytest.approx(0.1)
    assert learning_rate(recipe(final_lr=1e-2).training, 5) == 1


def test_messages(tmp_path):
    with pytest.raises(LimnerError, match="holds no training run to resume: start it without --resume"):
        fit(recipe(), tmp_path, resume=True)
    (tmp_path / "state").mkdir()
    with pytest.raises(LimnerError, match="already holds a training run: add --resume to go on"):
        fit(recipe(), tmp_path)


def test_one_of_several_processes_saves(tmp_path):
    """All have the same state; the others once took its fresh files away."""
    told = []

    class Late:
        is_main_process = False

        def wait_for_everyone(self):
            told.append("wait")

    fresh = tmp_path / "state.new"
    fresh.mkdir()
    (fresh / "model.safetensors").write_text("half written")
    state = State(recipe(), torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))]), None)
    _save(Late(), state, tmp_path / "state")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.rglob("*")] == ["state.new", "model.safetensors"]
    assert told == ["wait"]
