"""The registry of metrics: each is declared once, in `definitions/`, and stands here in the order of the columns; the
tables, the JSON and the reports follow.

A protocol shows every metric that names it; `guidance` and `references`, whose columns answer one question, choose
theirs. `evaluate` stands for `limner evaluate` and the published sets, which measure anybody's pictures.
"""

from __future__ import annotations

from collections.abc import Set

from limner.evaluate.definitions.common import TRUTH
from limner.evaluate.definitions.detail import DETAIL, DETAIL_RATIO, TOP_OCTAVES, TRUE_DETAIL
from limner.evaluate.definitions.distances import SET_DISTANCES
from limner.evaluate.definitions.fidelity import LIKE_ITS_SOURCES, NEARNESS, PERCEPTUAL, PSNR, SSIM
from limner.evaluate.definitions.identity import HOG, HOG_RANK1, IDENTITY, JUDGE, RECOGNISED
from limner.evaluate.metric import Defined, Metric, Need, SetMetric

__all__ = [
    "DETAIL_RATIO",
    "HOG",
    "HOG_RANK1",
    "IDENTITY",
    "JUDGE",
    "METRICS",
    "PERCEPTUAL",
    "PSNR",
    "SET_METRICS",
    "SSIM",
    "TRUTH",
    "defined_in",
    "metrics_of",
    "set_metrics_of",
]

METRICS: tuple[Metric, ...] = (
    *NEARNESS,
    *DETAIL,
    *LIKE_ITS_SOURCES,
    TOP_OCTAVES,
    TRUE_DETAIL,
    *RECOGNISED,
    PERCEPTUAL,
)
"""All metrics of single pictures, in the order of the columns; those that a protocol's file asks for by name can be had
from here."""

SET_METRICS: tuple[SetMetric, ...] = tuple(SET_DISTANCES)
"""All metrics of sets of pictures."""


def metrics_of(protocol: str, offered: Set[Need]) -> tuple[Metric, ...]:
    """The metrics of single pictures that a protocol shows of itself, but for those that need more than is offered, or
    whose package is missing.

    Args:
        protocol: its name.
        offered: what it can give them besides the restored faces.

    Raises:
        ValueError: if two metrics share a key.
    """
    chosen = tuple(one for one in METRICS if protocol in one.protocols and one.needs <= offered and one.can_be_measured)
    if len({metric.key for metric in chosen}) < len(chosen):
        raise ValueError(f"Two metrics of the protocol {protocol} share a key.")
    return chosen


def set_metrics_of(protocol: str, offered: Set[Need]) -> tuple[SetMetric, ...]:
    """The metrics of sets that a protocol shows, but for those that need more than is offered, or whose package is
    missing."""
    return tuple(
        one for one in SET_METRICS if protocol in one.protocols and one.needs <= offered and one.can_be_measured
    )


def defined_in(protocol: str) -> tuple[Defined, ...]:
    """All metrics that a protocol shows, of pictures and of sets, also those whose package is missing."""
    return tuple(one for one in (*METRICS, *SET_METRICS) if protocol in one.protocols)
