"""The protocol `limner-test`: faces of a split at the weights' size, each spoiled by a generator seeded with its file's
name, restored as aligned crops.

A row each for the input, every method, and what stands beside it: what it gives without diffusion (`estimator`,
DifFace's first guess; `stage A`, LD-BFR's; `IRN`, CLR-Face's identity recovery network), and `ceiling`, the truth
through a latent method's autoencoder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.comparison import Gallery, standard_recognisers
from limner.evaluate.metric_registry import metrics_of
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, SECONDS, Report, Row, Sheet
from limner.faces.align import stretch
from limner.faces.put_back import PutBack
from limner.faces.tone import keep_tone, tone
from limner.methods.loaded import LoadedMethod
from limner.photo.photo import Photo
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer

NAME = "limner-test"

Pair = tuple[np.ndarray, np.ndarray]
"""A degraded face and its truth, (S, S, 3) uint8."""

Way = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From the degraded face, the truth and the face's place in the split to a picture; faces are (S, S, 3) uint8."""


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures methods side by side, each face by itself; the figures are means over all faces.

    Args:
        request: what to measure.
        restorers: methods and settings by the names of their rows, of one sample; the seed of a face's noise is its
            place in the split.

    Raises:
        LimnerError: if the folder lacks its tables, there is no such preset, or the restorers work at several sizes.
    """
    faces = request.first_faces()
    pairs = fixed_pairs(faces, common_size(restorers), request.preset)
    ways: dict[str, Way] = {"input": lambda lq, truth, number: lq}
    for name, restorer in restorers.items():
        ways = ways | bounds(restorer.method) | {name: whole(restorer)}
        ways[name](*pairs[0], 0)  # a net's first run pays for its set-up
    results, seconds = pictures_of(ways, pairs, request.done)
    inputs, truths = ([pair[side] for pair in pairs] for side in (0, 1))
    gallery = Gallery(truths, standard_recognisers())
    metrics = metrics_of(NAME, {"truth", "input", "gallery"})
    rows = []
    for name, pictures in results.items():
        seen = gallery.compare(pictures, inputs)
        figures = {metric.key: metric.mean(metric.of(seen)) for metric in metrics}
        rows.append(Row({METHOD.key: name, **figures, SECONDS.key: seconds[name] / len(pairs)}))
    return Report(
        {"protocol": NAME, "preset": request.preset, "faces": len(pairs)},
        rows,
        (METHOD, *metrics, SECONDS),
        sheet=Sheet([list(shown) for shown in zip(*results.values(), truths, strict=True)], [*results, "truth"]),
    )


def common_size(restorers: Mapping[str, Restorer]) -> int:
    """Side of the crops that all work at, in pixels.

    Raises:
        LimnerError: if they work at several sizes.
    """
    sizes = sorted({restorer.size for restorer in restorers.values()})
    if len(sizes) > 1:
        raise LimnerError(f"The methods work at {' and '.join(map(str, sizes))} px: measure them in runs of their own.")
    return sizes[0]


def pictures_of(
    ways: Mapping[str, Way], pairs: Sequence[Pair], done: Callable[[int, int], None]
) -> tuple[dict[str, list[np.ndarray]], dict[str, float]]:
    """Every face goes every way: the pictures by the ways' names, and the seconds that each way took in all."""
    results: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for number, (lq, truth) in enumerate(pairs):
        for name, way in ways.items():
            started = time.perf_counter()
            results[name].append(way(lq, truth, number))
            seconds[name] += time.perf_counter() - started
        done(number + 1, len(pairs))
    return results, seconds


def whole(restorer: Restorer) -> Way:
    """A method with its settings, and its result joined with the face that it was given, as users get it."""
    settings = replace(restorer.settings, aligned=True)

    def joined(lq: np.ndarray, truth: np.ndarray, number: int) -> np.ndarray:
        (after,) = restorer.restore_crops([lq], [number])
        back, tint = PutBack(Photo(lq, "PNG"), lq, settings, restorer.joiner), tone(lq)
        toned = keep_tone(lq.astype(np.float32) / 255, after.samples[0], tint)
        back.face([toned], stretch(len(lq), len(lq), restorer.size), tint, [0])
        return back.canvases[0]

    return joined


def bounds(method: LoadedMethod) -> dict[str, Way]:
    """The ceilings of a method, and what it gives without diffusion, where it has them."""
    ways: dict[str, Way] = {}
    for name, ceiling in method.pipeline.ceilings().items():
        ways[name] = lambda lq, truth, number, of=ceiling: to_picture(of(to_tensor(truth)[None])[0])
    if name := method.pipeline.without_diffusion:
        ways[name] = lambda lq, truth, number: to_picture(method(to_tensor(lq)[None], steps=0).images[0])
    return ways
