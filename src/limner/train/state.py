"""The state of a training run: what `--resume` goes on from.

A folder of safetensors and one small JSON file, in which nothing can run, whoever made it: the net (`model`), the
optimiser's moments (`optimizer`), the moving average (`average`), what the loss remembers (`loss`), the recipe and the
step (`run.json`). Nothing else is needed: samples, noise, learning rate and torch's own random numbers follow from the
seed and the step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.training_utils import EMAModel
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from limner.errors import LimnerError
from limner.train.recipe import Recipe, Stateful
from limner.weights.checkpoint import read_safetensors
from limner.weights.json_file import read_object
from limner.weights.tensors import Tensors, demand, demand_finite, shapes

RUN = "run.json"


@dataclass
class State:
    """How far a run has come.

    Attributes:
        recipe: with the net, and the loss if it is `Stateful`.
        optimizer: of the net's parameters.
        ema: the moving average of the net's parameters, or None.
        step: optimiser steps done.
    """

    recipe: Recipe
    optimizer: Optimizer
    ema: EMAModel | None
    step: int = 0

    def save(self, folder: Path) -> None:
        """Writes the state into a new folder.

        Args:
            folder: is made; last of all in it `run.json`.
        """
        folder.mkdir()
        for part, tensors in self._parts().items():
            whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
            save_file(whole, folder / f"{part}.safetensors")
        run = {"recipe": self.recipe.name, "step": self.step}
        (folder / RUN).write_text(json.dumps(run) + "\n", encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Goes on from what `save` wrote: net, optimiser, average and loss are changed in place.

        Raises:
            LimnerError: the folder holds no such state, or that of another recipe, or it is damaged.
        """
        if not (folder / RUN).is_file():
            raise LimnerError(
                f"{folder} holds no state that can be resumed safely, {RUN} is missing (earlier versions of limner "
                "wrote pickles, which could run code): begin the run anew, or end it with the version that began it."
            )
        run = read_object(folder / RUN)
        recipe, step = run.get("recipe"), run.get("step")
        if recipe != self.recipe.name:
            raise LimnerError(
                f"{folder} holds a run of the recipe {recipe!r}: resume it as that, not {self.recipe.name}."
            )
        if type(step) is not int or not 0 <= step < 2**31:
            raise LimnerError(f"{folder / RUN} gives no number of steps: the state is damaged, begin the run anew.")
        self.step = step
        files = {part: folder / f"{part}.safetensors" for part in self._parts()}
        tensors = {part: read_safetensors(file) for part, file in files.items()}
        put(tensors["model"], self.recipe.model.state_dict(), files["model"], self.recipe.name)
        put_moments(tensors["optimizer"], self.optimizer, self.recipe.model, files["optimizer"])
        if self.ema:
            self.ema.optimization_step = step
            put(tensors["average"], self._average(self.ema), files["average"], "the moving average")
        if isinstance(self.recipe.loss, Stateful):
            self.recipe.loss.load_state_dict(tensors["loss"], files["loss"])
            demand(tensors["loss"], shapes(self.recipe.loss.state_dict()), files["loss"], "the loss")

    def _parts(self) -> dict[str, Tensors]:
        """What is saved, by the names of the files."""
        net, loss = self.recipe.model, self.recipe.loss
        parts: dict[str, Tensors] = {"model": net.state_dict(), "optimizer": moments(self.optimizer, net)}
        if self.ema:
            parts["average"] = self._average(self.ema)
        if isinstance(loss, Stateful):
            parts["loss"] = loss.state_dict()
        return parts

    def _average(self, ema: EMAModel) -> dict[str, Tensor]:
        names = (name for name, _ in self.recipe.model.named_parameters())
        return dict(zip(names, ema.shadow_params, strict=True))


def moments(optimizer: Optimizer, net: nn.Module) -> dict[str, Tensor]:
    """What AdamW remembers of a net's parameters, `NAME.exp_avg`, `NAME.exp_avg_sq` and `NAME.step`; nothing of those
    that it has not moved yet."""
    return {
        f"{name}.{kind}": value
        for name, parameter in net.named_parameters()
        for kind, value in optimizer.state.get(parameter, {}).items()
    }


def put_moments(tensors: Tensors, optimizer: Optimizer, net: nn.Module, path: Path) -> None:
    """The way back from `moments`.

    Raises:
        WeightsError: as `put`; or a step is below 1.
    """
    learn = {parameter for group in optimizer.param_groups for parameter in group["params"]}
    for name, parameter in net.named_parameters():
        if parameter in learn and f"{name}.step" in tensors:
            blank = {kind: torch.zeros_like(parameter) for kind in ("exp_avg", "exp_avg_sq")}
            optimizer.state[parameter] = {"step": torch.tensor(0.0), **blank}
    put(tensors, moments(optimizer, net), path, "the optimiser")
    if any(tensor < 1 for name, tensor in moments(optimizer, net).items() if name.endswith(".step")):
        raise LimnerError(f"{path} counts fewer steps than one: the state is damaged, begin the run anew.")


@torch.no_grad()
def put(tensors: Tensors, into: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Copies tensors into others, strictly.

    Args:
        tensors: name to tensor, as a file has them.
        into: the tensors to be overwritten, which keep their device and layout.
        path: of the file, for the error.
        what: takes them, for the error.

    Raises:
        WeightsError: a tensor is missing, not expected, of another shape, or holds what is no finite number.
    """
    demand(tensors, shapes(into), path, what)
    demand_finite(tensors, path)
    for name, tensor in into.items():
        tensor.copy_(tensors[name].reshape(tensor.shape))
