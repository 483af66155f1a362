"""Which pixels of a photograph are holes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from limner.damage import SENSITIVITY, check_sensitivity
from limner.errors import LimnerError, PhotoError
from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo
from limner.photo.provenance import digest_of

if TYPE_CHECKING:
    from limner.device import Compute

AUTO_BLACK = "auto-black"
"""Asks for the habit of DifFace's authors: pixels that are exactly black are holes."""
WHITE = 128
"""Grey level from which a pixel of a mask is a hole."""
CLEAR, UNCLEAR = 32, 0.3
"""Grey levels from black or white on from which a pixel is neither, and the share of those from which a picture is no
mask: somebody painted on the photograph itself, which would be all holes wherever it is light."""
MUCH = 0.5
"""Share of holes from which a drawn mask is taken for an inverted one: what is filled would be a smear."""


@dataclass(frozen=True)
class OwnDamage:
    """Asks for what is damaged in the photograph: its scratches, folds, stains are the holes (`limner.damage.find`).

    Args:
        sensitivity: above 0 and below 1.

    Raises:
        LimnerError: there is no such sensitivity.
    """

    sensitivity: float = SENSITIVITY

    def __post_init__(self) -> None:
        check_sensitivity(self.sensitivity)


Mask = str | PathLike[str] | Image.Image | np.ndarray | OwnDamage
"""Whatever `mask_of` makes a mask of."""


def mask_of(given: Mask, photo: Photo, max_megapixels: float = 100.0, compute: Compute | None = None) -> np.ndarray:
    """The holes of a photograph.

    Args:
        given: a picture of the photograph's upright size, white (128 of 255 and more) where a hole is: its path, whose
            EXIF turn is applied as a photograph's is, one of Pillow's, or an array, (H, W) or (H, W, 3) in uint8, or
            (H, W) bool. What is transparent in it is no hole. Or the word `auto-black`: pixels of the photograph that
            are exactly black. Or `OwnDamage`.
        photo: which has the holes.
        max_megapixels: of the mask's file, see `Photo.open`.
        compute: where damage is looked for; by default as `limner.device.choose` does.

    Returns:
        (H, W) uint8, 255 in holes, 0 elsewhere.

    Raises:
        LimnerError: the mask is of another size than the photograph, or no picture; or all of it is a hole.
        PhotoError: its file can't be read.
    """
    height, width = photo.pixels.shape[:2]
    if isinstance(given, str) and given == AUTO_BLACK:
        holes = ~photo.pixels.any(axis=2)
    elif isinstance(given, OwnDamage):
        from limner.damage.find import find_damage  # brings torch, which the other masks have no use for

        holes = find_damage(photo.srgb(), given.sensitivity, compute) > 0
    else:
        if isinstance(given, np.ndarray) and given.dtype == bool:
            given = given.astype(np.uint8) * 255
        drawn = _drawn(given, max_megapixels)
        what = _the_mask(given)
        if drawn.pixels.shape[:2] != (height, width):
            across, down = drawn.pixels.shape[1::-1]
            raise LimnerError(
                f"{what} is {across} x {down} pixels, but its photo, upright, is {width} x {height}: draw it over the "
                "photo itself, in its size."
            )
        share = 1.0 if drawn.alpha is None else drawn.alpha / drawn.peak
        level = drawn.srgb().mean(axis=2) * share
        grey = float(((level > CLEAR) & (level < 255 - CLEAR)).mean())
        if grey > UNCLEAR:
            raise LimnerError(
                f"{what} is no mask, for {grey:.0%} of it is neither black nor white: paint white on black, not on the "
                "photo itself."
            )
        holes = level >= WHITE
    if holes.all():
        by = f" by the mask {given}" if isinstance(given, PathLike | str) and given != AUTO_BLACK else ""
        raise LimnerError(f"All of the photo would be a hole{by}: white is a hole, black is what stays.")
    return np.where(holes, 255, 0).astype(np.uint8)


def _drawn(given: str | PathLike[str] | Image.Image | np.ndarray, max_megapixels: float) -> Photo:
    """A mask's picture.

    Raises:
        PhotoError: it can't be read, in words for a mask.
    """
    try:
        return Photo.of(given, max_megapixels)
    except PhotoError as error:
        if not isinstance(given, str | PathLike):
            raise
        fault, _, advice = str(error).rpartition(": ")
        if "photo" in advice:  # get it again, choose another: a mask is drawn
            advice = "give a picture of the photo's size, white where a hole is."
        raise PhotoError(f"The mask {fault}: {advice}") from error


def _the_mask(given: Mask) -> str:
    return f"The mask {given}" if isinstance(given, str | PathLike) else "The mask"


def note_on_mask(given: Mask, holes: np.ndarray) -> list[str]:
    """What makes a mask doubtful: that it has no hole, or is perhaps inverted.

    Args:
        given: as for `mask_of`.
        holes: what that made of it.
    """
    found, black = isinstance(given, OwnDamage), isinstance(given, str) and given == AUTO_BLACK
    if not holes.any():
        if found:
            return ["No damage was found in the photo, so nothing was filled: a higher --sensitivity finds more."]
        if black:
            return ["No pixel of the photo is exactly black, so nothing was filled."]
        return [f"{_the_mask(given)} has no hole, for nothing in it is white: paint white what is to be filled."]
    if found or black or (holes > 0).mean() <= MUCH:
        return []
    return [f"{_the_mask(given)} makes more than half of the photo a hole: is it inverted? White is a hole."]


def digest_of_mask(given: Mask) -> str:
    """What tells one mask from another in a result's provenance: `auto-black`, `damage` and its
    sensitivity, or the SHA-256 of the mask's file or pixels.

    Raises:
        LimnerError: the file can't be read.
    """
    if isinstance(given, str) and given == AUTO_BLACK:
        return given
    if isinstance(given, OwnDamage):
        return f"damage {given.sensitivity:g}"
    if isinstance(given, str | PathLike):
        try:
            return digest_of(Path(given))
        except OSError as error:
            raise LimnerError(f"The mask {given} can't be read: {error.strerror or error}.") from error
    pixels = np.ascontiguousarray(given)
    return hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode() + pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class FilledHoles:
    """What a result says of holes that were filled.

    Attributes:
        share: of the photograph, 0 to 1.
        digest: of the mask, see `digest_of_mask`.
    """

    share: float
    digest: str


@dataclass(frozen=True)
class MaskFiles:
    """Where the masks of a run's photographs lie.

    Args:
        given: a file, for a run of a single photograph; a folder, in which each photograph's mask has its name, with
            any picture's suffix; `auto-black`; or `OwnDamage`.
        single: whether the run has a single photograph.

    Raises:
        LimnerError: there is no such file or folder, or none is named, or a file is given for several photographs.
    """

    given: str | OwnDamage
    single: bool
    _listed: dict[Path, dict[str, list[Path]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.given:
            raise LimnerError(f"The mask has no name: give a picture, a folder of pictures, or {AUTO_BLACK}.")
        if isinstance(self.given, OwnDamage) or self.given == AUTO_BLACK or Path(self.given).is_dir():
            return
        if not Path(self.given).is_file():
            raise LimnerError(f"There is no mask {self.given}: give a picture, a folder of pictures, or {AUTO_BLACK}.")
        if not self.single:
            raise LimnerError(
                f"The mask {self.given} can't be of several photos: give a folder that holds a mask with the name of "
                "each."
            )

    @property
    def kind(self) -> str:
        """What they are, where a single sentence says it of all: `auto-black`, or `damage` and its sensitivity; else
        `drawn`."""
        if isinstance(self.given, OwnDamage) or self.given == AUTO_BLACK:
            return digest_of_mask(self.given)
        return "drawn"

    @property
    def folder(self) -> Path | None:
        """The folder, where it is one."""
        if isinstance(self.given, OwnDamage) or self.given == AUTO_BLACK or not Path(self.given).is_dir():
            return None
        return Path(self.given)

    def of(self, place: Path) -> Mask | None:
        """The mask of a photograph; None where the folder has none. The folder is looked at once.

        Args:
            place: its path relative to the folder of photographs.

        Raises:
            LimnerError: there are several.
        """
        if self.folder is None:
            return self.given
        names = self._candidates(self.folder, place)
        if len(names) > 1:
            raise LimnerError(f"{names[0]} and {names[1]} could both be the mask of {place}: leave one of them.")
        return names[0] if names else None

    def files(self, places: Sequence[Path]) -> set[Path]:
        """The files of the photographs' masks."""
        if self.folder is None:
            return set() if self.kind != "drawn" else {Path(str(self.given))}
        return {file for place in places for file in self._candidates(self.folder, place)}

    def left(self, places: Sequence[Path]) -> list[Path]:
        """The folder's masks that are no photograph's.

        Args:
            places: of all photographs of the run.

        Raises:
            LimnerError: there is none that fits one.
        """
        if self.folder is None or not places:
            return []
        fitting = self.files(places)
        if not fitting:
            raise LimnerError(
                f"No picture in the folder {self.folder} has the name of a photo, so none is its mask: name each as "
                f"its photo, such as {places[0].with_suffix('.png')} for {places[0]}."
            )
        inside = sorted(file for file in self.folder.rglob("*") if file.suffix.lower() in SUFFIXES)
        seen = [file for file in inside if not any(one.startswith(".") for one in file.relative_to(self.folder).parts)]
        return [file for file in seen if file not in fitting]

    def _candidates(self, folder: Path, place: Path) -> list[Path]:
        beside = (folder / place).parent
        if beside not in self._listed:  # once for all photographs of an archive
            listed = self._listed[beside] = {}
            for one in sorted(beside.glob("*")):
                if one.suffix.lower() in SUFFIXES:
                    listed.setdefault(one.stem, []).append(one)
        return self._listed[beside].get(place.stem, [])
