"""The protocol `harm`: does limner harm what is hardly damaged? Sharp faces at three sizes, undamaged, lightly and
badly damaged.

Every picture goes the user's whole way as an aligned crop, at its own size, so that whatever is lost on the way to the
weights' size and back is measured with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from limner.data.faces import FaceSet
from limner.data.pairs import named_generator
from limner.errors import LimnerError
from limner.evaluate.comparison import Comparison, Likeness, standard_recognisers
from limner.evaluate.damages import DAMAGES, NOTHING, damaged
from limner.evaluate.identity import Recogniser, vectors
from limner.evaluate.metric import Metric
from limner.evaluate.metric_registry import HOG, IDENTITY, PSNR, metrics_of
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, SECONDS, Column, Figure, Report, Row, Sheet
from limner.photo.photo import Photo
from limner.restorer import Restorer

NAME = "harm"

SIDE = 512
"""Of the files that take part, in pixels: smaller ones have no fine detail to lose."""

SIZES = (256, 512, 1024)
"""In pixels, at which each face is shown, damaged and measured."""

IDENTITY_SIZE = 256
"""In pixels; larger pictures are shrunk to it for the recogniser and HOG, which look at less than that."""

INPUT = "input"

DAMAGE, SIZE = Column("damage", "damage"), Column("size", "px")

AGAINST_INPUT = {
    PSNR: (
        Column("untouched", "same"),
        Column("gain", "gain", "+.2f"),
        Column("worst", "worst", ".2f"),
        Column("worst_file", "of"),
    ),
    IDENTITY: (Column("identity_least", "least", "+.3f"),),
    HOG: (Column("hog_least", "least", "+.3f"),),
}
"""What stands beside a metric: `untouched`, how many faces equal the truth, pixel for pixel; `gain`, the mean less the
input's, None for the input and where nothing was damaged; `worst`, the least gain, and `worst_file`, its face (where
nothing was damaged, the least PSNR; None for the input, and where all faces are untouched); `..._least`, the least
difference of a face to the input's."""


@dataclass(frozen=True)
class SharpFaces:
    """The faces that take part: those of `places` in the set, whose files have `SIDE` px."""

    faces: FaceSet
    places: Sequence[int]

    @classmethod
    def of(cls, request: Request) -> SharpFaces:
        """Those of the request's split, up to its limit.

        Raises:
            LimnerError: if the folder lacks its tables or the split has no such face.
        """
        faces = request.faces()
        places = [place for place, side in enumerate(faces.sides) if side == SIDE][: request.limit]
        if not places:
            (split,) = request.splits
            raise LimnerError(f"{request.data} has no face of {SIDE} px in the split '{split}': measure another split.")
        return cls(faces, places)

    @property
    def files(self) -> list[str]:
        """Their names."""
        return [self.faces.files[place] for place in self.places]

    def shown(self, number: int, size: int) -> np.ndarray:
        """The face of that number, (size, size, 3) uint8."""
        return shown_at(self.faces.image(self.places[number], SIDE), size)


@dataclass(frozen=True)
class Case:
    """One damage at one size, measured.

    Attributes:
        figures: by metric, of the input and each method (rows) on each face (columns), float64.
        seconds: likewise.
        worst: of the face that came off worst by any method, the middle of the input, each result, and the truth.
    """

    figures: Mapping[Metric, np.ndarray]
    seconds: np.ndarray
    worst: list[np.ndarray]


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures the split's faces of 512 px, shown at each size, damaged there by a generator seeded with the file's
    name, and restored as photographs that are aligned crops. Of PSNR the means are of those faces that differ from the
    truth at all, and None where none does.

    Args:
        request: what to measure.
        restorers: of aligned photographs, by the names of their rows.

    Raises:
        LimnerError: if the folder lacks its tables or the split has no face of 512 px.
    """
    faces, metrics, recognisers = SharpFaces.of(request), metrics_of(NAME, {"truth", "input"}), standard_recognisers()
    for restorer in restorers.values():  # a net's first run pays for its set-up
        restorer.restore(Photo(faces.shown(0, SIZES[0]), "PNG"))
    count, cases = len(faces.places), list(product(DAMAGES, SIZES))
    rows, pictures = [], []
    for number, (damage, size) in enumerate(cases):
        case = measured(
            restored(faces, damage, size, restorers.values()),
            metrics,
            recognisers,
            undamaged=damage == NOTHING,
            done=lambda face, number=number: request.done(number * count + face, len(cases) * count),
        )
        for place, name in enumerate([INPUT, *restorers]):
            figures = summary(case, place, faces.files, undamaged=damage == NOTHING)
            rows.append(Row({DAMAGE.key: damage, SIZE.key: size, METHOD.key: name, **figures}))
        pictures.append(case.worst)
    columns = [column for metric in metrics for column in (metric, *AGAINST_INPUT.get(metric, ()))]
    return Report(
        {"protocol": NAME, "faces": count},
        rows,
        (DAMAGE, SIZE, METHOD, *columns, SECONDS),
        sheet=Sheet(pictures, [INPUT, *restorers, "truth"], most=len(pictures)),
    )


@dataclass(frozen=True)
class Restored:
    """A damaged face: `pictures`, it and each method's result, what should have come back, the methods' seconds."""

    pictures: list[np.ndarray]
    truth: np.ndarray
    seconds: list[float]


def restored(faces: SharpFaces, damage: str, size: int, restorers: Iterable[Restorer]) -> Iterator[Restored]:
    """Each face under a damage at a size, restored by every method."""
    for number, file in enumerate(faces.files):
        lq, truth = damaged(faces.shown(number, size), damage, named_generator(file, damage))
        done = [restorer.restore(Photo(lq, "PNG")) for restorer in restorers]
        yield Restored([lq, *(one.photos[0].srgb() for one in done)], truth, [0.0, *(one.seconds for one in done)])


def measured(
    faces: Iterable[Restored],
    metrics: Sequence[Metric],
    recognisers: Mapping[str, Recogniser],
    *,
    undamaged: bool,
    done: Callable[[int], None],
) -> Case:
    """The figures of faces as they are restored, one after the other."""
    figures: dict[Metric, list[np.ndarray]] = {metric: [] for metric in metrics}
    seconds: list[list[float]] = []
    worst, shown = np.inf, []
    for face in faces:
        seen = compare(face, recognisers)
        for metric in metrics:
            figures[metric].append(metric.of(seen))
        seconds.append(face.seconds)
        before, *after = figures[PSNR][-1]
        least = min(after) - (0 if undamaged else before)
        if least < worst or not shown:
            worst, shown = least, [middle(picture) for picture in (*face.pictures, face.truth)]
        done(len(seconds))
    return Case({metric: np.stack(some, axis=1) for metric, some in figures.items()}, np.stack(seconds, axis=1), shown)


def compare(face: Restored, recognisers: Mapping[str, Recogniser]) -> Comparison:
    """The input and each method's result beside the one truth of them all."""
    small = [shown_at(one, min(one.shape[0], IDENTITY_SIZE)) for one in (face.truth, *face.pictures)]
    likeness = {}
    for name, recogniser in recognisers.items():
        truth, *rest = vectors(recogniser, small)
        likeness[name] = Likeness(np.array([one @ truth for one in rest]))
    count = len(face.pictures)
    return Comparison(face.pictures, [face.truth] * count, face.pictures[:1] * count, likeness)


def summary(case: Case, place: int, files: Sequence[str], *, undamaged: bool) -> dict[str, Figure]:
    """The figures of one row, by key.

    Args:
        case: what was measured.
        place: of the row: 0 is the input, the methods follow.
        files: names of the faces.
        undamaged: whether the input is the truth.
    """
    summed: dict[str, Figure] = {}
    for metric, figures in case.figures.items():
        own, before = figures[place], figures[0]
        finite = own[np.isfinite(own)]
        summed[metric.key] = metric.mean(finite) if finite.size else None
        if metric is PSNR:
            held = own if undamaged else own - before
            worst = int(held.argmin())
            meaningful = place > 0 and bool(np.isfinite(held[worst]))
            summed |= {
                "untouched": len(own) - finite.size,
                "gain": float(held.mean()) if meaningful and not undamaged else None,
                "worst": float(held[worst]) if meaningful else None,
                "worst_file": files[worst] if meaningful else None,
            }
        elif metric in AGAINST_INPUT:
            summed[f"{metric.key}_least"] = float((own - before).min())
    return summed | {SECONDS.key: float(case.seconds[place].mean())}


def shown_at(face: np.ndarray, size: int) -> np.ndarray:
    """A face (S, S, 3) uint8 at (size, size, 3): shrunk by area, enlarged by Lanczos."""
    if face.shape[0] == size:
        return face
    way = cv2.INTER_AREA if face.shape[0] > size else cv2.INTER_LANCZOS4
    return cv2.resize(face, (size, size), interpolation=way)


def middle(picture: np.ndarray, side: int = SIZES[0]) -> np.ndarray:
    """The middle (side, side, 3) of a picture (S, S, 3), pixel for pixel."""
    start = (picture.shape[0] - side) // 2
    return picture[start : start + side, start : start + side]
