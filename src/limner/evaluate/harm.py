"""Does limner harm what is hardly damaged? Sharp faces at three sizes, undamaged, lightly and badly damaged.

Every picture goes the user's whole way as an aligned crop, at its own size, so that whatever is lost on the way to the
weights' size and back is measured with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from limner.data.faces import FaceSet, Split
from limner.data.pairs import named_generator
from limner.degrade.degrade import apply, draw
from limner.degrade.degrade import truth as truth_of
from limner.errors import LimnerError
from limner.evaluate.hog import HogIdentity
from limner.evaluate.identity import Measure
from limner.evaluate.metrics import detail_of_top_octaves, psnr
from limner.evaluate.references import vectors
from limner.photo.photo import Photo
from limner.restorer import Restorer
from limner.weights.load import load_identity

SIDE = 512
"""Of the files that take part, in pixels: smaller ones have no fine detail to lose."""

SIZES = (256, 512, 1024)
"""In pixels, at which each face is shown, damaged and measured."""

NOTHING, NOISE, BLUR = "nothing", "noise 5, JPEG 50", "blur 1 px"
DAMAGES = (NOTHING, NOISE, BLUR, "ffhq-ref-moderate", "ffhq-ref-severe", "old-print")

IDENTITY_SIZE = 256
"""In pixels; larger pictures are shrunk to it for the recogniser and HOG, which look at less than that."""

INPUT = "input"

COLUMNS = (
    ("damage", "damage", ""),
    ("px", "size", ""),
    ("method", "method", ""),
    ("PSNR dB", "psnr", ".2f"),
    ("same", "untouched", ""),
    ("gain", "gain", "+.2f"),
    ("worst", "worst", ".2f"),
    ("of", "worst_file", ""),
    ("detail", "detail", ".2f"),
    ("true detail", "true_detail", ".2f"),
    ("identity", "identity", ".3f"),
    ("least", "identity_least", "+.3f"),
    ("HOG", "hog", ".3f"),
    ("least", "hog_least", "+.3f"),
    ("s a face", "seconds", ".2f"),
)
"""Of a table of rows: heading, attribute, format."""


@dataclass(frozen=True)
class Row:
    """One damage at one size: means over the faces, and the worst of them.

    Attributes:
        damage, size: one of `DAMAGES` and of `SIZES`.
        method: `input`, or the method's name.
        psnr: dB over RGB, of the faces that differ from the truth at all; None where none does.
        untouched: how many faces equal the truth, pixel for pixel.
        gain: PSNR less the input's; None for the input, and where nothing was damaged.
        worst, worst_file: the least gain and its face; where nothing was damaged, the least PSNR. None for the input,
            and where all faces are untouched.
        detail, true_detail: see `detail_of_top_octaves`.
        identity: cosine similarity to the truth by the embedded recogniser, which some of the methods were trained
            with.
        identity_least: the least difference of a face's identity to the input's.
        hog, hog_least: the same by a measure that no training used.
        seconds: a face, after loading.
    """

    damage: str
    size: int
    method: str
    psnr: float | None
    untouched: int
    gain: float | None
    worst: float | None
    worst_file: str | None
    detail: float
    true_detail: float
    identity: float
    identity_least: float
    hog: float
    hog_least: float
    seconds: float


@dataclass
class HarmMeasurement:
    """The rows of one run, and for each damage and size, in their order, the pictures of the face that came off worst
    by any method: the middle 256 px of the input, each method's result and the truth."""

    faces: int
    rows: list[Row]
    pictures: list[list[np.ndarray]]


@dataclass(frozen=True)
class Look:
    """The measures of one picture; see `Row`."""

    psnr: float
    detail: float
    true_detail: float
    identity: float
    hog: float
    seconds: float


def harm_test(
    data: Path,
    restorers: Mapping[str, Restorer],
    *,
    limit: int | None = None,
    split: Split = "test",
    progress: Callable[[int, int], None] | None = None,
) -> HarmMeasurement:
    """The protocol `harm`: the split's faces of 512 px, shown at each size, damaged there by a generator seeded with
    the file's name, and restored as photographs that are aligned crops.

    Args:
        data: folder of aligned faces with its tables.
        restorers: of aligned photographs, by the names of their rows.
        limit: the first so many faces only.
        split: `test`; `val` is for choosing settings.
        progress: called with (pictures done, of how many).

    Raises:
        LimnerError: if the folder lacks its tables or the split has no face of 512 px.
    """
    faces = FaceSet.open(data, split)
    if limit is not None and limit < 1:
        raise LimnerError(f"--limit is {limit}: measure at least 1 face.")
    places = [place for place, side in enumerate(faces.sides) if side == SIDE][:limit]
    if not places:
        raise LimnerError(f"{data} has no face of {SIDE} px in the split '{split}': measure another split.")
    files = [faces.files[place] for place in places]
    recognisers = load_identity("mini"), HogIdentity()
    for restorer in restorers.values():  # a net's first run pays for its set-up
        restorer.restore(Photo(shown_at(faces.image(places[0], SIDE), SIZES[0]), "PNG"))
    cases = list(product(DAMAGES, SIZES))
    rows, pictures = [], []
    for number, (damage, size) in enumerate(cases):
        looks: dict[str, list[Look]] = {name: [] for name in (INPUT, *restorers)}
        worst, shown = np.inf, []
        for place, file in zip(places, files, strict=True):
            lq, truth = damaged(shown_at(faces.image(place, SIDE), size), damage, named_generator(file, damage))
            done = [restorer.restore(Photo(lq, "PNG")) for restorer in restorers.values()]
            results = [lq, *(one.photos[0].srgb() for one in done)]
            new = look_at(results, truth, recognisers, [0.0, *(one.seconds for one in done)])
            for name, look in zip(looks, new, strict=True):
                looks[name].append(look)
            least = min(look.psnr for look in new[1:]) - (0 if damage == NOTHING else new[0].psnr)
            if least < worst or not shown:
                worst, shown = least, [middle(picture) for picture in (*results, truth)]
            if progress:
                progress(number * len(files) + len(looks[INPUT]), len(cases) * len(files))
        rows += [_row(damage, size, name, some, looks[INPUT], files) for name, some in looks.items()]
        pictures.append(shown)
    return HarmMeasurement(len(files), rows, pictures)


def look_at(
    results: Sequence[np.ndarray], truth: np.ndarray, recognisers: tuple[Measure, Measure], seconds: Sequence[float]
) -> list[Look]:
    """The measures of pictures against their truth, all (S, S, 3) uint8; `recognisers` tell identity and HOG."""
    small = [shown_at(one, min(one.shape[0], IDENTITY_SIZE)) for one in (truth, *results)]
    identity, hog = ([float(one @ rest[0]) for one in rest[1:]] for rest in (vectors(r, small) for r in recognisers))
    return [
        Look(psnr(result, truth), *detail_of_top_octaves(result, truth), *alike)
        for result, *alike in zip(results, identity, hog, seconds, strict=True)
    ]


def shown_at(face: np.ndarray, size: int) -> np.ndarray:
    """A face (S, S, 3) uint8 at (size, size, 3): shrunk by area, enlarged by Lanczos."""
    if face.shape[0] == size:
        return face
    way = cv2.INTER_AREA if face.shape[0] > size else cv2.INTER_LANCZOS4
    return cv2.resize(face, (size, size), interpolation=way)


def damaged(clean: np.ndarray, damage: str, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A face under one of `DAMAGES`, or any preset of `limner.degrade.degrade`: (degraded, what should come back), each
    (S, S, 3) uint8.

    Raises:
        LimnerError: if there is no such damage.
    """
    if damage == NOTHING:
        return clean, clean
    if damage == NOISE:
        return compressed(noisy(clean, 5, generator), 50), clean
    if damage == BLUR:
        return cv2.GaussianBlur(clean, (0, 0), 1), clean
    degradation = draw(damage, generator, clean.shape[1], clean.shape[0])
    return apply(clean, degradation), truth_of(clean, degradation)


def noisy(rgb: np.ndarray, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 with white Gaussian noise of `sigma` grey levels in each channel, clipped and rounded."""
    return np.rint(np.clip(rgb + sigma * generator.standard_normal(rgb.shape), 0, 255)).astype(np.uint8)


def compressed(rgb: np.ndarray, quality: int) -> np.ndarray:
    """(H, W, 3) uint8 through a JPEG of this quality (1 to 100) whose colour has half the resolution."""
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1].copy()


def middle(picture: np.ndarray, side: int = SIZES[0]) -> np.ndarray:
    """The middle (side, side, 3) of a picture (S, S, 3), pixel for pixel."""
    start = (picture.shape[0] - side) // 2
    return picture[start : start + side, start : start + side]


def _row(
    damage: str, size: int, method: str, looks: Sequence[Look], inputs: Sequence[Look], files: Sequence[str]
) -> Row:
    """The means over the faces, `looks` and `inputs` in the order of `files`."""

    def of(some: Sequence[Look], name: str) -> np.ndarray:
        return np.array([getattr(look, name) for look in some])

    own, before = of(looks, "psnr"), of(inputs, "psnr")
    differing = own[np.isfinite(own)]
    held = own if damage == NOTHING else own - before
    worst = int(held.argmin())
    told = method != INPUT and bool(np.isfinite(held[worst]))
    return Row(
        damage,
        size,
        method,
        psnr=float(differing.mean()) if differing.size else None,
        untouched=len(own) - differing.size,
        gain=float(held.mean()) if told and damage != NOTHING else None,
        worst=float(held[worst]) if told else None,
        worst_file=files[worst] if told else None,
        detail=float(of(looks, "detail").mean()),
        true_detail=float(of(looks, "true_detail").mean()),
        identity=float(of(looks, "identity").mean()),
        identity_least=float((of(looks, "identity") - of(inputs, "identity")).min()),
        hog=float(of(looks, "hog").mean()),
        hog_least=float((of(looks, "hog") - of(inputs, "hog")).min()),
        seconds=float(of(looks, "seconds").mean()),
    )
