"""What each method can be asked, declared once: for the library, the command line and the pipelines.

Nothing here needs torch. A method is named in the registry (`methods/__init__.py`) by its options; the rest of it
stands in its paper's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, Self

from limner.declared import check, declared
from limner.errors import LimnerError

TimestepSpacing = Literal["leading", "trailing"]
Encoding = Literal["wide", "separate"]
MaskKind = Literal["learned", "one", "zero"]


@dataclass(frozen=True)
class MethodInfo:
    """What `limner methods` prints, and where the method stands.

    Attributes:
        name: as given to `--method`.
        title: one line on how it works.
        paper: where it is published.
        home: module and name of its `Method`, as `limner.methods.difface:DIFFACE`.
        references: whether it can use other photographs of the same person.
        on_the_way: names of the pictures that it makes before the result, see `on_the_way` of its output.
        when: what to choose it for.
        freer: of the command line, what makes several samples of the embedded weights differ more.
    """

    name: str
    title: str
    paper: str
    home: str
    references: bool = False
    on_the_way: tuple[str, ...] = ()
    when: str = ""
    freer: str = ""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a method can be asked; the defaults are its paper's. All methods take `steps`. Each field's meaning and
    range stand in its declaration (`limner.declared.declared_fields`), and `limner restore --help` prints them.

    Raises:
        LimnerError: if an option is of another type, or lies outside its range.
    """

    info: ClassVar[MethodInfo]

    steps: int = 1

    def __post_init__(self) -> None:
        check(self, self.info.name)

    def suit_each_other(self) -> None:
        """
        Raises:
            LimnerError: if there are more steps than timesteps below the one at which the chain is entered.
        """
        start = getattr(self, "start", None)
        if start is not None and self.steps > start:
            raise LimnerError(f"{self.steps} steps don't fit below the start step {start}: choose 1 to {start}.")

    def but(self, given: Mapping[str, object]) -> Self:
        """These options, with others in the place of some.

        Args:
            given: by name, those that replace.

        Raises:
            LimnerError: if the method has no such option, or it lies outside its range.
        """
        known = [one.name for one in fields(self)]
        if unknown := [name for name in given if name not in known]:
            raise LimnerError(
                f"The method '{self.info.name}' has no option '{unknown[0]}': it takes {', '.join(known)}."
            )
        return replace(self, **given)


@dataclass(frozen=True, kw_only=True)
class DifFaceOptions(Options):
    """What DifFace can be asked (docs/methods/difface.md, eq. (6) to (10))."""

    info: ClassVar = MethodInfo(
        "difface",
        "a regressor's estimate is noised part-way, then denoised by an unconditional prior",
        "Yue & Loy, DifFace, arXiv 2212.06512",
        "limner.methods.difface:DIFFACE",
        on_the_way=("estimate",),
        when="the first to try: fastest, sharpest, and true to the person without other photos",
        freer="--start 200 --steps 10",
    )

    start: int = declared(400, "timestep at which the chain is entered; larger is freer", least=1, most=999)
    steps: int = declared(100, "evaluations of the prior; 0 gives the estimate alone", least=0, most=999)
    eta: float = declared(0.5, "0 faithful to 1 most realistic, with the scheduler ddim", least=0, most=1)


@dataclass(frozen=True, kw_only=True)
class DifFaceInpaintOptions(DifFaceOptions):
    """What DifFace can be asked where a face has holes (docs/methods/difface.md, eq. (15) to (17))."""

    start: int = declared(480, "timestep at which the chain is entered; larger is freer", least=1, most=999)
    steps: int = declared(120, "evaluations of the prior; 0 gives the estimate alone", least=0, most=999)
    eta: float = declared(1.0, "0 deterministic to 1", least=0, most=1)
    guidance: float = declared(0.5, "0 none; 0.5 holds known pixels to what they were", least=0, most=1)
    updates: int = declared(1, "updates of the guidance in each step", least=1, most=100)


@dataclass(frozen=True, kw_only=True)
class RefLDMOptions(Options):
    """What ReF-LDM can be asked (docs/methods/refldm.md, eq. (4) to (9))."""

    info: ClassVar = MethodInfo(
        "refldm",
        "latent diffusion that attends to other photographs of the same person",
        "Hsiao et al., ReF-LDM, arXiv 2412.05043",
        "limner.methods.refldm:REFLDM",
        references=True,
        when="you have other photos of the person: the result is more like them",
        freer="--steps 4 --eta 1",
    )

    steps: int = declared(50, "evaluations of the U-Net", least=1, most=999)
    eta: float = declared(0.0, "0 deterministic to 1, with the scheduler ddim", least=0, most=1)
    guidance: float = declared(1.5, "1 none; larger leans more on the references", least=0, most=20)
    timestep_spacing: TimestepSpacing | None = declared(
        None, "timesteps count from the first (leading) or the last (trailing)"
    )
    encoding: Encoding | None = declared(None, "references side by side (wide) or each alone (separate)")


@dataclass(frozen=True, kw_only=True)
class LDBFROptions(Options):
    """What LD-BFR can be asked (docs/methods/ldbfr.md, eq. (13) to (15)). The authors' program logs 200 steps with
    eta 1; what they evaluate with isn't known. 50 steps with eta 0 are our choice."""

    info: ClassVar = MethodInfo(
        "ldbfr",
        "a vector-quantised global restoration, injected into a latent diffusion",
        "Du et al., LD-BFR, ACM MM 2024, doi 10.1145/3664647.3680853",
        "limner.methods.ldbfr:LDBFR",
        when="--finish 0 comes nearest to the truth pixel by pixel, but soft; or you have a checkpoint of its trainer",
        freer="--steps 4",
    )

    start: int | None = declared(
        None, "timestep at which the chain is entered, with stage A's picture; none is noise alone", least=1, most=999
    )
    steps: int = declared(50, "evaluations of the U-Net; 0 gives stage A alone", least=0, most=999)
    eta: float = declared(0.0, "0 deterministic to 1, with the scheduler ddim", least=0, most=1)
    snap: bool = declared(False, "bring every step's estimate to the nearest codes, with the scheduler ddim")
    timestep_spacing: TimestepSpacing | None = declared(
        None, "timesteps count from the first (leading) or the last (trailing)"
    )


@dataclass(frozen=True, kw_only=True)
class CLRFaceOptions(Options):
    """What CLR-Face can be asked (docs/methods/clrface.md, eq. (12), (14), (17)). The defaults are limner's choice;
    nothing is known of the authors'."""

    info: ClassVar = MethodInfo(
        "clrface",
        "latent diffusion beside the degraded face's latent, held to the person by masked identity gradients",
        "Suin & Chellappa, CLR-Face, arXiv 2402.06106",
        "limner.methods.clrface:CLRFACE",
        references=True,
        on_the_way=("recovered", "mask"),
        when="you want to say how strongly (--guidance) and where (--guidance-mask) the person's identity guides",
        freer="--steps 4 --eta 1",
    )

    start: int | None = declared(
        None,
        "timestep at which the chain is entered, with the face's own latent; none is noise alone",
        least=1,
        most=999,
    )
    steps: int = declared(
        50, "evaluations of the U-Net; 0 gives the identity recovery network's picture", least=0, most=999
    )
    eta: float = declared(0.0, "0 deterministic to 1, with the scheduler ddim", least=0, most=1)
    guidance: float = declared(0.02, "0 none; larger is more like the person", least=0, most=10)
    mask: MaskKind = declared(
        "learned", "where the guidance acts: learned, all over (one), nowhere (zero)", flag="--guidance-mask"
    )
    guide_below: int = declared(600, "guide only timesteps below this", least=0, most=1000)
    guide_every: int = declared(1, "of those, each (1), every other (2), ...; the last one always", least=1, most=999)
    timestep_spacing: TimestepSpacing | None = declared(
        None, "timesteps count from the first (leading) or the last (trailing)"
    )
