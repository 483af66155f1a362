"""What can be asked of a restoration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

from limner.errors import LimnerError
from limner.methods import METHODS, find_method
from limner.photo.photo import Photo


@dataclass(frozen=True)
class Settings:
    """How to restore.

    Attributes:
        method: see `limner.methods()`.
        weights: `mini` (embedded), `official` (the authors', fetched before) or a folder.
        references: other photographs of the person, for a method that can use them: files, folders of files or
            photographs. The largest face of each counts.
        start, steps, eta, guidance, timetable, encoding, snap, mask, guide_below, guide_every, finish: of the
            sampling; None takes what suits the weights. A method knows some of them, see `limner.methods.loaded`.
        scheduler: `ddim`, `dpmsolver++` or `unipc`; None is the paper's.
        samples: results wanted for each photo.
        seed: of all noise.
        faces: `all`, `largest`, or indices (0 is the largest).
        min_face: faces smaller than this, in pixels of the photo, are left alone.
        min_score: faces the finder is less sure of (0 to 1) are left alone.
        detector: `haar` (embedded) or `yunet`, with `yunet` the path of its ONNX file.
        aligned: the photo is itself an aligned face crop, and so are the references.
        strength: `auto` joins photo and restoration octave by octave, each where it knows better (`faces/join.py`); a
            number blends the two plainly, from 0, the face as it was, to 1, the restored one.
        grain: what is put back carries the grain of the photo around it; never with a plain blend, an aligned crop or a
            clean background.
        background: `keep` leaves all but the faces as it was, `clean` takes noise, blocks and mild blur off the whole
            photo.
        upscale: enlarges the photo by this whole factor, background by Lanczos.
        device, dtype, threads: see `limner.device.choose`.
    """

    method: str = "difface"
    weights: str = "mini"
    references: Sequence[str | PathLike[str] | Photo] = ()
    start: int | None = None
    steps: int | None = None
    eta: float | None = None
    guidance: float | None = None
    timetable: str | None = None
    encoding: str | None = None
    snap: bool | None = None
    mask: str | None = None
    guide_below: int | None = None
    guide_every: int | None = None
    finish: int | None = None
    scheduler: str | None = None
    samples: int = 1
    seed: int = 0
    faces: Literal["all", "largest"] | Sequence[int] = "all"
    min_face: float = 0
    min_score: float = 0
    detector: str = "haar"
    yunet: Path | None = None
    aligned: bool = False
    strength: float | Literal["auto"] = "auto"
    grain: bool = True
    background: Literal["keep", "clean"] = "keep"
    upscale: int = 1
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.strength != "auto" and not (isinstance(self.strength, int | float) and 0 <= self.strength <= 1):
            raise LimnerError(
                f"The strength must be auto or lie between 0 (original) and 1 (restored), not {self.strength}."
            )
        if self.background not in ("keep", "clean"):
            raise LimnerError(f"There is no background '{self.background}': choose keep or clean.")
        if not 1 <= self.samples <= 64:
            raise LimnerError(f"{self.samples} samples can't be made: ask for 1 to 64.")
        if not 1 <= self.upscale <= 8:
            raise LimnerError(f"A photo can be enlarged 1 to 8 times, not {self.upscale} times.")
        if isinstance(self.references, str | PathLike | Photo):
            raise LimnerError("The references must be a list, also where there is one: [reference].")
        if self.references and not find_method(self.method).references:
            able = " or ".join(name for name, method in METHODS.items() if method.references)
            raise LimnerError(f"The method '{self.method}' can't use references: choose {able}, or leave them out.")
