"""Puts restored faces back into their photograph: joined with it, in its tone and grain, and keeps count of what was
made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limner.faces.grain import add_grain, measure_grain
from limner.faces.join import OVERLAP, Joined, Joiner
from limner.faces.paste import Place, lay, matched
from limner.photo import Photo
from limner.settings import Settings
from limner.tone import Tone, keep_tone, tone

AROUND = 0.25
"""How far, in parts of the rectangle around a face, its surroundings are looked at for their grain."""
STRIP = 1024
"""Rows of a photo that are cleaned at once."""


class PutBack:
    """One photograph that restored faces go back into, one after another.

    Args:
        photo: without its faces changed yet, already enlarged.
        settings: how it is restored.
        joiner: of restoration and photograph.

    Attributes:
        canvases: the pixels so far, one picture for each sample.
        invented: (H, W) uint8, how much of each pixel is made up, 255 for all of it.
    """

    def __init__(self, photo: Photo, settings: Settings, joiner: Joiner):
        self.photo, self.settings, self.joiner = photo, settings, joiner
        self.rgb = photo.srgb()
        self.canvases = [photo.pixels.copy() for _ in range(settings.samples)]
        self.invented = np.zeros(self.rgb.shape[:2], np.uint8)
        self._changed = self._made_up = 0.0

    @property
    def share_invented(self) -> float:
        """How much of the restored faces is made up, 0 to 1."""
        return self._made_up / self._changed if self._changed else 0.0

    def face(self, samples: Sequence[np.ndarray], matrix: np.ndarray, tint: Tone, seeds: Sequence[int]) -> None:
        """Puts one face back.

        Args:
            samples: its restorations, (S, S, 3) float32 in [0, 1], sRGB, in the photo's tone.
            matrix: the 2x3 from the photo to the crop.
            tint: the photo's tone around the face.
            seeds: of each sample's grain.
        """
        height, width = self.rgb.shape[:2]
        place = Place.of(matrix, len(samples[0]), width, height, feathered=not self.settings.aligned)
        if place is None:
            return
        part = place.cut(self.rgb)
        joined = self._joined(part, samples, place)
        for canvas, picture, seed in zip(self.canvases, joined.pictures, seeds, strict=True):
            picture = keep_tone(part, picture, tint)
            native = changed(self.photo, self.rgb, place.rows, place.columns, picture)
            lay(canvas, native, place, self._grain(picture, place, seed))
        made_up = place.mask * joined.invented
        there = self.invented[place.rows, place.columns]
        np.maximum(there, np.rint(255 * made_up).astype(np.uint8), out=there)
        self._changed += float(place.mask.sum())
        self._made_up += float(made_up.sum())

    def _joined(self, part: np.ndarray, samples: Sequence[np.ndarray], place: Place) -> Joined:
        strength = self.settings.strength
        if strength == "auto":
            return self.joiner(part, samples, place)
        laid = [place.unframed(one) if self.settings.aligned else matched(part, one, place) for one in samples]
        blended = [part + np.float32(strength) * (np.clip(one, 0, 1) - part) for one in laid]
        return Joined(blended, np.full(part.shape[:2], strength, np.float32))

    def _grain(self, picture: np.ndarray, place: Place, seed: int) -> np.ndarray | None:
        """What the rectangle lacks of the grain around it, (h, w, 3), to be added; None where none is wanted."""
        wish = self.settings
        if wish.strength != "auto" or not wish.grain or wish.aligned:
            return None
        down, across = (int(AROUND * length) for length in picture.shape[:2])
        top, left = max(place.rows.start - down, 0), max(place.columns.start - across, 0)
        around = self.rgb[top : place.rows.stop + down, left : place.columns.stop + across].astype(np.float32) / 255
        outside = np.ones(around.shape[:2], bool)
        inner = outside[place.rows.start - top :, place.columns.start - left :]
        inner[: picture.shape[0], : picture.shape[1]] = place.mask < 0.02
        wanted = measure_grain(around, outside)
        if not wanted.deviations.any():
            return None
        missing = wanted.less(measure_grain(picture, place.mask > 0.9))
        return add_grain(picture, missing, place.mask, np.random.default_rng(seed)) - picture


def changed(photo: Photo, rgb: np.ndarray, rows: slice, columns: slice, srgb: np.ndarray) -> np.ndarray:
    """A part of a photo in its own colour space: its values, less what they show in sRGB, plus what they shall show.

    Where nothing changes the photo's own values come back, though they be finer than sRGB's 8 bits or outside it.

    Args:
        photo: as it is.
        rgb: the whole of it as `Photo.srgb` shows it.
        rows, columns: of the part.
        srgb: (h, w, 3) float32 in [0, 1], what the part shall show.

    Returns:
        (h, w, 3) float32 in [0, 1].
    """
    native = photo.pixels[rows, columns].astype(np.float32) / np.float32(photo.peak)
    shown = rgb[rows, columns].astype(np.float32) / 255
    return np.clip(native + photo.from_srgb(srgb) - photo.from_srgb(shown), 0, 1)


def with_clean_background(photo: Photo, joiner: Joiner) -> Photo:
    """The whole photo without noise, blocks and mild blur, a strip after the other, since floats take memory."""
    rgb = photo.srgb()
    tint = tone(rgb)
    pixels = photo.pixels.copy()
    for top in range(0, len(rgb), STRIP):
        rows = slice(top, min(top + STRIP, len(rgb)))
        seen = slice(max(top - OVERLAP, 0), rows.stop + OVERLAP)
        before = rgb[seen].astype(np.float32) / 255
        first = top - seen.start
        cleaned = keep_tone(before, joiner.clean(before), tint)[first : first + rows.stop - top]
        native = changed(photo, rgb, rows, slice(None), cleaned)
        pixels[rows] = np.rint(native * photo.peak).astype(pixels.dtype)
    return photo.replaced(pixels)
