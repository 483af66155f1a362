"""Other photographs of the persons that restored pictures show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from limner.errors import LimnerError
from limner.evaluate.picture_files import SUFFIXES, files_of


@dataclass(frozen=True)
class ReferenceFolder:
    """A folder of other photographs, each person's in a sub-folder or told by the files' names.

    Attributes:
        folder: where they are.
        files: pictures that lie in it, not in a sub-folder, sorted by name.
    """

    folder: Path
    files: tuple[Path, ...]

    @classmethod
    def open(cls, folder: Path) -> ReferenceFolder:
        """Reads the names of the files.

        Raises:
            LimnerError: if it is missing.
        """
        if not folder.is_dir():
            raise LimnerError(f"There is no folder {folder}: give one with pictures.")
        return cls(folder, tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)))

    def of(self, name: str) -> tuple[Path, ...]:
        """The photographs of the person on one picture: those in the sub-folder that is named as the picture, or else
        those whose names are the picture's with _ or - and more behind; and if there are none, the same with the
        picture's name up to its last _ or -, which is the person's where photographs are numbered. The picture itself
        is never one.

        Args:
            name: of the picture, without suffix.

        Raises:
            LimnerError: if there are none.
        """
        person = re.sub(r"[_-][^_-]*$", "", name)
        for prefix in dict.fromkeys((name, person)):
            inner = self.folder / prefix
            near = files_of(inner).values() if inner.is_dir() else self._beginning(prefix)
            if found := tuple(path for path in near if path.stem != name):
                return found
        raise LimnerError(
            f"{name} has no other photograph of the person in {self.folder}: make a sub-folder {name}, or files "
            f"{name}_1.png."
        )

    def of_all(self, names: Iterable[str]) -> dict[str, tuple[Path, ...]]:
        """`of` by name; raises as it does."""
        return {name: self.of(name) for name in names}

    def _beginning(self, prefix: str) -> list[Path]:
        return [path for path in self.files if path.stem.startswith((f"{prefix}_", f"{prefix}-"))]
