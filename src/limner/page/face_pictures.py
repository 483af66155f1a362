"""Pictures of the album's faces for the page. The album holds none, so that each is read from its photograph."""

from __future__ import annotations

import io
import threading

from PIL import Image

from limner.album.sheet import face_picture
from limner.album.store import Album
from limner.errors import LimnerError

SIDE = 160
"""Of a picture, in pixels: what is shown has half as many, and screens that are twice as fine exist."""


class FacePictures:
    """Makes and keeps them, in memory alone.

    Args:
        most: that are kept, the latest.
    """

    def __init__(self, most: int = 2000):
        self.most = most
        self._made: dict[tuple, bytes] = {}
        self._one_at_a_time = threading.Lock()  # photographs are large

    def of(self, number: int) -> bytes:
        """The picture of a face as JPEG.

        Args:
            number: of the face, in the album.

        Raises:
            LimnerError: there is no such face.
        """
        with self._one_at_a_time, Album() as album:
            found = album.faces("id = ?", number)
            if not found:
                raise LimnerError("There is no such face.")
            photo = album.photo(found[0].photo)
            key = number, photo.sha256, photo.mtime_ns, found[0].box  # numbers are given anew
            if key not in self._made:
                data = io.BytesIO()
                Image.fromarray(face_picture(album, found[0], SIDE)).save(data, "JPEG", quality=85)
                self._made[key] = data.getvalue()
                if len(self._made) > self.most:
                    self._made.pop(next(iter(self._made)))
            return self._made[key]
