"""A picture of faces of the album, with numbers, for whoever names, merges and splits people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from limner.album.store import Album, AlbumFace
from limner.errors import LimnerError
from limner.faces.align import crop, similarity
from limner.photo.photo import Photo
from limner.photo.write import save_png

SIDE, LABEL, COLUMNS = 128, 20, 8


def face_picture(album: Album, face: AlbumFace, size: int = SIDE) -> np.ndarray:
    """A face, read from its photograph, for the album holds no picture.

    Args:
        album: open.
        face: of it.
        size: side of the aligned crop in pixels.

    Returns:
        (size, size, 3) uint8; grey where the photograph can't be read any more.
    """
    try:
        rgb = Photo.open(album.photo(face.photo).path).srgb()
    except LimnerError:
        return np.full((size, size, 3), 128, np.uint8)
    return crop(rgb, similarity(face.landmarks, size), size)


def save_sheet(path: Path, album: Album, faces: Sequence[AlbumFace], numbers: Sequence[int]) -> None:
    """Writes faces side by side as PNG, each with its number below.

    Raises:
        LimnerError: there is no face, or the file can't be written.
    """
    if not faces:
        raise LimnerError("There is no face to draw: `limner album index FOLDER` finds them.")
    tiles = []
    for face, number in zip(faces, numbers, strict=True):
        tile = np.full((SIDE + LABEL, SIDE, 3), 255, np.uint8)
        tile[:SIDE] = face_picture(album, face)
        cv2.putText(tile, str(number), (4, SIDE + LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % min(COLUMNS, len(tiles)))
    columns = min(COLUMNS, len(tiles))
    rows = [np.concatenate(tiles[first : first + columns], axis=1) for first in range(0, len(tiles), columns)]
    save_png(path, np.concatenate(rows))
