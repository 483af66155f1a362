"""What can be asked of a restoration, whatever the method: declared once, for the library and the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from limner.declared import check, declared
from limner.errors import LimnerError
from limner.methods import METHODS, find_method, options_of
from limner.methods.options import Options
from limner.photo.photo import Photo

FacesChoice = Literal["all", "largest"] | Sequence[int]


def faces_of(text: str) -> FacesChoice:
    """`all`, `largest` or a list of indices, from a word of the command line.

    Raises:
        LimnerError: if it is none of them.
    """
    if text == "all" or text == "largest":
        return text
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise LimnerError(f"--faces is '{text}': give all, largest, or indices such as 0,2.") from error


def strength_of(text: str) -> float | Literal["auto"]:
    """`auto`, or a number, from a word of the command line.

    Raises:
        LimnerError: if it is neither.
    """
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError as error:
        raise LimnerError(f"--strength is '{text}': give auto, or a number from 0 to 1.") from error


METHOD, FACES, RESULT, MACHINE = "Method", "Faces", "Result", "Machine"
"""Families of options."""


@dataclass(frozen=True)
class Settings:
    """How to restore.

    Attributes:
        method: see `limner.list_methods()`.
        weights: `mini` (embedded), `official` (the authors', fetched before) or a folder.
        options: of the method, by name (`limner.methods.options` declares them), such as {"steps": 4}; those that are
            left out take what suits the weights.
        references: other photographs of the person, for a method that can use them: files, folders of files or
            photographs. The largest face of each counts.
        album: whether references come from the album (`limner.album`), for each face those of its own person.
        person: called so in the album, whom the photo shows: the face most like this person's gets the references.
        references_per_face: how many the album chooses at most.
        finish: steps of DifFace's prior over the result; None takes what suits the weights.
        scheduler: `ddim`, `dpmsolver++` or `unipc`; None is the paper's.
        samples: results made of each photo.
        keep: so many of them are kept, those most like the person by the recogniser; None keeps all.
        seed: of all noise.
        faces: `all`, `largest`, or indices (0 is the largest).
        min_face: faces smaller than this, in pixels of the photo, are left alone.
        min_score: faces the finder is less sure of (0 to 1) are left alone.
        detector: `limner` (embedded) or `yunet`, with `yunet` the path of its ONNX file.
        aligned: the photo is itself an aligned face crop, and so are the references.
        strength: `auto` joins photo and restoration octave by octave, each where it knows better (`faces/join.py`); a
            number blends the two plainly, from 0, the face as it was, to 1, the restored one.
        grain: what is put back carries the grain of the photo around it; never with a plain blend, an aligned crop or a
            clean background.
        background: `keep` leaves all but the faces as it was, `clean` takes noise, blocks and mild blur off the whole
            photo.
        upscale: enlarges the photo by this whole factor, what is no face by a small net.
        device, dtype, threads: see `limner.device.choose`.

    Raises:
        LimnerError: if one of them doesn't exist or lies outside its range.
    """

    method: str = declared("difface", "Restoration method, see `limner methods`.", family=METHOD)
    weights: str = declared("mini", "mini, official, or a folder (ldbfr: or a checkpoint).", family=METHOD)
    options: Mapping[str, Any] | Options = field(default_factory=dict)
    references: Sequence[str | PathLike[str] | Photo] = declared(
        (),
        "refldm, clrface: another photo of the same person, or a folder of them; may be repeated.",
        family=METHOD,
        flag="--reference",
    )
    album: bool = declared(
        False, "Take references from the album (`limner album index`), of each face its own person's.", family=METHOD
    )
    person: str | None = declared(None, "Who the photo shows, as the album calls them.", family=METHOD)
    references_per_face: int = declared(4, "How many the album chooses at most.", least=1, most=16, family=METHOD)
    finish: int | None = declared(
        None, "Steps of DifFace's prior over the result; 0 leaves it smooth.", least=0, most=999, family=METHOD
    )
    scheduler: str | None = declared(None, "ddim, dpmsolver++ or unipc.", family=METHOD)
    samples: int = declared(
        1,
        "Results for each photo, of other noise. The embedded weights keep to the photo, so that they hardly differ, "
        "which is told with what makes them freer.",
        least=1,
        most=64,
        family=METHOD,
    )
    keep: int | None = declared(
        None,
        "Of the samples keep so many, those most like the person of the references.",
        least=1,
        most=64,
        family=METHOD,
    )
    seed: int = declared(0, "Seed of all noise.", least=0, most=2**64 - 1, family=METHOD)
    faces: FacesChoice = declared(
        "all", "all, largest, or indices as 0,2 (0 is the largest).", family=FACES, parse=faces_of
    )
    min_face: float = declared(
        0.0, "Leave faces smaller than this many pixels alone.", least=0, most=100_000, family=FACES
    )
    min_score: float = declared(0.0, "Leave faces the finder is less sure of alone.", least=0, most=1, family=FACES)
    detector: Literal["limner", "yunet"] = declared("limner", "Face finder; yunet needs its ONNX file.", family=FACES)
    yunet: Path | None = declared(
        None, "Its ONNX file, unless `limner weights fetch official/yunet` brought it.", family=FACES
    )
    aligned: bool = declared(False, "Photos and references are aligned face crops.", family=FACES)
    strength: float | Literal["auto"] = declared(
        "auto",
        "auto takes from photo and restoration what each knows better; a number blends them plainly: 0 keeps the face "
        "as it was, 1 takes the restored one.",
        least=0,
        most=1,
        family=RESULT,
        parse=strength_of,
    )
    grain: bool = declared(True, "Give restored faces the grain of the photo around them.", family=RESULT)
    background: Literal["keep", "clean"] = declared(
        "keep", "clean takes noise, blocks and mild blur off the whole photo.", family=RESULT
    )
    upscale: int = declared(
        1, "Enlarge the photo so many times, what is no face by a small net.", least=1, most=8, family=RESULT
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = declared("auto", "Where nets run.", family=MACHINE)
    dtype: Literal["auto", "fp32", "bf16"] = declared(
        "auto", "Precision of the nets; auto: bf16 where the hardware has it.", family=MACHINE
    )
    threads: int | None = declared(None, "CPU threads of torch.", least=1, most=1024, family=MACHINE)

    def __post_init__(self) -> None:
        check(self, "limner")
        kind = options_of(self.method)
        if not isinstance(self.options, Options):
            kind().but(self.options)  # says what it doesn't know, or what is out of range
        elif not isinstance(self.options, kind):
            raise LimnerError(f"The options are of another method than '{self.method}': give {kind.__name__}.")
        if isinstance(self.references, str | PathLike | Photo):
            raise LimnerError("The references must be a list, also where there is one: [reference].")
        self._check_references()

    def _check_references(self) -> None:
        """
        Raises:
            LimnerError: if the method can't use references, or what needs them has none.
        """
        if (self.references or self.album) and not find_method(self.method).references:
            able = " or ".join(name for name, one in METHODS.items() if one.info.references)
            raise LimnerError(f"The method '{self.method}' can't use references: choose {able}, or leave them out.")
        if self.references and self.album:
            raise LimnerError("Either the album chooses the references or you do: leave out --album or --reference.")
        if self.person and not self.album:
            raise LimnerError(f"Only the album knows who '{self.person}' is: add --album.")
        if self.keep and not (self.references or self.album):
            raise LimnerError("--keep takes the samples most like the person: give --reference or --album.")
        if self.keep and self.keep > self.samples:
            raise LimnerError(f"--keep {self.keep} needs as many samples: there are {self.samples}, see --samples.")

    @property
    def results(self) -> int:
        """How many results a photo has."""
        return self.keep or self.samples

    def sampling(self, suited: Options) -> Options:
        """The options that the method runs with.

        Args:
            suited: what suits the weights.

        Returns:
            The options that were given whole; else `suited` with those in their place that were given by name.

        Raises:
            LimnerError: if an option doesn't exist or lies outside its range.
        """
        return self.options if isinstance(self.options, Options) else suited.but(self.options)

    def recorded(self, options: Options | None = None, references: str | None = None) -> str:
        """What decides a result beside all that `Provenance` has a field for, as JSON.

        Args:
            options: of the method, as they were used; None where it didn't run.
            references: digest of those that it was given.
        """
        of_all = ("faces", "min_face", "min_score", "detector", "aligned", "grain", "background", "upscale")
        values: dict[str, object] = {name: getattr(self, name) for name in of_all}
        if not isinstance(self.faces, str):
            values["faces"] = [int(one) for one in self.faces]
        if options:
            values |= {name: value for name, value in asdict(options).items() if name != "steps"}
        if references:
            values["references"] = references
        if self.album:
            # who it is stands in the digest of the references: no name in a photo
            values["references_per_face"] = self.references_per_face
        if self.keep:
            values["kept_of"] = self.samples
        return json.dumps(values, sort_keys=True)
