"""Contact sheets, because a number alone proves nothing, and plots of one measure against another."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.photo.write import save_png, write_atomically

CAPTION = 22


def contact_sheet(rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str], gap: int = 4) -> np.ndarray:
    """Lays pictures out in rows under captions.

    Args:
        rows: of pictures (H, W, 3) uint8, all of the same size; each row as long as `headings`.
        headings: one caption a column.
        gap: white pixels between pictures.

    Returns:
        (height, width, 3) uint8.
    """
    height, width = rows[0][0].shape[:2]
    sheet = np.full((CAPTION + len(rows) * (height + gap), len(headings) * (width + gap) - gap, 3), 255, np.uint8)
    for column, heading in enumerate(headings):
        place = (column * (width + gap) + 2, CAPTION - 7)
        cv2.putText(sheet, heading, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        for row, pictures in enumerate(rows):
            top, left = CAPTION + row * (height + gap), column * (width + gap)
            sheet[top : top + height, left : left + width] = pictures[column]
    return sheet


def save_sheet(path: Path, pictures: Sequence[Sequence[np.ndarray]], headings: Sequence[str], most: int = 8) -> None:
    """Saves a contact sheet of up to `most` faces, spread evenly over all, as PNG."""
    picked = np.linspace(0, len(pictures) - 1, min(most, len(pictures))).round().astype(int)
    sheet = contact_sheet([pictures[i] for i in picked], headings)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, sheet)


def save_plot(path: Path, curves: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> None:
    """Saves curves as PNG, each a line through its points (x, y), from which on its scale grows.

    Args:
        path: the file.
        curves: points by the curve's name; a curve of one point is drawn as a cross.
        across, up: what the axes show.

    Raises:
        LimnerError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LimnerError("--plot needs matplotlib: install it with `pip install 'limner[plots]'`.") from error
    figure = Figure(figsize=(7, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot(xlabel=across, ylabel=up)
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), "o-" if len(points) > 1 else "kx", label=name, markersize=5)
    axes.legend()
    axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, drawn.getvalue())
