"""A net's configuration from a file that anybody may have written, checked before anything is built of it.

Types are those that the constructor declares. No number is out of all proportion, and a net is built without memory for
its values (on the meta device) and no further than the tensors of its file can fill.
"""

from __future__ import annotations

import math
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from limner.errors import LimnerError, WeightsError
from limner.weights.tensors import Tensors

Net = TypeVar("Net", bound=nn.Module)

MOST = {"sample_size": 2**13, "depth": 2**12, "depths": 2**12, "layers": 2**12}
"""What an argument's number, or its numbers together, may be at most."""
MOST_ELSE, MOST_ENTRIES = 2**20, 2**10


def checked(kind: type, config: Mapping[str, object], path: Path) -> dict[str, Any]:
    """The arguments of a class's constructor that a configuration gives; other entries are passed over.

    Args:
        kind: the class, whose constructor declares the types.
        config: what the file holds.
        path: of the file, for the error.

    Raises:
        WeightsError: an argument is of another type than it should be, or out of all proportion.
    """
    hints = get_type_hints(kind.__init__)
    given = {name: config[name] for name in signature(kind).parameters if name in config}
    for name, value in given.items():
        if not _is(value, hints[name]):
            raise WeightsError(f"{path} gives a {kind.__name__} {_shown(value)} as {name}, which is of another type.")
        _in_proportion(name, value, path)
    return given


def build(make: Callable[[], Net], tensors: Tensors, path: Path) -> Net:
    """A net without values, on the meta device.

    Args:
        make: calls the constructor.
        tensors: what the net will be filled with; it is given up when it needs far more.
        path: of their file, for the error.

    Raises:
        WeightsError: there can't be such a net, or it needs far more tensors or values than there are.
    """
    parameters, values, builder = 0, 0, threading.get_ident()
    most_parameters = 2 * len(tensors) + 100
    most_values = 2 * sum(tensor.numel() for tensor in tensors.values()) + 10**6

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal parameters, values
        if parameter is not None and threading.get_ident() == builder:
            parameters, values = parameters + 1, values + parameter.numel()
            if parameters > most_parameters or values > most_values:
                raise WeightsError(
                    f"The weights {path} don't fit: the net that is described would have far more than their "
                    f"{len(tensors)} tensors."
                )

    hook = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            return make()
    except LimnerError:
        raise
    except Exception as error:  # whatever a constructor makes of numbers that no net can have
        raise WeightsError(f"The weights {path} are described as a net that there can't be ({error}).") from error
    finally:
        hook.remove()


def _is(value: object, hint: Any) -> bool:
    """Whether a value as JSON has it is of a declared type."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_is(value, one) for one in inner)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin in (tuple, list, Sequence):
        return isinstance(value, list) and all(_is(one, inner[0]) for one in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_is(one, inner[1]) for one in value.values())
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint


def _in_proportion(name: str, value: object, path: Path) -> None:
    if isinstance(value, dict):
        for inner, one in value.items():
            _in_proportion(inner, one, path)
        return
    listed = value if isinstance(value, list) else [value]
    numbers = [one for one in listed if isinstance(one, int | float)]
    sane = all(math.isfinite(one) and one >= 0 for one in numbers) and sum(numbers) <= MOST.get(name, MOST_ELSE)
    if not sane or len(listed) > MOST_ENTRIES:
        raise WeightsError(f"{path} gives {_shown(value)} as {name}, which is out of all proportion.")


def _shown(value: object) -> str:
    """A value as an error may show it."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
