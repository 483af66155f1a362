"""The registry of metrics: each is declared once, here, and the tables and the JSON of the protocols follow.

`limner-test` and `harm` show every metric that names them; `guidance` and `references`, whose columns answer one
question, choose theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np

from limner.evaluate.comparison import Comparison
from limner.evaluate.metrics.detail import detail_of_top_octaves, detail_ratio
from limner.evaluate.metrics.fidelity import psnr, ssim
from limner.evaluate.metrics.perceptual import perceptual_distance
from limner.evaluate.report import Column

Need = Literal["truth", "input", "gallery", "judge"]
"""What a metric needs besides the restored face: its truth, what it was restored from, all truths of the run, or a
recogniser of the user's that took no part."""

Figures = Callable[[Comparison], np.ndarray]
"""From N faces to a figure for each, (N,)."""


@dataclass(frozen=True, kw_only=True)
class Metric(Column):
    """A metric, how it is computed and how it is shown.

    Attributes:
        of: computes it.
        larger_is_better: None where neither end is: 1 is best of a ratio.
        needs: what it is computed from besides the restored faces.
        protocols: names of those that show it of themselves; in none of them two metrics share a key.
        factor: what means are multiplied by, to be read more easily.
    """

    of: Figures
    larger_is_better: bool | None
    needs: frozenset[Need]
    protocols: tuple[str, ...] = ()
    factor: float = 1.0

    def mean(self, figures: np.ndarray) -> float:
        """The mean of figures (N,) as it is shown."""
        return self.factor * float(np.mean(figures))


def each(measure: Callable[[np.ndarray, np.ndarray], float]) -> Figures:
    """A metric that is measured on each restored face and its truth by itself.

    Args:
        measure: from two pictures, (S, S, 3) uint8, to a figure.
    """
    return lambda seen: np.array([measure(a, b) for a, b in zip(seen.pictures, seen.truths, strict=True)])


def likeness(recogniser: str) -> Figures:
    """The metric of likeness: cosine similarity of each restored face to its truth, -1 to 1.

    Args:
        recogniser: its name among those of the comparison.
    """
    return lambda seen: seen.likeness[recogniser].own


def rank1(recogniser: str) -> Figures:
    """The metric of identification: whether the truth nearest to a restored face, of all faces measured, is its own (1
    or 0); the mean is their share.

    Args:
        recogniser: its name among those of the comparison.

    Raises:
        ValueError: when it is computed, if the faces stand in no gallery.
    """

    def nearest(seen: Comparison) -> np.ndarray:
        found = seen.likeness[recogniser].nearest
        if found is None:
            raise ValueError("Rank 1 needs a gallery.")
        return found

    return nearest


TRUTH: frozenset[Need] = frozenset({"truth"})
GALLERY: frozenset[Need] = frozenset({"truth", "gallery"})
BOTH = ("limner-test", "harm")

PSNR = Metric("psnr", "PSNR dB", ".2f", of=each(psnr), larger_is_better=True, needs=TRUTH, protocols=BOTH)
SSIM = Metric("ssim", "SSIM", ".4f", of=each(ssim), larger_is_better=True, needs=TRUTH, protocols=("limner-test",))
DETAIL_RATIO = Metric(
    "detail",
    "detail ratio",
    ".2f",
    of=each(detail_ratio),
    larger_is_better=None,
    needs=TRUTH,
    protocols=("limner-test",),
)
IDENTITY = Metric(
    "identity",
    "identity",
    ".3f",
    of=likeness("identity"),
    larger_is_better=True,
    needs=TRUTH,
    protocols=BOTH,
)
HOG = Metric("hog", "HOG", ".3f", of=likeness("hog"), larger_is_better=True, needs=TRUTH, protocols=BOTH)
HOG_RANK1 = Metric(
    "hog_rank1",
    "rank 1",
    ".1%",
    of=rank1("hog"),
    larger_is_better=True,
    needs=GALLERY,
    protocols=("limner-test",),
)
JUDGE = Metric(
    "judge",
    "judge",
    ".3f",
    of=likeness("judge"),
    larger_is_better=True,
    needs=frozenset({"truth", "judge"}),
)
PERCEPTUAL = Metric(
    "perceptual",
    "perceptual",
    ".2f",
    of=each(perceptual_distance),
    larger_is_better=False,
    needs=TRUTH,
    factor=1000,
)

METRICS = (
    PSNR,
    SSIM,
    DETAIL_RATIO,
    Metric(
        "detail",
        "detail",
        ".2f",
        of=each(lambda a, b: detail_of_top_octaves(a, b)[0]),
        larger_is_better=None,
        needs=TRUTH,
        protocols=("harm",),
    ),
    Metric(
        "true_detail",
        "true detail",
        ".2f",
        of=each(lambda a, b: detail_of_top_octaves(a, b)[1]),
        larger_is_better=True,
        needs=TRUTH,
        protocols=("harm",),
    ),
    IDENTITY,
    Metric(
        "rank1",
        "rank 1",
        ".1%",
        of=rank1("identity"),
        larger_is_better=True,
        needs=GALLERY,
        protocols=("limner-test",),
    ),
    HOG,
    HOG_RANK1,
    JUDGE,
    PERCEPTUAL,
)
"""All metrics, in the order of the columns; those that a protocol's file asks for by name have one above."""


def metrics_of(protocol: str, offered: Set[Need]) -> tuple[Metric, ...]:
    """The metrics that a protocol shows of itself.

    Args:
        protocol: its name.
        offered: what it can give them besides the restored faces.

    Raises:
        ValueError: if a metric needs more than that, or two share a key.
    """
    chosen = tuple(metric for metric in METRICS if protocol in metric.protocols)
    for metric in chosen:
        if missing := metric.needs - offered:
            raise ValueError(f"The protocol {protocol} has no {' and no '.join(sorted(missing))} for {metric.key}.")
    if len({metric.key for metric in chosen}) < len(chosen):
        raise ValueError(f"Two metrics of the protocol {protocol} share a key.")
    return chosen
