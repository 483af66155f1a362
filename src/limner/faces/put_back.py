"""Puts restored faces back into their photograph: joined with it, in its tone and grain, and keeps count of what was
made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from limner.faces.grain import Grain, add_grain, measure_grain
from limner.faces.join import Joined
from limner.faces.paste import Place, lay, matched
from limner.faces.placing import placing_of
from limner.faces.tone import Tone, keep_tone
from limner.photo.changed import changed
from limner.photo.photo import Photo
from limner.settings import Settings

Joining = Callable[[np.ndarray, Sequence[np.ndarray], Place], Joined]
"""As a `Joiner` is called: the rectangle around a face, its restorations and its place give what becomes of it."""

AROUND = 0.25
"""How far, in parts of the rectangle around a face, its surroundings are looked at for their grain."""
NEEDED = 160
"""Pixels of a side that the surroundings of a small face must have for their grain to be known."""


class PutBack:
    """One photograph that restored faces go back into, one after another.

    Args:
        photo: as it is, already enlarged.
        rgb: the same, as `Photo.srgb` shows it.
        settings: how it is restored.
        joiner: of restoration and photograph.
        start: the pixels that faces go into where they aren't the photo's own; its background cleaned, for instance.
        filled: (H, W) bool, the photo's holes, which are made up whatever a face makes of them; None where it had none.

    Attributes:
        canvases: the pixels so far, one picture for each sample.
        invented: (H, W) uint8, how much of each pixel is made up, 255 for all of it.
    """

    def __init__(
        self,
        photo: Photo,
        rgb: np.ndarray,
        settings: Settings,
        joiner: Joining,
        start: np.ndarray | None = None,
        filled: np.ndarray | None = None,
    ):
        self.photo, self.rgb, self.settings, self.joiner = photo, rgb, settings, joiner
        self.surrounded = placing_of(settings).surrounded
        self._start = photo.pixels if start is None else start
        self.canvases = [self._start] * settings.results  # one picture, until a face makes them differ
        self.filled = np.zeros(self.rgb.shape[:2], bool) if filled is None else filled
        self.invented = np.where(self.filled, np.uint8(255), np.uint8(0))
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
        place = Place.of(matrix, len(samples[0]), width, height, feathered=self.surrounded)
        if place is None:
            return
        whole, part = place.mask, place.cut(self.rgb)
        self._changed += float(whole.sum())
        joined, wanted = self._joined(part, samples, place, tint), None
        if self.settings.strength != "auto":
            place = replace(place, mask=place.mask * np.float32(self.settings.strength))
        elif self.settings.grain and self.surrounded and self.settings.background == "keep":
            wanted = self._grain_around(place)
        if self.canvases[0] is self._start:
            self.canvases = [self._start.copy() for _ in samples]
        for canvas, picture, seed in zip(self.canvases, joined.pictures, seeds, strict=True):
            native = changed(self.photo, place.cut(self.photo.pixels), part, picture)
            grain = None
            if wanted is not None:
                missing = wanted.less(measure_grain(picture, place.mask > 0.9))
                grained = add_grain(picture, missing, place.mask, np.random.default_rng(seed))
                grain = self.photo.from_srgb(grained) - self.photo.from_srgb(picture)
            lay(canvas, native, place, grain)
        made_up, filled = place.mask * joined.invented, self.filled[place.rows, place.columns]
        there = self.invented[place.rows, place.columns]
        there[:] = np.where(filled, 255, np.rint(there * (1 - place.mask) + 255 * made_up))
        self._made_up += float(np.where(filled, whole, made_up).sum())

    def _joined(self, part: np.ndarray, samples: Sequence[np.ndarray], place: Place, tint: Tone) -> Joined:
        """The rectangle as each sample would have it, before it is laid over the photo."""
        if self.settings.strength == "auto":
            joined = self.joiner(part, samples, place)
            if tint.kind == "grey":  # the cleaner's colours are nearly, not wholly, without colour
                return replace(joined, pictures=[keep_tone(part, one, tint) for one in joined.pictures])
            return joined
        laid = [matched(part, one, place) if self.surrounded else place.unframed(one) for one in samples]
        return Joined(laid, np.ones(part.shape[:2], np.float32))

    def _grain_around(self, place: Place) -> Grain | None:
        """The grain of a face's surroundings; None where there is none."""
        height, width = place.mask.shape
        down, across = (max(int(AROUND * side), (NEEDED - side) // 2 + 1) for side in (height, width))
        top, left = max(place.rows.start - down, 0), max(place.columns.start - across, 0)
        around = self.rgb[top : place.rows.stop + down, left : place.columns.stop + across].astype(np.float32) / 255
        outside = np.ones(around.shape[:2], bool)
        inner = outside[place.rows.start - top :, place.columns.start - left :]
        inner[:height, :width] = place.mask < 0.02
        grain = measure_grain(around, outside)
        return grain if grain.deviations.any() else None
