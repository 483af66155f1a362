"""A photograph with its faces boxed and numbered, so that they can be chosen."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limner.faces.find import Face

YELLOW, BLACK = (255, 224, 0), (0, 0, 0)


def numbered(rgb: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
    """The picture with each face in a box that bears its number, as `--faces` takes it.

    Args:
        rgb: (H, W, 3) uint8; it is not changed.
        faces: of the picture.

    Returns:
        (H, W, 3) uint8.
    """
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    line = max(1, round(max(rgb.shape[:2]) / 500))
    for face in faces:
        draw.rectangle(face.box, outline=YELLOW, width=line)
        font = ImageFont.load_default(max(10, 6 * line, 0.2 * face.size))
        # The corner of the box may lie beyond the edge of the picture.
        corner = max(face.box[0], 0) + 2 * line, max(face.box[1], 0) + line
        draw.text(corner, str(face.number), YELLOW, font, stroke_width=line, stroke_fill=BLACK)
    return np.asarray(picture)
