"""From a file of tensors into a net, strictly: every name and every shape must be as expected."""

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from limner.errors import WeightsError

Net = TypeVar("Net", bound=nn.Module)
Shape = tuple[int, ...]
Tensors = Mapping[str, Tensor]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads a safetensors file or a PyTorch checkpoint without running code from it.

    The file is mapped rather than copied where its format allows. A dictionary inside `state_dict` is taken
    out, and the prefix `module.` of distributed training removed.

    Raises:
        WeightsError: no such file; it is damaged; it holds something else than named tensors; or reading it
            would run code.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise WeightsError(f"Can't read the weights {path}: {error.strerror or error}.") from error
    # The content decides, not the name: a safetensors file begins with a length and a JSON object.
    tensors = _read_safetensors(path) if start[8:9] == b"{" else _read_checkpoint(path)
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"The weights {path} are damaged ({error}): fetch or copy the file again.") from error


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    zipped = zipfile.is_zipfile(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception as error:  # torch reports a damaged file by a dozen different classes
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted or (zipped and isinstance(error, pickle.UnpicklingError)):
            which = f" ({wanted[1]})" if wanted else ""
            raise WeightsError(
                f"The weights {path} ask to run code when they are read{which}, "
                "which limner refuses because that code could do anything: save the tensors alone, best as "
                "safetensors."
            ) from error
        raise WeightsError(
            f"The weights {path} are damaged, or are neither safetensors nor a PyTorch checkpoint: "
            "fetch or copy the file again."
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise WeightsError(f"The file {path} holds something else than named tensors, so it isn't a net's weights.")
    return dict(content)


def fill(net: Net, tensors: Mapping[str, Tensor], path: Path, names: Mapping[str, str] | None = None) -> Net:
    """Puts `tensors` into `net` as float32 and in evaluation mode.

    Args:
        net: best made on the meta device: its parameters are replaced, not copied into.
        tensors: name to tensor, as they stand in the file.
        path: the file, for the error.
        names: the file's name of each parameter to the net's; by default they are the same. A shape may
            differ from the net's by ones at the end (a 1x1 convolution is stored with one or two of them).

    Raises:
        WeightsError: a tensor is missing, not expected or of another shape; all three kinds are named.
    """
    own = net.state_dict()
    names = names or {name: name for name in own}
    shapes = {theirs: tuple(own[ours].shape) for theirs, ours in names.items()}
    demand(tensors, shapes, path, type(net).__name__)
    state = {ours: tensors[theirs].float().reshape(own[ours].shape) for theirs, ours in names.items()}
    net.load_state_dict(state, assign=True)
    return net.eval()


def demand(tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape], path: Path, what: str) -> None:
    """Raises a WeightsError unless `tensors` has exactly these names and, but for ones at the end, shapes."""
    missing = [name for name in shapes if name not in tensors]
    extra = [name for name in tensors if name not in shapes]
    misshaped = [
        f"{name} ({by(tensors[name].shape)} instead of {by(shape)})"
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


def listing(names: Iterable[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more + (" is" if len(names) == 1 else " are")


def by(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def numbers(tensors: Tensors, prefix: str) -> list[int]:
    """The numbers n of all names `prefix.n...`, in order."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
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
    if len(shape) != dimensions:
        raise WeightsError(f"The weights {path} are not what they should be: {name} has the shape {by(shape)}.")
    return shape


def _core(shape: Iterable[int]) -> Shape:
    core = list(shape)
    while core and core[-1] == 1:
        core.pop()
    return tuple(core)
