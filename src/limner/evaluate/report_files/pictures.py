"""The pictures of a report: which are shown, and how they are packed so that the page stays small."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from limner.evaluate.metric import Defined
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report_files.evaluation import Evaluation
from limner.evaluate.summary import Summary

CHOICES = ("perceptual", "psnr", "identity")
"""Keys of the metrics that a reader may sort pictures by, the first one first."""
BEST, MEDIAN, WORST = "best", "median", "worst"
BUDGET = 3_500_000
"""Bytes of all pictures together; base64 makes 4.7 MB of them."""


@dataclass(frozen=True)
class Packing:
    """How much is shown.

    Attributes:
        each: pictures that are best, and as many median and worst ones.
        side: largest side in pixels; larger pictures are shrunk.
        quality: of WebP, 0 to 100.
    """

    each: int
    side: int
    quality: int


PACKINGS = (
    Packing(3, 1024, 92),
    Packing(2, 1024, 90),
    Packing(1, 1024, 90),
    Packing(1, 768, 85),
    Packing(1, 512, 80),
    Packing(1, 384, 75),
    Packing(1, 256, 70),
    Packing(1, 128, 60),
)
"""What is tried, the most generous first, until it fits the budget; the last is taken as it is."""


@dataclass(frozen=True)
class Card:
    """One picture of a contact sheet: the places of its three pictures among those of the album.

    Attributes:
        name: of the picture.
        figure: by the metric of the sheet, as text.
        result: place in the album.
        truth, input: likewise; None where it isn't known.
        width, height: of the result in its file, in pixels.
    """

    name: str
    figure: str
    result: int
    truth: int | None
    input: int | None
    width: int
    height: int


@dataclass(frozen=True)
class Sheet:
    """The best, median and worst pictures of one row by one metric.

    Attributes:
        metric: that they are sorted by.
        number, row: of the row.
        groups: cards under `BEST`, `MEDIAN` and `WORST`, as far as there are pictures enough.
    """

    metric: Defined
    number: int
    row: str
    groups: dict[str, list[Card]]


@dataclass
class Album:
    """All pictures of a page, each once.

    Attributes:
        packing: how they are packed.
        pictures: WebP files.
        sheets: what shows them.
    """

    packing: Packing
    pictures: list[bytes] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    _added: dict[tuple[str, ...], int] = field(default_factory=dict, repr=False)
    _places: dict[bytes, int] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """Bytes of all pictures."""
        return sum(map(len, self.pictures))

    @property
    def shrunk(self) -> bool:
        """Whether a picture is shown smaller than it is."""
        cards = [card for sheet in self.sheets for group in sheet.groups.values() for card in group]
        return any(max(card.width, card.height) > self.packing.side for card in cards)

    def add(self, picture: np.ndarray, *called: str) -> int:
        """Packs a picture, once.

        Args:
            picture: (H, W, 3) uint8.
            called: tells it from all others.

        Returns:
            Its place; pictures that are alike share one.
        """
        if called not in self._added:
            packed = webp(picture, self.packing)
            if packed not in self._places:
                self._places[packed] = len(self.pictures)
                self.pictures.append(packed)
            self._added[called] = self._places[packed]
        return self._added[called]

    def uris(self) -> list[str]:
        """The pictures as data URIs."""
        return [f"data:image/webp;base64,{base64.b64encode(packed).decode()}" for packed in self.pictures]


def album_of(evaluation: Evaluation) -> Album:
    """The contact sheets of an evaluation and their pictures, within the budget where that can be.

    Raises:
        LimnerError: if a picture can't be read any more.
    """
    for packing in PACKINGS:
        album = filled(Album(packing), evaluation, last=packing is PACKINGS[-1])
        if album:
            return album
    raise AssertionError("The last packing is taken as it is.")


def filled(album: Album, evaluation: Evaluation, last: bool) -> Album | None:
    """Fills an album; a row that is the input itself has no sheet.

    Args:
        album: an empty one.
        evaluation: whose pictures it gets.
        last: whether it is taken however large it grows.

    Returns:
        The album; None as soon as it outgrows the budget.
    """
    for metric in choices(evaluation):
        for number, summary in enumerate(evaluation.summaries, 1):
            names = chosen(metric, summary, album.packing.each)
            if all(is_its_input(evaluation.see(summary.row, name)) for group in names.values() for name in group):
                continue
            groups: dict[str, list[Card]] = {}
            for group, called in names.items():
                groups[group] = [card_of(album, evaluation, metric, summary, name) for name in called]
                if album.size > BUDGET and not last:
                    return None
            album.sheets.append(Sheet(metric, number, summary.row, groups))
    return album


def is_its_input(seen: Seen) -> bool:
    """Whether nothing was done to a picture."""
    return seen.input is not None and np.array_equal(seen.picture, seen.input)


def choices(evaluation: Evaluation) -> list[Defined]:
    """The metrics that pictures may be sorted by, in the order of `CHOICES`; where none of these was measured, the
    first with a better end."""
    single = [
        one
        for one in evaluation.metrics
        if one.larger_is_better is not None and any(one.key in summary.figures for summary in evaluation.summaries)
    ]
    wanted = [one for key in CHOICES for one in single if one.key == key]
    return wanted or single[:1]


def chosen(metric: Defined, summary: Summary, each: int) -> dict[str, list[str]]:
    """Names of the pictures that are best, median and worst in a row; those without a finite figure are left out.

    Args:
        metric: by which.
        summary: the row.
        each: how many of each at most.
    """
    figures = summary.figures.get(metric.key, np.zeros(0))
    there = np.flatnonzero(np.isfinite(figures))
    ranked = there[np.argsort(figures[there], kind="stable")]
    if metric.larger_is_better:
        ranked = ranked[::-1]
    return {
        group: [summary.names[ranked[place]] for place in places]
        for group, places in shown_places(len(ranked), each).items()
    }


def shown_places(count: int, each: int) -> dict[str, range]:
    """Places in a ranking, no place twice.

    Args:
        count: of all.
        each: how many of each group at most.
    """
    each = max(min(each, count // 3), 1)
    middle = (count - each) // 2
    groups = {BEST: range(each), MEDIAN: range(middle, middle + each), WORST: range(count - each, count)}
    return {name: groups[name] for name in groups_of(count)}


def groups_of(count: int) -> Sequence[str]:
    """The groups that so many pictures fill."""
    return ((), (BEST,), (BEST, WORST))[count] if count < 3 else (BEST, MEDIAN, WORST)


def card_of(album: Album, evaluation: Evaluation, metric: Defined, summary: Summary, name: str) -> Card:
    """Puts a picture, its truth and its input into the album, as far as they are known."""
    seen = evaluation.see(summary.row, name)
    height, width = seen.picture.shape[:2]
    return Card(
        name,
        metric.text(float(summary.figures[metric.key][summary.names.index(name)])),
        album.add(seen.picture, "result", summary.row, name),
        None if seen.truth is None else album.add(seen.truth, "truth", name),
        None if seen.input is None else album.add(seen.input, "input", name),
        width,
        height,
    )


def webp(picture: np.ndarray, packing: Packing) -> bytes:
    """A picture (H, W, 3) uint8 as WebP, shrunk where it is larger than the packing allows."""
    factor = packing.side / max(picture.shape[:2])
    if factor < 1:
        width, height = (max(round(side * factor), 1) for side in picture.shape[1::-1])
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    drawn = io.BytesIO()
    Image.fromarray(picture).save(drawn, "WEBP", quality=packing.quality)
    return drawn.getvalue()
