"""The protocol `harm`: does limner harm what is hardly damaged? Sharp faces at three sizes, undamaged, lightly and
badly damaged.

Every picture goes the user's whole way as an aligned crop, at its own size, so that whatever is lost on the way to the
weights' size and back is measured with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import cv2
import numpy as np

from limner.data.faces import FaceSet
from limner.data.pairs import named_generator
from limner.degrade.degrade import preset_names
from limner.errors import LimnerError
from limner.evaluate.damages import DAMAGES, NOTHING, damaged
from limner.evaluate.extractors import standard_extractors
from limner.evaluate.intervals import difference_interval
from limner.evaluate.known_degradations import DEGRADATION, KnownDegradations
from limner.evaluate.measure import measures_of
from limner.evaluate.metric import Metric, Need
from limner.evaluate.metric_registry import HOG, IDENTITY, PSNR
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, SECONDS, Column, Figure, Report, Row, Sheet
from limner.evaluate.side_by_side import (
    INPUT,
    TRUTH,
    Case,
    Cases,
    SideBySide,
    Way,
    file_name,
    named,
    untouched,
)
from limner.evaluate.summary import Summary
from limner.photo.photo import Photo
from limner.restorer import Restorer

NAME = "harm"

SIDE = 512
"""Of the files that take part, in pixels: smaller ones have no fine detail to lose."""

SIZES = (256, 512, 1024)
"""In pixels, at which each face is shown, damaged and measured."""

OFFERED: frozenset[Need] = frozenset({"truth", "input"})

DAMAGE, SIZE = Column("damage", "damage"), Column("size", "px")

AGAINST_INPUT = {
    PSNR.key: (
        Column("untouched", "same"),
        Column("gain", "gain", "+.2f", " ({gain_low:+.2f} to {gain_high:+.2f})"),
        Column("worst", "worst", ".2f"),
        Column("worst_file", "of"),
    ),
    IDENTITY.key: (Column("identity_least", "least", "+.3f"),),
    HOG.key: (Column("hog_least", "least", "+.3f"),),
}
"""What stands beside a metric: `untouched`, how many faces equal the truth, pixel for pixel; `gain`, the mean less the
input's with its paired interval, None for the input and where nothing was damaged; `worst`, the least gain, and
`worst_file`, its face (where nothing was damaged, the least PSNR; None for the input, and where all faces are
untouched); `..._least`, the least difference of a face to the input's."""


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
        return shown_at(self.faces.read(self.places[number], SIDE), size)


@dataclass(frozen=True)
class Cell:
    """One damage at one size.

    Attributes:
        damage: one of `DAMAGES`.
        size: in pixels.
    """

    damage: str
    size: int

    @property
    def undamaged(self) -> bool:
        """Whether the input is the truth."""
        return self.damage == NOTHING

    @property
    def folder(self) -> str:
        """Its name within that of the run."""
        return file_name(f"{self.damage} {self.size}")

    def case(self, faces: SharpFaces, number: int) -> Case:
        """A face under the damage at the size."""
        generator = named_generator(faces.files[number], self.damage)
        return Case(*damaged(faces.shown(number, self.size), self.damage, generator))


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures the split's faces of 512 px, shown at each size, damaged there by a generator seeded with the file's
    name, and restored as photographs that are aligned crops. Of PSNR the means are of those faces that differ from the
    truth at all, and None where none does. The request's output has a folder for each damage and size.

    Args:
        request: what to measure.
        restorers: of aligned photographs, by the names of their rows.

    Raises:
        LimnerError: if the folder lacks its tables or the split has no face of 512 px.
    """
    faces = SharpFaces.of(request)
    recognisers = [one for one in standard_extractors() if one.kind == "recogniser"]
    measures = measures_of(NAME, recognisers, OFFERED, timed=True)
    ways: dict[str, Way] = {INPUT: untouched, **{name: whole_way(one) for name, one in restorers.items()}}
    names, cells = named(faces.files), [Cell(*both) for both in product(DAMAGES, SIZES)]
    rows, pictures, warm = [], [], set[str]()
    with request.folder() as folder:
        for number, cell in enumerate(cells):
            cases = Cases(list(names), partial(cell.case, faces))
            kept = folder / cell.folder
            side_by_side = SideBySide(cases, ways, measures, kept, warm)
            before = number * len(names)
            summaries = side_by_side.run(
                {"protocol": NAME, DAMAGE.key: cell.damage, SIZE.key: cell.size, "faces": len(names)},
                lambda count, before=before: request.done(before + count, len(cells) * len(names)),
            )
            if cell.damage in preset_names():
                KnownDegradations(cell.damage, names).save(kept / DEGRADATION)
            for row, one in summaries.items():
                figures = summary(one, summaries[INPUT], measures.metrics, names, undamaged=cell.undamaged)
                rows.append(Row({DAMAGE.key: cell.damage, SIZE.key: cell.size, METHOD.key: row, **figures}))
            worst = worst_of(summaries, undamaged=cell.undamaged)
            pictures.append([middle(picture) for picture in side_by_side.pictures(worst)])
    columns = [column for metric in measures.metrics for column in (metric, *AGAINST_INPUT.get(metric.key, ()))]
    return Report(
        {"protocol": NAME, "faces": len(names)},
        rows,
        (DAMAGE, SIZE, METHOD, *columns, SECONDS),
        sheet=Sheet(pictures, [*ways, TRUTH], most=len(pictures)),
    )


def whole_way(restorer: Restorer) -> Way:
    """A photograph's whole way through limner, at its own size."""
    return lambda case, number: restorer.restore(Photo(case.input, "PNG")).photos[0].srgb()


def held(ours: Summary, before: Summary, *, undamaged: bool) -> np.ndarray:
    """How well each face came off: its PSNR, less the input's where there was damage, (N,)."""
    own = ours.figures[PSNR.key]
    return own if undamaged else own - before.figures[PSNR.key]


def worst_of(summaries: Mapping[str, Summary], *, undamaged: bool) -> str:
    """The name of the face that came off worst by any method; by the input itself, where there is none."""
    before = summaries[INPUT]
    rows = [one for row, one in summaries.items() if row != INPUT] or [before]
    least = np.min([held(one, before, undamaged=undamaged) for one in rows], axis=0)
    return before.names[int(least.argmin())]


def summary(
    ours: Summary, before: Summary, metrics: Sequence[Metric], files: Mapping[str, str], *, undamaged: bool
) -> dict[str, Figure]:
    """The figures of one row, by key.

    Args:
        ours: of the row.
        before: of the input.
        metrics: that were measured.
        files: of the faces, by name.
        undamaged: whether the input is the truth.
    """
    summed: dict[str, Figure] = {}
    for metric in metrics:
        own, others = ours.figures[metric.key], before.figures[metric.key]
        finite = own[np.isfinite(own)]
        summed[metric.key] = float(finite.mean()) if finite.size else None
        if metric.key == PSNR.key:
            came_off = held(ours, before, undamaged=undamaged)
            worst = int(came_off.argmin())
            meaningful = ours.row != INPUT and bool(np.isfinite(came_off[worst]))
            gain = difference_interval(own, others) if meaningful and not undamaged else None
            summed |= {
                "untouched": len(own) - finite.size,
                "gain": gain and gain.value,
                "gain_low": gain and gain.low,
                "gain_high": gain and gain.high,
                "worst": float(came_off[worst]) if meaningful else None,
                "worst_file": files[ours.names[worst]] if meaningful else None,
            }
        elif metric.key in AGAINST_INPUT:
            summed[f"{metric.key}_least"] = float((own - others).min())
    return summed | {SECONDS.key: ours.estimates[SECONDS.key].value}


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
