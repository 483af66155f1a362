"""The registry of restoration methods. Each lives in one file that reads like its paper; `options.py` says what it can
be asked."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from limner.errors import LimnerError
from limner.methods.options import (
    CLRFaceOptions,
    DifFaceOptions,
    LDBFROptions,
    MethodInfo,
    Options,
    RefLDMOptions,
)

if TYPE_CHECKING:
    from limner.methods.loaded import LoadedMethod

METHODS: dict[str, type[Options]] = {
    kind.info.name: kind for kind in (DifFaceOptions, RefLDMOptions, LDBFROptions, CLRFaceOptions)
}
"""By name, what each method can be asked."""


def list_methods() -> list[MethodInfo]:
    """All restoration methods, in the order of the registry."""
    return [kind.info for kind in METHODS.values()]


def options_of(name: str) -> type[Options]:
    """The class of options of the method of that name.

    Raises:
        LimnerError: if there is none.
    """
    if name not in METHODS:
        raise LimnerError(f"There is no method '{name}': choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def find_method(name: str) -> MethodInfo:
    """What is known of the method of that name: its title, its paper, whether it can use references.

    Raises:
        LimnerError: if there is none.
    """
    return options_of(name).info


def load(name: str, weights: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """A method with its weights, ready to run.

    Args:
        name: of the method.
        weights: `mini`, `official` or a folder.
        scheduler: another one than the paper's, see `schedules.SCHEDULERS`.

    Raises:
        LimnerError: if there is no such method or scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    module, method = find_method(name).home.split(":")
    from limner.methods.loaded import load_method  # torch and diffusers take seconds to import

    return load_method(getattr(import_module(module), method), weights, scheduler)
