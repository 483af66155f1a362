"""Measurements with a fixed procedure, so that two runs and two methods can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.hog import HogIdentity
from limner.evaluate.metrics import detail_ratio, psnr, ssim
from limner.evaluate.references import vectors
from limner.faces.align import stretch
from limner.faces.put_back import PutBack
from limner.faces.tone import keep_tone, tone
from limner.methods.clrface import CLRFacePipeline
from limner.methods.difface import DifFacePipeline
from limner.methods.ldbfr import LDBFRPipeline
from limner.nets.vqgan import VQGAN
from limner.photo.photo import Photo
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer
from limner.weights.load import load_identity

Way = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From the degraded face, the truth and the face's place in the split to a picture; faces are (S, S, 3) uint8."""


@dataclass(frozen=True)
class Row:
    """Means over all faces.

    Attributes:
        method: `input`, the method's name, or what stands beside it: `estimator`, DifFace's first guess; `stage A`,
            LD-BFR's; `IRN`, CLR-Face's identity recovery network; `ceiling`, the truth through the latent methods'
            encoder, quantiser and decoder, which no restoration in that latent can beat; `ceiling clrface`, the
            same of CLR-Face's.
        psnr: dB over RGB.
        ssim: of the luminance.
        detail: Laplacian variance over the truth's; 1 is as much detail as the truth has.
        identity: cosine similarity to the truth by the embedded recogniser, which some of the methods were trained
            with.
        rank1: share of the faces whose nearest truth, of all faces measured, is their own.
        hog, hog_rank1: the same by a measure that no training used.
        seconds: a face, after loading; faces go one at a time.
    """

    method: str
    psnr: float
    ssim: float
    detail: float
    identity: float
    rank1: float
    hog: float
    hog_rank1: float
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
    restorers: Mapping[str, Restorer],
    *,
    limit: int | None = None,
    split: Split = "test",
    progress: Callable[[int, int], None] | None = None,
) -> Measurement:
    """The protocol `limner-test`: the split's faces at the weights' size, each spoiled by a generator seeded with its
    file's name, restored as aligned crops.

    Args:
        data: folder of aligned faces with its tables.
        preset: degradation, see `limner.degrade.degrade.preset_names`.
        restorers: methods and settings by the names of their rows, of one sample; the seed of a face's noise is its
            place in the split.
        limit: the first so many faces only.
        split: `test`; `val` is for choosing settings.
        progress: called with (faces done, of how many).

    Raises:
        LimnerError: if the folder lacks its tables, there is no such preset, or the restorers work at several sizes.
    """
    faces = FaceSet.open(data, split)
    if limit is not None:
        if limit < 1:
            raise LimnerError(f"--limit is {limit}: measure at least 1 face.")
        faces = faces.first(limit)
    sizes = sorted({restorer.size for restorer in restorers.values()})
    if len(sizes) > 1:
        raise LimnerError(f"The methods work at {' and '.join(map(str, sizes))} px: measure them in runs of their own.")
    pairs = fixed_pairs(faces, sizes[0], preset)
    ways: dict[str, Way] = {"input": lambda lq, truth, number: lq}
    for name, restorer in restorers.items():
        ways = ways | _beside(restorer.method.pipeline) | {name: _whole(restorer)}
        ways[name](*pairs[0], 0)  # a net's first run pays for its set-up
    results: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    spent = dict.fromkeys(ways, 0.0)
    for number, (lq, truth) in enumerate(pairs):
        for name, way in ways.items():
            started = time.perf_counter()
            results[name].append(way(lq, truth, number))
            spent[name] += time.perf_counter() - started
        if progress:
            progress(number + 1, len(pairs))
    truths = [truth for _, truth in pairs]
    recognisers = load_identity("mini"), HogIdentity()
    galleries = [vectors(recogniser, truths) for recogniser in recognisers]
    rows = [
        _row(
            name,
            pictures,
            truths,
            [vectors(one, pictures) @ gallery.T for one, gallery in zip(recognisers, galleries, strict=True)],
            spent[name],
        )
        for name, pictures in results.items()
    ]
    shown = [list(pictures) for pictures in zip(*results.values(), truths, strict=True)]
    return Measurement("limner-test", preset, len(pairs), rows, shown)


def _whole(restorer: Restorer) -> Way:
    """A method with its settings, and its result joined with the face that it was given, as users get it."""
    settings = replace(restorer.settings, aligned=True)

    def restore(lq: np.ndarray, truth: np.ndarray, number: int) -> np.ndarray:
        (after,) = restorer.restore_crops([lq], [number])
        back, tint = PutBack(Photo(lq, "PNG"), lq, settings, restorer.joiner), tone(lq)
        toned = keep_tone(lq.astype(np.float32) / 255, after.samples[0], tint)
        back.face([toned], stretch(len(lq), len(lq), restorer.size), tint, [0])
        return back.canvases[0]

    return restore


def _beside(pipeline: DiffusionPipeline) -> dict[str, Way]:
    """What is measured beside a method, see `Row`."""
    if isinstance(pipeline, DifFacePipeline):
        return {"estimator": lambda lq, truth, number: to_picture(pipeline.estimate(to_tensor(lq)[None])[0])}
    vqgan: VQGAN = pipeline.vqgan  # type: ignore[attr-defined]

    @torch.no_grad()
    def ceiling(lq: np.ndarray, truth: np.ndarray, number: int) -> np.ndarray:
        latent = vqgan.encode(to_tensor(truth)[None].to(vqgan.device) * 2 - 1).float()
        return to_picture(vqgan.decode(latent)[0].float() / 2 + 0.5)

    def before_diffusion(lq: np.ndarray, truth: np.ndarray, number: int) -> np.ndarray:
        return to_picture(pipeline(to_tensor(lq)[None], steps=0).images[0])  # type: ignore[operator]

    if isinstance(pipeline, CLRFacePipeline):
        return {"ceiling clrface": ceiling, "IRN": before_diffusion}
    return {"ceiling": ceiling} | ({"stage A": before_diffusion} if isinstance(pipeline, LDBFRPipeline) else {})


def _row(
    method: str,
    results: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    alike: Sequence[np.ndarray],
    seconds: float,
) -> Row:
    """The means; `alike` has, by each recogniser, the cosine of every result (rows) to every truth (columns)."""
    pairs = list(zip(results, truths, strict=True))
    own = [float(np.diagonal(one).mean()) for one in alike]
    first = [float((one.argmax(axis=1) == np.arange(len(pairs))).mean()) for one in alike]
    return Row(
        method,
        psnr=float(np.mean([psnr(a, b) for a, b in pairs])),
        ssim=float(np.mean([ssim(a, b) for a, b in pairs])),
        detail=float(np.mean([detail_ratio(a, b) for a, b in pairs])),
        identity=own[0],
        rank1=first[0],
        hog=own[1],
        hog_rank1=first[1],
        seconds=seconds / len(pairs),
    )
