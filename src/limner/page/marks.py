"""What is marked in a photograph of the page: the mask of its holes as it was found or given, and the strokes of a
brush over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from limner.errors import LimnerError

MOST_POINTS, MOST_STROKES = 20_000, 2_000
WIDEST = 0.25
"""Of a brush, as a part of the photograph's longer side."""
RED = (224, 0, 0)


@dataclass(frozen=True)
class Stroke:
    """One stroke of the brush. It is kept as it was drawn and not as pixels, for the page shows large photographs on a
    smaller scale: so the mask is exact in the photograph's own size.

    Attributes:
        points: (N, 2) float64, x and y as parts of the photograph's width and height.
        width: of the brush, as a part of the longer side.
        rub: whether it rubs out.
        at: when it was drawn, in milliseconds: what is sent may overtake.
    """

    points: np.ndarray
    width: float
    rub: bool
    at: float

    @classmethod
    def of(cls, asked: Mapping[str, object]) -> Stroke:
        """A stroke as the browser tells it.

        Args:
            asked: `points`, pairs of numbers, `width`, `rub`, `at`.

        Raises:
            LimnerError: it can't be one.
        """
        try:
            points = np.asarray(asked["points"], np.float64).reshape(-1, 2)
            width, at = float(str(asked["width"])), float(str(asked["at"]))
        except (KeyError, TypeError, ValueError) as error:
            raise LimnerError("This stroke of the brush can't be read: draw it again.") from error
        finite = np.isfinite(points).all() and np.isfinite(at)
        if not (0 < len(points) <= MOST_POINTS and finite and 0 < width <= WIDEST):
            raise LimnerError("This stroke of the brush is too long or too wide: draw it in parts.")
        return cls(np.clip(points, -1, 2), width, asked.get("rub") is True, at)

    def draw(self, mask: np.ndarray) -> None:
        """Draws it into a mask, (H, W) uint8."""
        height, width = mask.shape
        points = np.rint(self.points * (width, height) - 0.5).astype(np.int32)
        across, level = max(1, round(self.width * max(width, height))), 0 if self.rub else 255
        if len(points) == 1:
            cv2.circle(mask, points[0].tolist(), across // 2, level, cv2.FILLED)
        else:
            cv2.polylines(mask, [points], False, level, across)


@dataclass
class Marks:
    """What is marked in one photograph.

    Attributes:
        beneath: the file of a mask of the photograph's size that was found or given; None where there is none.
        given: whether it was given.
        strokes: over it, in the order in which they were drawn.
        share: of the photograph that is marked, 0 to 1.
        version: counts the changes, so that the browser fetches the picture of them anew.
    """

    beneath: Path | None = None
    given: bool = False
    strokes: list[Stroke] = field(default_factory=list)
    share: float = 0.0
    version: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was found, given or drawn; all of it may have been rubbed out again."""
        return self.beneath is not None or bool(self.strokes)

    def lay(self, mask: np.ndarray, folder: Path, given: bool) -> None:
        """Takes a mask. Strokes stay above one that was found, so that looking again with another sensitivity loses no
        work; one that was given is as its owner wants it.

        Args:
            mask: (H, W) uint8, of the photograph's size, 255 in holes.
            folder: of the photograph.
            given: whether it was given.
        """
        self.version += 1
        file = folder / f"beneath-{self.version}.png"
        file.write_bytes(as_png(mask))
        self.beneath, self.given = file, given
        if given:
            self.strokes.clear()
        self.measure((mask.shape[1], mask.shape[0]))

    def add(self, stroke: Stroke) -> None:
        """Takes a stroke; `measure` is for the caller to call.

        Raises:
            LimnerError: there are too many.
        """
        if len(self.strokes) >= MOST_STROKES:
            raise LimnerError(
                f"{MOST_STROKES} strokes are as many as fit here: download the mask, and drop it as a file to go on."
            )
        self.strokes.append(stroke)
        self.strokes.sort(key=lambda one: one.at)
        self.version += 1

    def take_back(self) -> None:
        """Forgets the last stroke; `measure` is for the caller to call."""
        if self.strokes:
            self.strokes.pop()
            self.version += 1

    def clear(self) -> None:
        """Forgets all."""
        self.beneath, self.given, self.share = None, False, 0.0
        self.strokes.clear()
        self.version += 1

    def measure(self, size: tuple[int, int]) -> None:
        """Looks anew how much is marked of the photograph, whose width and height are given."""
        self.share = float((self.mask(size) > 0).mean())

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """The mask, (H, W) uint8 of 0 and 255, of a photograph of that width and height."""
        mask, beneath = np.zeros(size[::-1], np.uint8), self.beneath
        if beneath:
            read = np.frombuffer(beneath.read_bytes(), np.uint8)
            mask[:] = np.asarray(cv2.imdecode(read, cv2.IMREAD_GRAYSCALE))
        for stroke in list(self.strokes):
            stroke.draw(mask)
        return mask


def as_png(picture: np.ndarray) -> bytes:
    """A picture, (H, W) or (H, W, 4) in BGRA, as a PNG's bytes: the same for the same mask, for results say which mask
    they were made with."""
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()


def in_red(mask: np.ndarray, side: int) -> np.ndarray:
    """A mask for the browser to lay over the photograph: (h, w, 4) uint8 in BGRA, red where it marks, else transparent.

    Args:
        mask: (H, W) uint8.
        side: most pixels of a side; a line that is narrower than one then is still seen.
    """
    height, width = mask.shape
    smaller = min(1.0, side / max(height, width))
    if smaller < 1:
        size = (max(1, round(smaller * width)), max(1, round(smaller * height)))
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    shown = np.zeros((*mask.shape, 4), np.uint8)
    shown[mask > 0] = (*RED[::-1], 255)
    return shown
