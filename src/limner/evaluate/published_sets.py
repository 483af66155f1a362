"""The field's test sets, as data: what lies in their folders, how many pictures, what made the inputs, and which
metrics papers print of them, each with what limner always has in its place.

limner ships none of them. A folder holds `input`, `truth` and `references` as far as the set has them; the pictures are
aligned crops of one size and of one name in each. References are sub-folders or names, see `ReferenceFolder`.
Counts and degradations: see docs/evaluation.md, which says what is recalled and not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from limner.errors import LimnerError
from limner.photo.contents import SUFFIXES

Part = Literal["input", "truth", "references"]

FIDELITY = ("psnr", "psnr_y", "ssim_rgb", "ssim", "lpips_vgg", "lpips_alex", "dists", "perceptual")
TO_TRUTHS = ("fid", "kid", "frechet", "kernel")
TO_REAL = ("fid_real", "kid_real", "frechet_real", "kernel_real")
NATURAL = ("niqe_published", "niqe")
ANGLES = ("arcface_degrees", "dlib_degrees", "landmarks")
PERSON = ("arcface", "dlib", "identity", "arcface_person", "dlib_person", "identity_person")


@dataclass(frozen=True)
class PublishedSet:
    """A test set of the field.

    Attributes:
        name: as given to `--protocol`.
        help: what it is, in a few words.
        count: of its pictures.
        parts: sub-folders that it has.
        metrics: keys of the columns, those of nets that the user must give among them.
        degradation: the preset that makes the inputs of the truths where there is no sub-folder of them; empty where
            the inputs are files that must be given.
        size: of the pictures, in px a side.
    """

    name: str
    help: str
    count: int
    parts: tuple[Part, ...]
    metrics: tuple[str, ...]
    degradation: str = ""
    size: int = 512

    def open(self, folder: Path, limit: int | None = None) -> OpenedSet:
        """Makes sure that a folder holds the set, as far as names and sizes tell; fewer pictures are no fault.

        Args:
            folder: of the sub-folders.
            limit: the first so many pictures only.

        Raises:
            LimnerError: a sub-folder is missing, or the pictures in it are too many, of other names or of another size.
        """
        made = bool(self.degradation) and not (folder / "input").is_dir()
        parts = [part for part in self.parts if part != "references" and not (made and part == "input")]
        files = {part: self._files(folder / part) for part in parts}
        if "references" in self.parts and not (folder / "references").is_dir():
            raise LimnerError(self._wanted(f"There is no {folder / 'references'}"))
        first, *others = parts
        for part in others:
            if odd := sorted(files[first].keys() ^ files[part].keys()):
                raise LimnerError(
                    f"{folder / first} and {folder / part} don't hold the same {self.count:,} names: {odd[0]} is in "
                    f"one of them alone ({len(files[first]):,} and {len(files[part]):,} pictures)."
                )
        names = list(files[first])[:limit]
        for part in parts:
            for name in names:
                self._check_size(files[part][name])
        return OpenedSet(self, folder, tuple(names), files.get("input", {}), files.get("truth", {}))

    def _files(self, folder: Path) -> dict[str, Path]:
        """The pictures of a sub-folder by name, sorted."""
        if not folder.is_dir():
            raise LimnerError(self._wanted(f"There is no {folder}"))
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
        files = {path.stem: path for path in found}
        if not found or len(found) > self.count or len(files) < len(found):
            twice = ", of which some have one name" if len(files) < len(found) else ""
            raise LimnerError(self._wanted(f"{folder} holds {len(found):,} pictures{twice}, instead of {self.count:,}"))
        return files

    def _check_size(self, path: Path) -> None:
        try:
            with Image.open(path) as picture:
                width, height = picture.size
        except (OSError, UnidentifiedImageError, ValueError) as error:
            raise LimnerError(f"{path} can't be read as a picture: get a whole copy of it.") from error
        if (width, height) != (self.size, self.size):
            raise LimnerError(self._wanted(f"{path} has {width} x {height} px"))

    def _wanted(self, fault: str) -> str:
        """A sentence of what is wrong and what should be."""
        given = [part for part in self.parts if not (self.degradation and part == "input")]
        parts = " and ".join(given)
        return f"{fault}: {self.name} is a folder with {parts}, {self.count:,} aligned crops of {self.size} px."


@dataclass(frozen=True)
class OpenedSet:
    """A set whose folder was looked at.

    Attributes:
        published: what it should be.
        folder: where it is.
        names: of the pictures that take part.
        inputs: files by name; empty where they are made of the truths.
        truths: likewise; empty where there are none.
    """

    published: PublishedSet
    folder: Path
    names: tuple[str, ...]
    inputs: Mapping[str, Path]
    truths: Mapping[str, Path]

    @property
    def label(self) -> str:
        """The set's bare name, if it is whole; or with how much of it there is."""
        whole, there = self.published.count, len(self.names)
        return self.published.name if there == whole else f"{self.published.name}, {there:,} of {whole:,}"

    @property
    def source(self) -> str:
        """Where the inputs come from."""
        return "as given" if self.inputs else f"made by {self.published.degradation}"


PUBLISHED_SETS = (
    PublishedSet(
        "celeba-test",
        "3,000 faces of CelebA-HQ, degraded by GFPGAN's authors",
        3_000,
        ("input", "truth"),
        (*FIDELITY, *TO_TRUTHS, *TO_REAL, *NATURAL, *ANGLES),
    ),
    PublishedSet(
        "celeba-test-ref",
        "those 2,533 of celeba-test that have references",
        2_533,
        ("input", "truth", "references"),
        (*PERSON, *FIDELITY, *TO_TRUTHS, *TO_REAL, *NATURAL),
    ),
    PublishedSet(
        "ffhq-ref-moderate",
        "857 faces of 150 people with references, moderate",
        857,
        ("input", "truth", "references"),
        (*PERSON, *FIDELITY, *TO_TRUTHS, *TO_REAL, *NATURAL),
        "ffhq-ref-moderate",
    ),
    PublishedSet(
        "ffhq-ref-severe",
        "the same, severe",
        857,
        ("input", "truth", "references"),
        (*PERSON, *FIDELITY, *TO_TRUTHS, *TO_REAL, *NATURAL),
        "ffhq-ref-severe",
    ),
    PublishedSet(
        "difface-grid",
        "4,000 faces of CelebA-HQ, each at its point of DifFace's grid",
        4_000,
        ("input", "truth"),
        (*FIDELITY, *TO_TRUTHS, *TO_REAL, *NATURAL, *ANGLES),
        "difface-grid",
    ),
    PublishedSet("lfw-test", "1,711 photographs, mild, no truth", 1_711, ("input",), (*TO_REAL, *NATURAL)),
    PublishedSet("webphoto-test", "407 old photographs, no truth", 407, ("input",), (*TO_REAL, *NATURAL)),
    PublishedSet("wider-test", "970 faces of crowds, severe, no truth", 970, ("input",), (*TO_REAL, *NATURAL)),
)
"""All of them, in the order of `--help`."""
