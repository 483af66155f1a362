"""Fills the holes of a photograph: faces by DifFace's inpainting, all else by what lies around, and no seam between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.damage import percent
from limner.device import Compute
from limner.faces.align import crop
from limner.faces.chosen import faces_to_restore
from limner.faces.paste import Place, lay
from limner.faces.placing import Placing
from limner.faces.put_back import changed
from limner.faces.seen import SeenFace
from limner.faces.tone import keep_tone
from limner.holes import surroundings
from limner.holes.blend import blended
from limner.holes.mask import FilledHoles, Mask, digest_of_mask, note_on_mask
from limner.memory import AtOnce
from limner.methods.crops import stacked
from limner.methods.difface_inpainting import DIFFACE_INPAINTING
from limner.methods.loaded import LoadedMethod, load_method
from limner.methods.pipeline import Restored
from limner.photo.photo import Photo
from limner.settings import Settings

TOUCHED = 0.02
"""Share of a crop's pixel that lies in a hole, from which it counts as one: resizing has mixed the hole into it."""
GUESSED = 0.05
"""Part of a photo outside faces from which it is told that its filling is only a guess."""


@dataclass(frozen=True)
class Filled:
    """A photograph without holes.

    Attributes:
        photo: it; outside the holes as it was, bit for bit.
        mask: (H, W) uint8, 255 where the holes were.
        digest: of the mask as it was given, see `digest_of_mask`.
        faces: how many faces had some that the nets filled.
        notes: what the user should know, one sentence each.
    """

    photo: Photo
    mask: np.ndarray
    digest: str
    faces: int
    notes: list[str]

    @property
    def recorded(self) -> FilledHoles:
        """What the result says of them."""
        return FilledHoles(round(float((self.mask > 0).mean()), 6), self.digest)

    def at(self, width: int, height: int) -> np.ndarray:
        """Where the holes were, (height, width) bool, in the photograph or in it enlarged."""
        return cv2.resize(self.mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0


Holes = Mask | Filled
"""What a restoration is told of holes: where they are, or what they were filled with."""


class Filler:
    """Fills photographs; its nets are loaded once.

    Args:
        settings: which faces count, how they lie, and the seed of the noise. Of the weights a folder's subfolder
            `inpainting` is taken where there is one, with `estimator` and `unet`, else the embedded ones.
        placing: how faces lie in photographs.
        compute: where nets run.

    Raises:
        WeightsError: the weights don't fit.
    """

    def __init__(self, settings: Settings, placing: Placing, compute: Compute):
        self.settings, self.placing = settings, placing
        own = Path(settings.weights) / "inpainting"
        self.method: LoadedMethod = load_method(DIFFACE_INPAINTING, str(own) if own.is_dir() else "mini")
        for net in self.method.nets:
            compute.place(net)
        self.size = self.method.info.size
        self.at_once = AtOnce(compute, self.size)

    def fill(self, photo: Photo, mask: np.ndarray, given: Mask | None = None) -> Filled:
        """Fills the holes of one photograph.

        Args:
            photo: it is not changed.
            mask: (H, W) uint8, 255 in holes, 0 elsewhere, in the photograph's upright pixels (`mask_of`).
            given: the mask as it was given; None where that is this one.

        Raises:
            LimnerError: if a chosen face doesn't exist, or a mask's file can't be read.
        """
        given = mask if given is None else given
        digest, doubts = digest_of_mask(given), note_on_mask(given, mask)
        if not mask.any():
            return Filled(photo, mask, digest, 0, doubts)
        photo = photo.replaced(surroundings.filled(photo.pixels, mask))
        rgb = photo.srgb()
        holed: list[tuple[SeenFace, np.ndarray, np.ndarray]] = []
        share = mask.astype(np.float32) / 255
        for face in faces_to_restore(rgb, self.placing, self.settings, self.size).restored:
            matrix = self.placing.matrix(rgb, face, self.size)
            holes = crop(share, matrix, self.size) > TOUCHED
            if holes.any() and not holes.all():
                holed.append((face, matrix, holes))
        pixels = photo.pixels.copy()
        inside = np.zeros(mask.shape, bool)
        if holed:
            pictures = self._estimated(rgb, holed)
            owner = self._owner(mask, [matrix for _, matrix, _ in holed])
            for number, ((face, matrix, _), picture) in enumerate(zip(holed, pictures, strict=True)):
                picture = keep_tone(
                    crop(rgb, matrix, self.size) / np.float32(255), picture, self.placing.tone(rgb, face)
                )
                self._lay(photo, rgb, pixels, picture, matrix, owner == number)
            inside = owner >= 0
        notes = [*doubts, *self._notes(mask, inside, len(holed))]
        return Filled(photo.replaced(pixels), mask, digest, len(holed), notes)

    def _estimated(self, rgb: np.ndarray, holed: Sequence[tuple[SeenFace, np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        """The faces without holes, (S, S, 3) float32 in [0, 1]."""
        crops = stacked([crop(rgb, matrix, self.size) for _, matrix, _ in holed])
        masks = torch.from_numpy(np.stack([holes for *_, holes in holed])[:, None]).float()
        seeds = [np.random.SeedSequence((self.settings.seed, face.number, 7)) for face, *_ in holed]
        how = asdict(self.method.options)

        def estimated(at_once: int) -> Restored:
            generators = [torch.Generator().manual_seed(int(seed.generate_state(1)[0])) for seed in seeds]
            return self.method(crops, masks=masks, generator=generators, batch_size=at_once, **how)

        out = self.at_once(estimated)
        return list(out.images.permute(0, 2, 3, 1).numpy())

    def _owner(self, mask: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
        """Of each pixel of a hole the number of the face that fills it, of several crops that show it the one's in
        whose middle it lies more; -1 elsewhere. (H, W) int16."""
        height, width = mask.shape
        owner, most = np.full((height, width), -1, np.int16), np.zeros((height, width), np.float32)
        for number, matrix in enumerate(matrices):
            place = Place.of(matrix, self.size, width, height, feathered=self.placing.surrounded)
            if place is None:
                continue
            there = most[place.rows, place.columns]
            better = (place.mask > there) & (mask[place.rows, place.columns] > 0)
            there[better] = place.mask[better]
            owner[place.rows, place.columns][better] = number
        return owner

    def _lay(
        self,
        photo: Photo,
        rgb: np.ndarray,
        pixels: np.ndarray,
        picture: np.ndarray,
        matrix: np.ndarray,
        owned: np.ndarray,
    ) -> None:
        """Lays a face's filling into the photograph's pixels, blended with what lies around."""
        height, width = owned.shape
        place = Place.of(matrix, self.size, width, height)
        if place is None:
            return
        part, where = place.cut(rgb), owned[place.rows, place.columns]
        joined = np.clip(blended(np.clip(place.unframed(picture), 0, 1), part, where), 0, 1)
        native = changed(photo, place.cut(photo.pixels), part, joined.astype(np.float32))
        lay(pixels, native, replace(place, mask=where.astype(np.float32)))

    def _notes(self, mask: np.ndarray, inside: np.ndarray, faces: int) -> list[str]:
        holes = mask > 0
        where = f", in {faces} face{'s' if faces > 1 else ''} by nets and" if faces else ""
        share = percent(float(holes.mean()))
        told = [f"Holes of {share} % of the photo were filled{where} from what lies around them."]
        if (guessed := float((holes & ~inside).mean())) > GUESSED:
            told.append(
                f"{percent(guessed)} % of the photo lay in holes outside faces: what was continued there from their "
                "edges is smooth, and only a guess."
            )
        return told
