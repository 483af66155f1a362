"""Measurements with a fixed procedure, so that two runs and two methods can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.metrics import detail_ratio, psnr, ssim
from limner.evaluate.references import vectors
from limner.methods.difface import DifFacePipeline
from limner.methods.refldm import RefLDMPipeline
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer, seed_of
from limner.weights.load import load_identity


@dataclass(frozen=True)
class Row:
    """Means over all faces.

    Attributes:
        method: `input`, the method's name, or what stands beside it: `estimator`, DifFace's first guess; `ceiling`,
            the truth through ReF-LDM's encoder, quantiser and decoder, which no restoration in its latent can beat.
        psnr: dB over RGB.
        ssim: of the luminance.
        detail: Laplacian variance over the truth's; 1 is as much detail as the truth has.
        identity: cosine similarity to the truth by the embedded recogniser.
        rank1: share of the faces whose nearest truth, of all faces measured, is their own.
        seconds: a face, after loading; faces go one at a time.
    """

    method: str
    psnr: float
    ssim: float
    detail: float
    identity: float
    rank1: float
    seconds: float


@dataclass
class Measurement:
    """The rows of one run, and the pictures behind them: for every face the input, each row's result, the truth."""

    protocol: str
    preset: str
    faces: int
    rows: list[Row]
    pictures: list[list[np.ndarray]]


def limner_test(
    data: Path,
    preset: str,
    restorer: Restorer,
    *,
    limit: int | None = None,
    split: Split = "test",
    progress: Callable[[int, int], None] | None = None,
) -> Measurement:
    """The protocol `limner-test`: the split's faces at the weights' size, each spoiled by a generator seeded with its
    file's name, restored as aligned crops.

    Args:
        data: folder of aligned faces with its tables.
        preset: degradation, see `limner.degrade.preset_names`.
        restorer: method and settings; the seed of a face's noise is its place in the split.
        limit: the first so many faces only.
        split: `test`; `val` is for choosing settings.
        progress: called with (faces done, of how many).

    Raises:
        LimnerError: if the folder lacks its tables, or there is no such preset.
    """
    faces = FaceSet.open(data, split)
    if limit is not None:
        if limit < 1:
            raise LimnerError(f"--limit is {limit}: measure at least 1 face.")
        faces = faces.first(limit)
    pairs = fixed_pairs(faces, restorer.size, preset)
    name, wish, pipeline = restorer.settings.method, restorer.settings, restorer.method.pipeline
    beside = "estimator" if isinstance(pipeline, DifFacePipeline) else "ceiling"
    results: dict[str, list[np.ndarray]] = {"input": [lq for lq, _ in pairs], beside: [], name: []}
    spent = dict.fromkeys(results, 0.0)
    briefly: dict[str, Any] = restorer.sampling() | {"steps": 1}
    pipeline(to_tensor(pairs[0][0])[None], **briefly)  # the first run of a net pays for its set-up
    for number, (lq, truth) in enumerate(pairs):
        started = time.perf_counter()
        results[beside].append(_beside(pipeline, lq, truth))
        spent[beside] += time.perf_counter() - started
        started = time.perf_counter()
        out = pipeline(
            to_tensor(lq)[None],
            **restorer.sampling(),
            generator=torch.Generator().manual_seed(seed_of(wish.seed, number, 0)),
        )
        results[name].append(to_picture(out.images[0]))
        spent[name] += time.perf_counter() - started
        if progress:
            progress(number + 1, len(pairs))
    truths = [truth for _, truth in pairs]
    recogniser = load_identity("mini")
    gallery = vectors(recogniser, truths)
    rows = [
        _row(method, pictures, truths, vectors(recogniser, pictures) @ gallery.T, spent[method])
        for method, pictures in results.items()
    ]
    shown = [list(pictures) for pictures in zip(*results.values(), truths, strict=True)]
    return Measurement("limner-test", preset, len(pairs), rows, shown)


@torch.no_grad()
def _beside(pipeline: DifFacePipeline | RefLDMPipeline, lq: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The picture of a method's second row, see `Row`."""
    if isinstance(pipeline, DifFacePipeline):
        return to_picture(pipeline.estimate(to_tensor(lq)[None])[0])
    latent = pipeline.encode(to_tensor(truth)[None])
    return to_picture(pipeline.vqgan.decode(latent)[0].float() / 2 + 0.5)


def _row(
    method: str, results: Sequence[np.ndarray], truths: Sequence[np.ndarray], alike: np.ndarray, seconds: float
) -> Row:
    """The means; `alike` has the cosine of every result (rows) to every truth (columns)."""
    pairs = list(zip(results, truths, strict=True))
    return Row(
        method,
        psnr=float(np.mean([psnr(a, b) for a, b in pairs])),
        ssim=float(np.mean([ssim(a, b) for a, b in pairs])),
        detail=float(np.mean([detail_ratio(a, b) for a, b in pairs])),
        identity=float(np.diagonal(alike).mean()),
        rank1=float((alike.argmax(axis=1) == np.arange(len(pairs))).mean()),
        seconds=seconds / len(pairs),
    )
