"""The protocol `guidance`: does CLR-Face's mask keep fidelity and perception apart? That is its claim, see
docs/methods/clrface.md, eq. (9), (12).

Faces are restored from the same noise under growing guidance: through the learned mask, all over the latent, and in its
place by an unmasked pull towards the identity recovery network's picture. Likeness is judged by the recogniser that
guides, which it is easy to please, by HOG, which no training used, and by a recogniser of the user's that took no part;
against them stand metrics of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from limner.data.pairs import FixedPairs
from limner.evaluate.comparison import Gallery
from limner.evaluate.identity import Recogniser, recogniser_from
from limner.evaluate.lazy import Lazy
from limner.evaluate.metric import Metric
from limner.evaluate.metric_registry import (
    DETAIL_RATIO,
    HOG,
    HOG_RANK1,
    IDENTITY,
    JUDGE,
    PERCEPTUAL,
    PSNR,
    SSIM,
)
from limner.evaluate.protocols import Request
from limner.evaluate.report import Column, Figure, Plot, Report, Row, Sheet
from limner.evaluate.side_by_side import SHOWN, spread
from limner.faces.hog import HogIdentity
from limner.methods.clrface import CLRFacePipeline, PersonRead
from limner.methods.crops import seed_of
from limner.methods.identity_guidance import Guide
from limner.methods.options import CLRFaceOptions, MaskKind
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer

SCALES = (0.005, 0.01, 0.02)
"""Guidance scales of the sweep."""

PULLS = (0.1, 0.3, 1.0)
"""Shares of the way that the pull moves an estimate at abar = 1."""

UNGUIDED = "mask 0"
"""The point where every curve begins."""

METRICS: tuple[Metric, ...] = (
    IDENTITY,
    JUDGE,
    HOG,
    replace(HOG_RANK1, key="rank1"),  # the only rank here
    PSNR,
    SSIM,
    PERCEPTUAL,
    DETAIL_RATIO,
)
COLUMNS = (Column("curve", "curve"), Column("scale", "scale", "g"), *METRICS, Column("open", "mask", ".2f"))
"""`scale` is that of the guidance, `open` the mean of the mask; `identity` is by the recogniser that guides."""


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
class Point:
    """How the faces of one point of a curve are restored, and what became of them.

    Attributes:
        curve: `mask 0`, `learned mask`, `mask 1`, or `pull to the IRN`.
        scale: of the guidance.
        pipeline: that restores.
        mask: which one it guides through.
        shown: the restored faces that the sheet shows, by their places.
        figures: of each face, by the metrics' keys.
        open: of each, the mean of its mask.
    """

    curve: str
    scale: float
    pipeline: CLRFacePipeline
    mask: MaskKind
    shown: dict[int, np.ndarray] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)
    open: list[float] = field(default_factory=list)


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Sweeps the guidance of CLR-Face, see `guidance_sweep`; the judge is what the request names."""
    (restorer,) = restorers.values()
    return guidance_sweep(request, restorer, judge=request.judge and recogniser_from(request.judge))


def guidance_sweep(
    request: Request,
    restorer: Restorer,
    *,
    scales: Sequence[float] = SCALES,
    pulls: Sequence[float] = PULLS,
    judge: Recogniser | None = None,
) -> Report:
    """Restores faces at every point of every curve.

    Args:
        request: what to measure.
        restorer: of CLR-Face.
        scales: of the guidance.
        pulls: shares of the way, of the pull.
        judge: a recogniser that took no part in the guidance or in any training of CLR-Face.

    Raises:
        LimnerError: if the method isn't CLR-Face, or the folder lacks its tables.
    """
    pipeline = restorer.method.pipeline_of(CLRFacePipeline)
    pairs = FixedPairs(request.first_faces(), restorer.size, request.preset)
    points = points_of(pipeline, scales, pulls)
    recognisers: dict[str, Recogniser] = {"identity": pipeline.identity, "hog": HogIdentity()}
    if judge:
        recognisers["judge"] = judge
    gallery = Gallery(Lazy(len(pairs), lambda place: pairs[place][1]), recognisers)
    measure_points(points, request, restorer, pairs, gallery)
    rows = [row(point) for point in points]
    return Report(
        {"protocol": "guidance", "preset": request.preset, "faces": len(pairs)},
        rows,
        COLUMNS,
        rows_key="points",
        sheet=sheet(points, pairs),
        plot=plot(points, rows, JUDGE if judge else HOG),
    )


def points_of(pipeline: CLRFacePipeline, scales: Sequence[float], pulls: Sequence[float]) -> list[Point]:
    """All points: the one that is common to the curves, then each curve by growing scale."""
    pulling = PullingPipeline(**pipeline.components)
    return [
        Point(UNGUIDED, 0.0, pipeline, "zero"),
        *(Point("learned mask", scale, pipeline, "learned") for scale in scales),
        *(Point("mask 1", scale, pipeline, "one") for scale in scales),
        *(Point("pull to the IRN", pull, pulling, "one") for pull in pulls),
    ]


def measure_points(
    points: Sequence[Point], request: Request, restorer: Restorer, pairs: FixedPairs, gallery: Gallery
) -> None:
    """Restores and measures every face at every point, from the same noise, bare: the finish would hide what a guided
    step does to detail. Of the pictures only those of the sheet are kept."""
    bare, shown = asdict(restorer.options), spread(range(len(pairs)), SHOWN)
    metrics = [one for one in METRICS if "judge" not in one.needs or "judge" in gallery.recognisers]
    for number, (lq, _) in enumerate(pairs):
        for point in points:
            out = point.pipeline(
                to_tensor(lq)[None],
                **bare | {"guidance": point.scale, "mask": point.mask},
                generator=torch.Generator().manual_seed(seed_of(restorer.settings.seed, number, 0)),
            )
            picture = to_picture(out.images[0])
            seen = gallery.compare([picture], [lq], [number])
            for metric in metrics:
                point.figures.setdefault(metric.key, []).append(float(metric.of(seen)[0]))
            point.open.append(float(out.masks.mean()))
            if number in shown:
                point.shown[number] = picture
        request.done(number + 1, len(pairs))


def row(point: Point) -> Row:
    """The means of one point; None where a metric needs the judge and there is none."""
    figures: dict[str, Figure] = {"curve": point.curve, "scale": point.scale}
    for metric in METRICS:
        measured = point.figures.get(metric.key)
        figures[metric.key] = metric.mean(np.array(measured)) if measured else None
    return Row({**figures, "open": float(np.mean(point.open))})


def sheet(points: Sequence[Point], pairs: FixedPairs) -> Sheet:
    """The input, each curve at its largest scale, the truth."""
    largest: dict[str, Point] = {}
    for point in points:
        if point.curve not in largest or point.scale > largest[point.curve].scale:
            largest[point.curve] = point
    shown = largest.values()
    rows = []
    for place in points[0].shown:
        lq, truth = pairs[place]
        rows.append([lq, *(point.shown[place] for point in shown), truth])
    return Sheet(rows, ["input", *(f"{point.curve} {point.scale:g}" for point in shown), "truth"])


def plot(points: Sequence[Point], rows: Sequence[Row], likeness: Metric) -> Plot:
    """Each curve from the unguided point on: likeness over the perceptual distance."""
    curves = {
        point.curve: [
            (row.number(PERCEPTUAL.key), row.number(likeness.key))
            for row in rows
            if row["curve"] in (point.curve, UNGUIDED)
        ]
        for point in points
    }
    by = "HOG" if likeness is HOG else "a recogniser that took no part"
    better = {metric: "more" if metric.larger_is_better else "less" for metric in (PERCEPTUAL, likeness)}
    return Plot(
        curves,
        f"perceptual distance to the truth ({better[PERCEPTUAL]} is better)",
        f"likeness by {by} ({better[likeness]} is better)",
    )
