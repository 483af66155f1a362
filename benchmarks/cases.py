"""What `run.py` measures: restorations of aligned faces, each varied in a few ways, or whole programs."""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import torch

from limner import LimnerError
from limner.device import has_bfloat16
from limner.methods import METHODS, find_method, options_of
from limner.methods.method import Method

SIZES = {"mini": 256, "published": 512}
"""Kinds of weights, and the side in pixels of the faces that their nets are made for."""

DTYPES = ("fp32", "bf16")

PATHS = {
    "plain": "fp32 with nothing fused, as the papers' authors compute",
    "eager": "as limner restores",
    "compile": "each net through torch.compile",
    "graphs": "torch.compile with CUDA graphs for the net of the chain",
}
"""How nets are run."""

DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class Case:
    """A restoration that is measured.

    Attributes:
        method: as in `limner methods`.
        weights: `mini`, the embedded ones, or `published`, the papers' nets with random weights.
        size: side of the faces in pixels.
        batch: faces restored together.
        dtype: `fp32` or `bf16`.
        steps: evaluations of the net of the chain.
        references: other photographs of the person, the same number for each face.
        threads: of the CPU.
        path: one of `PATHS`.
        device: `cpu` or `cuda`.
    """

    method: str
    weights: str
    size: int
    batch: int
    dtype: str
    steps: int
    references: int
    threads: int
    path: str
    device: str

    @property
    def name(self) -> str:
        """All of it in words; two cases of one name are the same."""
        return ", ".join(self.columns().values())

    def columns(self) -> dict[str, str]:
        """Each property in words, by the name of its option."""
        return {
            "method": self.method,
            "weights": self.weights,
            "size": f"{self.size} px",
            "batch": counted(self.batch, "face"),
            "dtype": self.dtype,
            "steps": counted(self.steps, "step"),
            "references": counted(self.references, "reference"),
            "threads": counted(self.threads, "thread"),
            "path": self.path,
            "device": self.device,
        }

    @property
    def work(self) -> tuple[str | int, ...]:
        """What it restores, however it is computed: cases of the same work give the same pictures but for rounding."""
        return self.method, self.weights, self.size, self.batch, self.steps, self.references

    def impossible(self) -> str | None:
        """Why it can't be measured, as a sentence; None if it can."""
        if self.references and not find_method(self.method).references:
            return f"{self.method} has no use for references."
        if self.weights == "mini" and self.size != SIZES["mini"]:
            return f"The embedded weights restore faces of {SIZES['mini']} px: give other sizes to --weights published."
        if self.path == "plain" and self.dtype != "fp32":
            return "The plain path is fp32."
        if self.path == "graphs" and self.device != "cuda":
            return "CUDA graphs need --device cuda."
        if self.dtype == "bf16" and not has_bfloat16(self.device):
            return f"This {self.device} would emulate bf16, slower than fp32."
        return None


@dataclass(frozen=True)
class Program:
    """A whole program that is measured, from its start to its end.

    Attributes:
        command: as for a shell; `python` is the one that measures.
    """

    command: str

    @property
    def name(self) -> str:
        return self.command

    def columns(self) -> dict[str, str]:
        return {"command": f"`{self.command}`"}

    @property
    def words(self) -> list[str]:
        first, *others = shlex.split(self.command)
        return [sys.executable if first == "python" else first, *others]


What = Case | Program


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True)
class Axes:
    """What the cases of a grid are made of; of `sizes` and `steps` none stand for those that suit the weights.

    Raises:
        LimnerError: if one of them can't be.
    """

    methods: Sequence[str] = tuple(METHODS)
    weights: Sequence[str] = ("mini",)
    sizes: Sequence[int] = ()
    batches: Sequence[int] = (1,)
    dtypes: Sequence[str] = ("fp32",)
    steps: Sequence[int] = ()
    references: Sequence[int] = (0,)
    threads: Sequence[int] = (1,)
    paths: Sequence[str] = ("eager",)
    device: str = "cpu"

    def __post_init__(self) -> None:
        named = {"method": (self.methods, METHODS), "weights": (self.weights, SIZES), "dtype": (self.dtypes, DTYPES)}
        named |= {"path": (self.paths, PATHS), "device": ([self.device], DEVICES)}
        for option, (given, known) in named.items():
            for one in given:
                if one not in known:
                    raise LimnerError(f"--{option} is '{one}': choose among {', '.join(known)}.")
        least = {"size": (self.sizes, 64), "batch": (self.batches, 1), "threads": (self.threads, 1)}
        least |= {"references": (self.references, 0)}
        for option, (given, fewest) in least.items():
            for one in given:
                if one < fewest:
                    raise LimnerError(f"--{option} is {one}: give at least {fewest}.")
        for size in self.sizes:
            if size % 64:
                raise LimnerError(f"--size is {size}: give a multiple of 64.")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise LimnerError("This machine has no cuda device that torch can use: give --device cpu.")


def grid(axes: Axes) -> tuple[list[Case], list[str]]:
    """All combinations that can be measured, and why others can't, each reason once.

    Raises:
        LimnerError: if none can, or a method doesn't take so many steps.
    """
    cases: list[Case] = []
    reasons: list[str] = []
    for method, weights in itertools.product(axes.methods, axes.weights):
        varied = itertools.product(
            axes.sizes or [SIZES[weights]],
            axes.batches,
            axes.dtypes,
            axes.steps or [suited_steps(method, weights)],
            axes.references,
            axes.threads,
            axes.paths,
        )
        for size, batch, dtype, steps, references, threads, path in varied:
            options_of(method)(steps=steps)  # says which steps the method takes
            case = Case(method, weights, size, batch, dtype, steps, references, threads, path, axes.device)
            if reason := case.impossible():
                reasons.append(reason)
            elif case not in cases:
                cases.append(case)
    if not cases:
        raise LimnerError(reasons[0])
    return cases, list(dict.fromkeys(reasons))


def suited_steps(method: str, weights: str) -> int:
    """What suits the embedded weights; of published nets the paper's."""
    module, name = find_method(method).home.split(":")
    known = getattr(import_module(module), name)
    assert isinstance(known, Method)
    return (known.mini if weights == "mini" else known.pipeline.paper).steps
