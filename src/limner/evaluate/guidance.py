"""Does CLR-Face's mask keep fidelity and perception apart? (Section 4 of its notes: the acceptance test.)

Faces are restored from the same noise under growing guidance: through the learned mask, all over the latent, and in its
place by an unmasked pull towards the identity recovery network's picture. Likeness is told by the recogniser that
guides, which it is easy to please, by HOG, which no training used, and by a recogniser of the user's that took no part;
against them stand measures of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.hog import HogIdentity
from limner.evaluate.identity import Measure as Recogniser
from limner.evaluate.metrics import detail_ratio, psnr, ssim
from limner.evaluate.perceptual import FeatureDistance, autoencoder_features
from limner.evaluate.references import vectors
from limner.methods.clrface import CLRFacePipeline, PersonRead
from limner.methods.identity_guidance import Guide
from limner.methods.options import CLRFaceOptions
from limner.nets.identity import IdentityNet
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer, seed_of

SCALES = (0.005, 0.01, 0.02)
"""Guidance scales of the sweep."""

PULLS = (0.1, 0.3, 1.0)
"""Shares of the way that the pull moves an estimate at abar = 1."""


@dataclass(frozen=True)
class Point:
    """One point of a curve: means over all faces.

    Attributes:
        curve: `mask 0`, `learned mask`, `mask 1`, or `pull to the IRN`.
        scale: of the guidance.
        identity: cosine similarity to the truth by the recogniser that guides.
        judge: the same by a recogniser that took no part; None without one.
        hog: the same by a measure that no training used.
        rank1: share of the faces whose nearest truth by HOG, of all measured, is their own.
        psnr: dB.
        ssim: of the luminance.
        perceptual: distance of the embedded autoencoder's features, in thousandths, which no part of CLR-Face lessens.
        detail: Laplacian variance over the truth's.
        open: mean of the mask.
    """

    curve: str
    scale: float
    identity: float
    judge: float | None
    hog: float
    rank1: float
    psnr: float
    ssim: float
    perceptual: float
    detail: float
    open: float


@dataclass
class Sweep:
    """The points of one run, and for some faces the pictures: input, each curve at its largest scale, the truth."""

    preset: str
    faces: int
    points: list[Point]
    pictures: list[list[np.ndarray]]
    headings: list[str]


@dataclass
class Pull:
    """What stands in the guidance's place: z_0 <- z_0 - s sqrt(abar_t) (z_0 - E(IRN(y)))."""

    towards: Tensor
    scale: float

    def shift(self, z0: Tensor, timesteps: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
        """As `IdentityGuidance.shift`."""
        return self.scale * abar.sqrt() * (z0 - self.towards), torch.ones_like(z0)


class PullingPipeline(CLRFacePipeline):
    """CLR-Face that is pulled to the identity recovery network's picture."""

    def guide(self, recovered: Tensor, people: Sequence[PersonRead | None], options: CLRFaceOptions) -> Guide:
        return Pull(self.encode(recovered), options.guidance)


@dataclass
class _Curve:
    """How the faces of one point are restored."""

    name: str
    scale: float
    pipeline: CLRFacePipeline
    mask: str
    pictures: list[np.ndarray] = field(default_factory=list)
    open: list[float] = field(default_factory=list)


def guidance_sweep(
    data: Path,
    preset: str,
    restorer: Restorer,
    *,
    scales: Sequence[float] = SCALES,
    pulls: Sequence[float] = PULLS,
    judge: IdentityNet | None = None,
    split: Split = "test",
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """The protocol `guidance`.

    Args:
        data: folder of aligned faces with its tables.
        preset: degradation, see `limner.degrade.degrade.preset_names`.
        restorer: of CLR-Face.
        scales: of the guidance.
        pulls: shares of the way, of the pull.
        judge: a recogniser that took no part in the guidance or in any training of CLR-Face.
        split: `test`; `val` is for choosing settings.
        limit: the first so many faces only.
        progress: called with (faces done, of how many).

    Raises:
        LimnerError: if the method isn't CLR-Face, or the folder lacks its tables.
    """
    pipeline = restorer.method.pipeline
    if not isinstance(pipeline, CLRFacePipeline):
        raise LimnerError(f"The method '{restorer.settings.method}' has no masked guidance: measure clrface.")
    faces = FaceSet.open(data, split)
    pairs = fixed_pairs(faces if limit is None else faces.first(limit), restorer.size, preset)
    parts = pipeline.components
    pulling = PullingPipeline(**parts)
    curves = [_Curve("mask 0", 0.0, pipeline, "zero")]
    curves += [
        _Curve(name, scale, made, mask)
        for name, made, mask, wanted in (
            ("learned mask", pipeline, "learned", scales),
            ("mask 1", pipeline, "one", scales),
            ("pull to the IRN", pulling, "one", pulls),
        )
        for scale in wanted
    ]
    # measured bare: the finish would hide what a guided step does to detail
    bare = asdict(restorer.options)
    for number, (lq, _) in enumerate(pairs):
        for curve in curves:
            out = curve.pipeline(
                to_tensor(lq)[None],
                **bare | {"guidance": curve.scale, "mask": curve.mask},
                generator=torch.Generator().manual_seed(seed_of(restorer.settings.seed, number, 0)),
            )
            curve.pictures.append(to_picture(out.images[0]))
            curve.open.append(float(out.masks.mean()))
        if progress:
            progress(number + 1, len(pairs))
    truths = [truth for _, truth in pairs]
    recognisers: dict[str, Recogniser] = {"identity": pipeline.identity, "hog": HogIdentity()}
    if judge:
        recognisers["judge"] = judge
    galleries = {name: vectors(one, truths) for name, one in recognisers.items()}
    perceptual = autoencoder_features()
    points = [_point(curve, truths, recognisers, galleries, perceptual) for curve in curves]
    shown = [curves[0], *(max((c for c in curves if c.name == name), key=lambda c: c.scale) for name in _names(curves))]
    headings = ["input", *(f"{curve.name} {curve.scale:g}" for curve in shown), "truth"]
    rows = [[lq, *(curve.pictures[i] for curve in shown), truth] for i, (lq, truth) in enumerate(pairs)]
    return Sweep(preset, len(pairs), points, rows, headings)


def _names(curves: Sequence[_Curve]) -> list[str]:
    return list(dict.fromkeys(curve.name for curve in curves[1:]))


def _point(
    curve: _Curve,
    truths: Sequence[np.ndarray],
    recognisers: Mapping[str, Recogniser],
    galleries: Mapping[str, np.ndarray],
    perceptual: FeatureDistance,
) -> Point:
    """The means of one point."""
    alike = {name: vectors(one, curve.pictures) @ galleries[name].T for name, one in recognisers.items()}
    own = {name: float(np.diagonal(cosines).mean()) for name, cosines in alike.items()}
    pairs = list(zip(curve.pictures, truths, strict=True))
    with torch.no_grad():
        apart = [float(perceptual(to_tensor(a)[None] * 2 - 1, to_tensor(b)[None] * 2 - 1)) for a, b in pairs]
    return Point(
        curve=curve.name,
        scale=curve.scale,
        identity=own["identity"],
        judge=own.get("judge"),
        hog=own["hog"],
        rank1=float((alike["hog"].argmax(axis=1) == np.arange(len(pairs))).mean()),
        psnr=float(np.mean([psnr(a, b) for a, b in pairs])),
        ssim=float(np.mean([ssim(a, b) for a, b in pairs])),
        perceptual=1000 * float(np.mean(apart)),
        detail=float(np.mean([detail_ratio(a, b) for a, b in pairs])),
        open=float(np.mean(curve.open)),
    )
