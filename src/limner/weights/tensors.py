"""From named tensors into a net, strictly: every name and every shape must be as expected."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from limner.errors import WeightsError

Net = TypeVar("Net", bound=nn.Module)
Shape = tuple[int, ...]
Tensors = Mapping[str, Tensor]


def fill(net: Net, tensors: Mapping[str, Tensor], path: Path, names: Mapping[str, str] | None = None) -> Net:
    """Puts `tensors` into `net` as float32, what counts as whole numbers, and in evaluation mode.

    Args:
        net: best made on the meta device: its parameters are replaced, not copied into.
        tensors: name to tensor, as they stand in the file.
        path: the file, for the error.
        names: the file's name of each parameter to the net's; by default they are the same. A shape may
            differ from the net's by ones at the end (a 1x1 convolution is stored with one or two of them).

    Raises:
        WeightsError: a tensor is missing, not expected or of another shape; all three kinds are named. Or one holds
            what is no number: a net with it would give black faces.
    """
    own = net.state_dict()
    names = names or {name: name for name in own}
    shapes = {theirs: tuple(own[ours].shape) for theirs, ours in names.items()}
    demand(tensors, shapes, path, type(net).__name__)
    # what counts stays whole: a batch normalisation's number of batches, in halves, would end at 65,504
    kinds = {ours: torch.float32 if one.is_floating_point() else one.dtype for ours, one in own.items()}
    state = {ours: tensors[theirs].to(kinds[ours]).reshape(own[ours].shape) for theirs, ours in names.items()}
    demand_finite(state, path)
    net.load_state_dict(state, assign=True)
    return net.eval()


def demand_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raises a WeightsError unless all values are finite numbers."""
    if broken := [name for name, tensor in tensors.items() if not (tensor.is_meta or tensor.isfinite().all())]:
        raise WeightsError(
            f"The weights {path} hold values that are no finite numbers, first in {short(broken[0])}: get a whole copy "
            "of the file."
        )


def demand(tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape], path: Path, what: str) -> None:
    """Raises a WeightsError unless `tensors` has exactly these names and, but for ones at the end, shapes."""
    missing = [name for name in shapes if name not in tensors]
    extra = [name for name in tensors if name not in shapes]
    misshaped = [
        f"{short(name)} ({by(tensors[name].shape)} instead of {by(shape)})"
        for name, shape in shapes.items()
        if name in tensors and _core(tensors[name].shape) != _core(shape)
    ]
    faults = [
        f"{listing(found)} {fault}"
        for found, fault in [(missing, "missing"), (extra, "not expected"), (misshaped, "of another shape")]
        if found
    ]
    if faults:
        raise WeightsError(f"The weights {path} don't fit {what}: {'; '.join(faults)}.")


def shapes(tensors: Tensors) -> dict[str, Shape]:
    """The shape of each tensor, by its name."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def listing(names: Iterable[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    names = [short(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more + (" is" if len(names) == 1 else " are")


def short(name: str) -> str:
    """A name as an error may show it: a file may have one of any length."""
    return name if len(name) <= 100 else f"{name[:100]}..."


def by(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def numbers(tensors: Tensors, prefix: str) -> list[int]:
    """The numbers n of all names `prefix.n...`, in order."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d{1,6})\.")
    return sorted({int(found[1]) for name in tensors if (found := pattern.match(name))})


def has(tensors: Tensors, prefix: str) -> bool:
    return any(name.startswith(f"{prefix}.") for name in tensors)


def below(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def shape_of(tensors: Tensors, name: str, dimensions: int, path: Path) -> tuple[int, ...]:
    if name not in tensors:
        raise WeightsError(f"The weights {path} are not what they should be: {name} is missing.")
    shape = tuple(tensors[name].shape)
    if len(shape) != dimensions or not all(shape):
        raise WeightsError(f"The weights {path} are not what they should be: {name} has the shape {by(shape)}.")
    return shape


def _core(shape: Iterable[int]) -> Shape:
    core = list(shape)
    while core and core[-1] == 1:
        core.pop()
    return tuple(core)
