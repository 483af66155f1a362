"""Measurements with a fixed procedure, so that two runs and two methods can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.metrics import detail_ratio, psnr, ssim
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer, seed_of


@dataclass(frozen=True)
class Row:
    """Means over all faces.

    Attributes:
        method: `input`, `estimator`, or the method's name.
        psnr: dB over RGB.
        ssim: of the luminance.
        detail: Laplacian variance over the truth's; 1 is as much detail as the truth has.
        seconds: a face, after loading; faces go one at a time.
    """

    method: str
    psnr: float
    ssim: float
    detail: float
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
    results: dict[str, list[np.ndarray]] = {"input": [lq for lq, _ in pairs], "estimator": [], name: []}
    spent = dict.fromkeys(results, 0.0)
    pipeline.estimate(to_tensor(pairs[0][0])[None])  # the first run of a net pays for its set-up
    for number, (lq, _) in enumerate(pairs):
        started = time.perf_counter()
        results["estimator"].append(to_picture(pipeline.estimate(to_tensor(lq)[None])[0]))
        spent["estimator"] += time.perf_counter() - started
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
    rows = [_row(method, pictures, truths, spent[method]) for method, pictures in results.items()]
    shown = [list(pictures) for pictures in zip(*results.values(), truths, strict=True)]
    return Measurement("limner-test", preset, len(pairs), rows, shown)


def _row(method: str, results: Sequence[np.ndarray], truths: Sequence[np.ndarray], seconds: float) -> Row:
    pairs = list(zip(results, truths, strict=True))
    return Row(
        method,
        float(np.mean([psnr(a, b) for a, b in pairs])),
        float(np.mean([ssim(a, b) for a, b in pairs])),
        float(np.mean([detail_ratio(a, b) for a, b in pairs])),
        seconds / len(pairs),
    )
