"""A method joined with weights: the pipeline, its finish, what to tell about the weights, and the settings that suit
them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import limner.weights as weights_of
from limner.errors import LimnerError, WeightsError
from limner.methods.clrface import GUIDED_BELOW, CLRFacePipeline
from limner.methods.crops import Restored, per_face
from limner.methods.difface import DifFacePipeline
from limner.methods.finish import Finisher
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import (
    Timetable,
    clrface_schedule,
    difface_schedule,
    ldbfr_schedule,
    load_schedule,
    refldm_schedule,
    swap,
)
from limner.nets.unet import UNet
from limner.weights.load import WeightsInfo, holds_published_refldm, load_net


@dataclass(frozen=True)
class DifFaceSampling:
    """DifFace's knobs.

    Attributes:
        start: timestep at which the chain is entered, 1 to 999.
        steps: evaluations of the prior; 0 returns the estimate alone.
        eta: 0 (faithful, deterministic) to 1 (most realistic).
    """

    start: int
    steps: int
    eta: float


DIFFACE_PAPER = DifFaceSampling(start=400, steps=100, eta=0.5)
DIFFACE_MINI = DifFaceSampling(start=20, steps=2, eta=0.5)
"""Chosen on 24 validation faces: the embedded prior was made sharp for estimates noised to 200 and below. A single step
leaves noise; entered at 60 with 3 steps it costs a moderately damaged face 0.7 dB, at 100 with 5 1.6 dB, for edges that
are no crisper."""


@dataclass(frozen=True)
class RefLDMSampling:
    """ReF-LDM's knobs.

    Attributes:
        steps: evaluations of the U-Net, 1 to 999.
        eta: 0 (deterministic) to 1.
        guidance: 1 (none) or more; larger leans more on the references.
        timetable: `leading` or `trailing`; None is that of the pipeline's scheduler.
        encoding: of the references, `wide` or `separate`; None is what the pipeline was trained with.
        finish: looks of the finish; 0 for none.
    """

    steps: int
    eta: float
    guidance: float
    timetable: Timetable | None = None
    encoding: str | None = None
    finish: int = 0


REFLDM_PAPER = RefLDMSampling(steps=50, eta=0.0, guidance=1.5, timetable="trailing")
REFLDM_MINI = RefLDMSampling(steps=1, eta=0.0, guidance=2.0, timetable="trailing", finish=2)
"""On 24 validation faces, severe: without references a second step costs 0.45 dB and .012 of likeness by HOG; with a
varied copy as reference it costs 0.26 dB and gives .017. Other photographs show less than a varied copy does. Sharpness
is the finish's part. A guidance of 2 instead of 1.5 is truer to the person for 0.14 dB (20 faces, 5 steps, earlier
weights)."""


@dataclass(frozen=True)
class LDBFRSampling:
    """LD-BFR's knobs.

    Attributes:
        start: timestep at which the chain is entered, with stage A's picture, 1 to 999; None, the paper's, enters with
            noise alone.
        steps: evaluations of the U-Net, 1 to 999; 0 returns stage A's restoration.
        eta: 0 (deterministic) to 1.
        snap: bring every estimate of the latent to the nearest codes.
        timetable: `leading` or `trailing`; None is that of the pipeline's scheduler.
        finish: looks of the finish; 0 for none.
    """

    start: int | None
    steps: int
    eta: float
    snap: bool = False
    timetable: Timetable | None = None
    finish: int = 0


LDBFR_FULL = LDBFRSampling(start=None, steps=50, eta=0.0)
"""The authors' program logs 200 steps with eta 1; what they evaluate with isn't known. A quarter of it is our
choice."""
LDBFR_MINI = LDBFRSampling(start=50, steps=0, eta=0.0, finish=2)
"""Stage A alone, under the finish. On 16 severely damaged validation faces the embedded diffusion, entered at 20, 50 or
100, took 0.1, 0.3 and 0.5 dB and .01 to .04 of likeness and gave no detail for it: it has seen far too little. With
`--steps` it is entered at 50."""


@dataclass(frozen=True)
class CLRFaceSampling:
    """CLR-Face's knobs.

    Attributes:
        start: timestep at which the chain is entered, with the degraded face's latent, 1 to 999; None enters with noise
            alone.
        steps: evaluations of the U-Net, 1 to 999; 0 returns the identity recovery network's picture.
        eta: 0 (deterministic) to 1.
        guidance: 0 (none) or more: how far a guided step moves the estimate, in deviations of the latent.
        mask: `learned`, `one` or `zero`.
        guide_below: the timestep below which steps are guided.
        guide_every: of those each (1), every other (2), ...; the last one always.
        timetable: `leading` or `trailing`; None is that of the pipeline's scheduler.
        finish: looks of the finish; 0 for none.
    """

    start: int | None
    steps: int
    eta: float
    guidance: float
    mask: str = "learned"
    guide_below: int = GUIDED_BELOW
    guide_every: int = 1
    timetable: Timetable | None = None
    finish: int = 0


CLRFACE_FULL = CLRFaceSampling(start=None, steps=50, eta=0.0, guidance=0.02)
"""The decided settings (section 2 of the method's notes, row 9, and section 4); nothing is known of the authors'."""
CLRFACE_MINI = CLRFaceSampling(start=None, steps=2, eta=0.0, guidance=0.02, finish=2)
"""Chosen on 16 validation faces with the finish: 4 steps cost 0.2 dB under severe damage, 0.3 dB under moderate, and
.013 of likeness by HOG, for no more detail; a single one lies above all timesteps that are guided. Of 2 one is guided,
by twice as much as each of two: guided to the truth's identity 12 faces come to .757 of likeness with 0.02 and .725
with 0.01; 4 steps of 0.01 come to .774."""

Sampling = DifFaceSampling | RefLDMSampling | LDBFRSampling | CLRFaceSampling
_KINDS = (DifFaceSampling, RefLDMSampling, LDBFRSampling, CLRFaceSampling)
KNOBS = tuple(dict.fromkeys(field.name for kind in _KINDS for field in fields(kind)))
"""Settings that some method knows."""


@dataclass(frozen=True)
class LoadedMethod:
    """A pipeline that is ready to run.

    Attributes:
        pipeline: works on aligned crops.
        info: name, licence and origin of the weights, and the side of the crops in pixels.
        sampling: what the weights are best run with.
        finisher: what may be laid over a restoration; None where the weights come without.
    """

    pipeline: DifFacePipeline | RefLDMPipeline | LDBFRPipeline | CLRFacePipeline
    info: WeightsInfo
    sampling: Sampling
    finisher: Finisher | None = None

    @property
    def nets(self) -> list[nn.Module]:
        """All that run."""
        parts = [*self.pipeline.components.values()]
        parts += [self.finisher.prior] if self.finisher else []
        return [part for part in parts if isinstance(part, nn.Module)]

    def check(self, finish: int) -> Finisher | None:
        """What finishes with so many looks; None for 0.

        Raises:
            LimnerError: if it can't, or the weights come without.
        """
        if not finish:
            return None
        if self.finisher is None:
            raise LimnerError(f"The weights {self.info.name} have no finish: leave it out, or give 0.")
        self.finisher.check(finish)
        return self.finisher

    def __call__(
        self,
        crops: Tensor,
        *,
        finish: int = 0,
        samples: int = 1,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
        **settings: Any,
    ) -> Restored:
        """Restores faces as the pipeline does, and finishes them.

        Args:
            crops, samples, generator, batch_size, progress, settings: as for the pipeline.
            finish: looks of the finish, 0 (none) to 20.

        Raises:
            LimnerError: if a setting lies outside its range, or there is no finish.
        """
        finisher = self.check(finish)
        results = len(crops) * samples
        generators = per_face(generator, results)
        looks = finish * -(-results // batch_size)
        told = 0, 0

        def before(done: int, total: int) -> None:
            nonlocal told
            told = done, total
            if progress:
                progress(done, total + looks)

        def then(done: int) -> None:
            if progress:
                progress(told[1] + done, told[1] + looks)

        shared = {"samples": samples, "generator": generators, "batch_size": batch_size, "progress": before}
        out: Restored = cast(Any, self.pipeline)(crops, **shared, **settings)
        if finisher:
            out.images = finisher(out.images, finish, generators, batch_size, then)
        return out


def load_difface(source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """DifFace with weights from `mini`, `official` or a folder.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    estimator, unet, info = weights_of.load_difface(source)
    if source == "mini":
        schedule = load_schedule(weights_of.find("mini/difface-prior").path())
    elif source == "official":
        schedule = difface_schedule("epsilon")
    else:  # as a pipeline saves it, or as training left it beside the prior
        schedule = load_schedule(Path(source) / "scheduler", Path(source) / "unet")
    pipeline = DifFacePipeline(estimator, unet, schedule)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    return LoadedMethod(pipeline, info, DIFFACE_MINI if source == "mini" else DIFFACE_PAPER)


def load_refldm(source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """ReF-LDM with weights from `mini`, `official` or a folder.

    A folder says in its `model_index.json` how it encodes references, as a saved pipeline does; without it each is
    encoded alone. The authors' files want them side by side.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    vqgan, unet, info = weights_of.load_refldm(source)
    encoding = "separate"
    if source == "mini":
        schedule = load_schedule(weights_of.find("mini/refldm").path(), default=refldm_schedule)
    elif source == "official" or holds_published_refldm(source):
        schedule, encoding = refldm_schedule(), "wide"
    else:
        schedule = load_schedule(Path(source) / "scheduler", Path(source) / "unet", default=refldm_schedule)
        encoding = _encoding_of(Path(source))
    pipeline = RefLDMPipeline(vqgan, unet, schedule, encoding)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    return _with_finisher(pipeline, info, REFLDM_MINI, REFLDM_PAPER)


def load_ldbfr(source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """LD-BFR with weights from `mini`, a folder, or a checkpoint of the authors' trainer.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    nets, info = weights_of.load_ldbfr(source)
    if source == "mini":
        schedule = load_schedule(weights_of.find("mini/ldbfr-injection").path(), default=ldbfr_schedule)
    else:  # as a pipeline saves it, or as training left it beside the injection
        schedule = load_schedule(Path(source) / "scheduler", Path(source) / "injection", default=ldbfr_schedule)
    pipeline = LDBFRPipeline(nets.stage_a, nets.unet, nets.injection, nets.vqgan, schedule)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    return _with_finisher(pipeline, info, LDBFR_MINI, LDBFR_FULL)


def load_clrface(source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """CLR-Face with weights from `mini` or a folder.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    nets, info = weights_of.load_clrface(source)
    if source == "mini":
        schedule = load_schedule(weights_of.find("mini/clrface-prior").path(), default=clrface_schedule)
    else:  # as a pipeline saves it, or as training left it beside the score network
        schedule = load_schedule(Path(source) / "scheduler", Path(source) / "unet", default=clrface_schedule)
    pipeline = CLRFacePipeline(nets.vqgan, nets.encoder, nets.unet, nets.irn, nets.mask, nets.identity, schedule)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    return _with_finisher(pipeline, info, CLRFACE_MINI, CLRFACE_FULL)


def _with_finisher(
    pipeline: RefLDMPipeline | LDBFRPipeline | CLRFacePipeline, info: WeightsInfo, mini: Sampling, full: Sampling
) -> LoadedMethod:
    """The embedded weights with the embedded prior as their finisher; all others as they were published."""
    if info.name != "mini":
        return LoadedMethod(pipeline, info, full)
    schedule = load_schedule(weights_of.find("mini/difface-prior").path())
    prior = load_net("mini/difface-prior", UNet)
    return LoadedMethod(pipeline, info, mini, Finisher(prior, schedule, DIFFACE_MINI.start, DIFFACE_MINI.eta))


def _encoding_of(folder: Path) -> str:
    index = folder / "model_index.json"
    if not index.is_file():
        return "separate"
    try:
        return str(json.loads(index.read_text(encoding="utf-8")).get("encoding", "separate"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{index} can't be read as JSON: save the pipeline again, or delete it.") from error


LOADERS: dict[str, Callable[[str, str | None], LoadedMethod]] = {
    "difface": load_difface,
    "refldm": load_refldm,
    "ldbfr": load_ldbfr,
    "clrface": load_clrface,
}
"""By the method's name: from (weights, scheduler)."""
