"""The registry of restoration methods. Each lives in one file that reads like its paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.methods.loaded import LoadedMethod


@dataclass(frozen=True)
class MethodInfo:
    """What `limner methods` prints.

    Attributes:
        name: as given to `--method`.
        title: one line on how it works.
        paper: where it is published.
        references: whether it can use other photographs of the same person.
        on_the_way: names of the pictures that it makes before the result, see `on_the_way` of its output.
    """

    name: str
    title: str
    paper: str
    references: bool
    on_the_way: tuple[str, ...] = ()


METHODS = {
    "difface": MethodInfo(
        "difface",
        "a regressor's estimate is noised part-way, then denoised by an unconditional prior",
        "Yue & Loy, DifFace, arXiv 2212.06512",
        references=False,
        on_the_way=("estimate",),
    ),
    "refldm": MethodInfo(
        "refldm",
        "latent diffusion that attends to other photographs of the same person",
        "Hsiao et al., ReF-LDM, arXiv 2412.05043",
        references=True,
    ),
    "ldbfr": MethodInfo(
        "ldbfr",
        "a vector-quantised global restoration, injected into a latent diffusion",
        "Du et al., LD-BFR, ACM MM 2024, doi 10.1145/3664647.3680853",
        references=False,
    ),
    "clrface": MethodInfo(
        "clrface",
        "latent diffusion beside the degraded face's latent, held to the person by masked identity gradients",
        "Suin & Chellappa, CLR-Face, arXiv 2402.06106",
        references=True,
        on_the_way=("recovered", "mask"),
    ),
}


def methods() -> list[MethodInfo]:
    """All restoration methods."""
    return list(METHODS.values())


def find_method(name: str) -> MethodInfo:
    """The method of that name.

    Raises:
        LimnerError: if there is none.
    """
    if name not in METHODS:
        raise LimnerError(f"There is no method '{name}': choose one of {', '.join(METHODS)}.")
    return METHODS[name]


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
    find_method(name)
    from limner.methods.loaded import LOADERS  # torch and diffusers take seconds to import

    return LOADERS[name](weights, scheduler)
