"""Pictures beside the results: what was made on the way, what was made up, before and after."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo
from limner.photo.write import save_png

if TYPE_CHECKING:
    from limner.restoration import Restoration

_SIDE_PICTURE = re.compile(rf".+({'|'.join(map(re.escape, SUFFIXES))})_(invented|compared|face\d+_\w+)\.png", re.I)
GAP = 8  # white pixels between before and after


def is_side_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture that limner put beside a result."""
    return bool(_SIDE_PICTURE.fullmatch(path.name))


@dataclass(frozen=True)
class SidePictures:
    """Folders for pictures beside the results, each named as its photograph and what it shows; None keeps none.

    Attributes:
        intermediate: the aligned crops that the method makes before the result.
        maps: what was made up, see `invented_picture`.
        compared: before and after, side by side.
    """

    intermediate: Path | None = None
    maps: Path | None = None
    compared: Path | None = None

    def folders(self) -> list[Path]:
        """Those that are written to."""
        return [one for one in (self.intermediate, self.maps, self.compared) if one]

    def there(self, place: Path) -> bool:
        """Whether all that is asked for lies there for a photograph with faces."""
        ways = self.intermediate is None or any(
            one.name.startswith(f"{place.name}_face0_") for one in _files(self.intermediate / place.parent)
        )
        named = ((self.maps, "invented"), (self.compared, "compared"))
        return ways and all((folder / f"{place}_{what}.png").is_file() for folder, what in named if folder)

    def save(self, photo: Photo, restoration: Restoration, place: Path) -> None:
        """Writes those of one photograph; of one without a face none.

        Args:
            photo: as it was.
            restoration: of it.
            place: its path below the folders.
        """
        if not restoration.faces:
            return
        if self.intermediate:
            for number, face in enumerate(restoration.crops):
                for name, picture in face.on_the_way.items():
                    pixels = np.rint(255 * picture).astype(np.uint8)
                    _save(self.intermediate / f"{place}_face{number}_{name}.png", pixels)
        if self.maps:
            _save(self.maps / f"{place}_invented.png", invented_picture(restoration))
        if self.compared:
            _save(self.compared / f"{place}_compared.png", compared_picture(photo, restoration))


def invented_picture(restoration: Restoration) -> np.ndarray:
    """What was made up, (H, W, 3) uint8: the restored photo in grey, the redder the more of what is seen is made up."""
    from limner.pixels import without_colour  # brings torch, which who only looks for photographs has no use for

    picture = without_colour(restoration.photos[0].srgb())
    faces = restoration.invented > 0
    share = 0.6 * restoration.invented[faces][:, None].astype(np.float32) / 255
    picture[faces] = np.rint(picture[faces] + share * (np.array([255, 40, 40], np.float32) - picture[faces]))
    return picture


def compared_picture(photo: Photo, restoration: Restoration) -> np.ndarray:
    """The photo and its restorations side by side, (H, W, 3) uint8; the photo grown where they are enlarged."""
    after = [one.srgb() for one in restoration.photos]
    height, width = after[0].shape[:2]
    before = photo.srgb()
    if before.shape != after[0].shape:
        before = cv2.resize(before, (width, height), interpolation=cv2.INTER_LANCZOS4)
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.concatenate([before, *(part for one in after for part in (gap, one))], axis=1)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, picture)
