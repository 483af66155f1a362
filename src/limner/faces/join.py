"""Joins a restoration with its photograph at the photograph's own resolution, so that what the photo knows is kept.

photo --clean--> c --+--> c + fusion(photo, c, restoration), in an aligned frame, back in the photo's pixels
                     |
restoration ---------+    enlarged to the frame, where that is larger

Octaves finer than the frame are the clean photo's alone, and so is what is coarser than all octaves: colours and light
stay those of the surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from limner.device import Compute
from limner.faces.paste import Place
from limner.nets.clean import BLOCK, Cleaner
from limner.nets.enlarge import TIMES
from limner.nets.enlarge_face import SIZE, FaceEnlarger
from limner.nets.fusion import Fusion, taken
from limner.nets.tiles import in_tiles
from limner.weights.load import load_net

TILE, OVERLAP = 1024, 104
"""Of the photograph that goes through the cleaner at once, in pixels: as far as the cleaner sees, tiles overlap."""
ENLARGED_FROM = 1.25
"""Faces larger than the restoration by this factor are joined in a frame of twice the restoration's size."""
CAUTION = 0.5
"""How much of what the cleaner would change is changed in a face: what JPEG leaves beside a wrinkle looks to it like
the wrinkle. In full it left an old scan .69 of its fine detail and softened the eyes; half leaves .80 (see
docs/findings.md)."""
WIDE_SPREAD = 0.1
"""Deviation between several samples, in parts of white, from which on a place counts as wholly made up."""

Picture = TypeVar("Picture", np.ndarray, Tensor)


@dataclass(frozen=True, eq=False)
class Joined:
    """What became of the rectangle around a face.

    Attributes:
        pictures: (h, w, 3) float32 in [0, 1] for each sample.
        invented: (h, w) float32, how much of what is seen there is made up: 0 (the photo's own) to 1.
    """

    pictures: list[np.ndarray]
    invented: np.ndarray


@dataclass(frozen=True, eq=False)
class Framed:
    """What a rectangle shows of a face.

    Attributes:
        cleaned: (h, w, 3) float32 in [0, 1], the rectangle without noise, blocks and mild blur.
        photo, clean: (1, 3, F, F) where the nets are, the rectangle as it is and cleaned, in the aligned frame.
    """

    cleaned: np.ndarray
    photo: Tensor
    clean: Tensor

    @property
    def side(self) -> int:
        """F, in pixels."""
        return self.photo.shape[-1]

    @property
    def clean_picture(self) -> np.ndarray:
        """`clean` as (F, F, 3) float32."""
        return _picture(self.clean)


class Joiner:
    """The embedded cleaner and fusion, loaded and placed once; they serve all methods and weights.

    Args:
        compute: where and how nets run.
    """

    def __init__(self, compute: Compute):
        self.cleaner = compute.place(load_net("mini/clean", Cleaner))
        self.fusion = compute.place(load_net("mini/fusion", Fusion))
        self.device = compute.device
        self._compute = compute

    @cached_property
    def enlarger(self) -> FaceEnlarger:
        """The embedded enlarger of faces, loaded when a face is larger than its restoration."""
        return self._compute.place(load_net("mini/enlarge-face", FaceEnlarger))

    @torch.no_grad()
    def clean(self, picture: np.ndarray) -> np.ndarray:
        """Takes noise, blocks and mild blur off a picture of any size; from (H, W, 3) float32 in [0, 1] to the same."""
        cleaned = in_tiles(self.cleaner, self._tensor(picture), tile=TILE, overlap=OVERLAP, step=BLOCK)
        return _picture(cleaned.clamp(0, 1))

    @torch.no_grad()
    def __call__(self, photo: np.ndarray, restored: Sequence[np.ndarray], place: Place) -> Joined:
        """Joins the rectangle around a face with its restorations.

        Args:
            photo: (h, w, 3) float32 in [0, 1], the rectangle.
            restored: the samples, (S, S, 3) float32 in [0, 1].
            place: of the rectangle.
        """
        framed, deltas, origins = self.framed(photo, place), [], []
        for one in restored:
            large = self.grown(framed, one)
            delta, origin = self.taken(framed, large, self.shares(framed, large))
            deltas.append(delta)
            origins.append(origin)
        invented = np.mean(origins, axis=0)
        if len(restored) > 1:
            spread = np.std(np.stack(deltas), axis=0).mean(axis=2)
            invented = 1 - (1 - invented) * (1 - np.clip(spread / WIDE_SPREAD, 0, 1))
        return Joined(
            [np.clip(framed.cleaned + place.unframed(delta), 0, 1) for delta in deltas],
            np.clip(place.unframed(invented.astype(np.float32)), 0, 1),
        )

    def framed(self, photo: np.ndarray, place: Place, frame: int | None = None) -> Framed:
        """What a rectangle shows of a face before anything is joined.

        Args:
            photo, place: see above.
            frame: side of the aligned frame in pixels; None is `frame_of`'s.
        """
        frame = frame_of(place.side, place.size) if frame is None else frame
        cleaned = cautious(photo, self.clean(photo))
        return Framed(cleaned, *(self._tensor(place.framed(one, frame)) for one in (photo, cleaned)))

    @torch.no_grad()
    def grown(self, framed: Framed, restored: np.ndarray) -> np.ndarray:
        """A restoration as large as its frame, with detail that the restoration's pixels are too few for.

        Args:
            framed: of the face.
            restored: (S, S, 3) float32 in [0, 1].

        Returns:
            (F, F, 3) float32 in [0, 1]; interpolated but where F is twice the S that the enlarger was made for.
        """
        if len(restored) != SIZE or framed.side != TIMES * SIZE:
            return grown(restored, framed.side)
        return _picture(self.enlarger(self._tensor(restored), framed.clean).clamp(0, 1))

    @torch.no_grad()
    def shares(self, framed: Framed, restored: np.ndarray) -> list[Tensor]:
        """How much of a restoration, (F, F, 3) float32 in [0, 1], is taken: see `Fusion.shares`."""
        return self.fusion.shares(framed.photo, framed.clean, self._tensor(restored))

    @torch.no_grad()
    def taken(self, framed: Framed, restored: np.ndarray, shares: list[Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """What a restoration changes.

        Args:
            framed: of the face.
            restored: (F, F, 3) float32 in [0, 1].
            shares: how much of it is taken.

        Returns:
            The joined frame less the clean one, (F, F, 3) float32, and how much of it is made up, (F, F).
        """
        delta, origin = taken(framed.clean, self._tensor(restored), shares)
        return _picture(delta), _picture(origin)[..., 0]

    def _tensor(self, picture: np.ndarray) -> Tensor:
        """(H, W, 3) to (1, 3, H, W) where the nets are."""
        return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].to(self.device)


def cautious(photo: Picture, clean: Picture) -> Picture:
    """A photo with `CAUTION` of what the cleaner changed, both of one shape."""
    return photo + CAUTION * (clean - photo)


def frame_of(side: float, size: int) -> int:
    """The side in pixels of the frame in which a face is joined with its restoration.

    Args:
        side: of the face's crop in pixels of the photo.
        size: of the restoration in pixels.
    """
    return size if side <= ENLARGED_FROM * size else 2 * size


def grown(restored: np.ndarray, frame: int) -> np.ndarray:
    """A restoration, (S, S, 3), interpolated to its frame, (frame, frame, 3), of the same dtype."""
    if len(restored) == frame:
        return restored
    return cv2.resize(restored, (frame, frame), interpolation=cv2.INTER_CUBIC)


def _picture(image: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W, C) float32."""
    return np.ascontiguousarray(image[0].float().permute(1, 2, 0).cpu().numpy())
