"""One photograph, once: what `limner.restore` is."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from limner.holes.mask import Mask
from limner.photo.photo import Photo, Picture
from limner.photo.writable import check_writable
from limner.progress import Progress
from limner.restoration import Restoration
from limner.restorer import Restorer
from limner.settings import Settings


def restore(
    photo: Picture,
    target: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    *,
    mask: Mask | None = None,
    progress: Progress | None = None,
    max_megapixels: float = 100.0,
    quality: int | None = None,
) -> Restoration:
    """Restores the faces of one photograph. For several keep a `Restorer`, which loads the weights once.

    Args:
        photo: a path, a `Photo`, a picture of Pillow's or an array, as `Photo.of` takes it; it is not changed.
        target: the file to write, whose suffix decides the format; None writes nothing.
        settings: how to restore.
        mask: of holes to fill, see `Restorer.restore`.
        progress: see there.
        max_megapixels: larger files are refused.
        quality: of lossy formats, 1 to 100.

    Raises:
        PhotoError: if the photo can't be read, is none, or can't be written.
        LimnerError: if a setting can't be met.
    """
    settings, opened = settings or Settings(), Photo.of(photo, max_megapixels)
    if target is not None:
        check_writable(opened, Path(target), quality, settings.upscale)  # before minutes are spent
    restoration = Restorer(settings, max_megapixels).restore(opened, progress, mask)
    if target is not None:
        restoration.save(target, quality=quality)
    return restoration
