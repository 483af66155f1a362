"""Contact sheets: pictures side by side, because a number alone proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from limner.photo import write_atomically

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
    _, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data.tobytes())
