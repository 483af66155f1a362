"""What was measured of a set of pictures, kept on disk while it is measured: a line of CSV for each picture, and a
vector of each restored picture and its truth by each net that looks at them.

So memory doesn't grow with the number of pictures, and a run that is killed goes on where it was.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.errors import LimnerError

TABLE = "pictures.csv"
NAME = "name"


@dataclass
class Measured:
    """The figures and vectors in a folder; `open` makes or goes on with one.

    Attributes:
        folder: holds `pictures.csv` and `NET.f32`, in which the vectors of each line's picture and truth follow each
            other.
        columns: the keys of the figures.
        widths: length of each net's vectors, by its name.
        seen: how many vectors a net has of each line: 2, or 1 where there is no truth.
        names: of the pictures that are there.
    """

    folder: Path
    columns: tuple[str, ...]
    widths: Mapping[str, int]
    seen: int = 2
    names: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, columns: Sequence[str], widths: Mapping[str, int], seen: int = 2) -> Measured:
        """Begins, or goes on: a line or a vector that a killed run wrote in part is dropped.

        Args:
            folder: made where it is missing.
            columns, widths, seen: see the attributes.

        Raises:
            LimnerError: if the folder holds a table of other figures.
        """
        folder.mkdir(parents=True, exist_ok=True)
        measured = cls(folder, tuple(columns), dict(widths), seen)
        head = _line((NAME, *measured.columns))
        table = folder / TABLE
        text = table.read_bytes() if table.is_file() else b""
        whole = text[: text.rfind(b"\n") + 1]
        if not whole:
            table.write_bytes(head)
        elif not whole.startswith(head):
            raise LimnerError(f"{table} holds other figures than are asked for: choose another --output, or delete it.")
        else:
            os.truncate(table, len(whole))
            measured.names = [row[0] for row in csv.reader(io.StringIO(whole.decode("utf-8")))][1:]
        count = len(measured.names)
        for net, width in measured.widths.items():
            file, size = measured.vector_file(net), count * seen * width * 4
            if size > (file.stat().st_size if file.is_file() else 0):
                raise LimnerError(f"{file} is shorter than {table}: delete both, or choose another --output.")
            file.touch()
            os.truncate(file, size)
        return measured

    def check_names(self, names: Sequence[str]) -> None:
        """Makes sure that no others were measured before than are asked for now.

        Args:
            names: of the pictures that are asked for.

        Raises:
            LimnerError: if there are others.
        """
        if others := sorted(set(self.names) - set(names)):
            raise LimnerError(
                f"{self.folder / TABLE} holds pictures that are not asked for, such as {others[0]}: choose another "
                "--output, or delete it."
            )

    def add(self, name: str, figures: Mapping[str, float], vectors: Mapping[str, Sequence[np.ndarray]]) -> None:
        """One picture more.

        Args:
            name: of the picture.
            figures: a number for each column.
            vectors: of the picture and, where there is one, its truth, (D,) each, by the nets' names.
        """
        for net in self.widths:
            with self.vector_file(net).open("ab") as file:
                file.write(np.concatenate(vectors[net]).astype("<f4").tobytes())
        with (self.folder / TABLE).open("ab") as table:  # last: a picture without its line is not there
            table.write(_line((name, *(repr(float(figures[key])) for key in self.columns))))
        self.names.append(name)

    def figures(self) -> dict[str, np.ndarray]:
        """The columns, (N,) float64 each, in the order of `names`."""
        with (self.folder / TABLE).open(encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        return {key: np.array([float(row[key]) for row in rows]) for key in self.columns}

    def vectors(self, net: str) -> tuple[np.ndarray, np.ndarray]:
        """A net's vectors of the pictures and of the truths, (N, D) float32 each, read from disk as they are used.

        Raises:
            ValueError: if there are no truths.
        """
        if self.seen != 2:
            raise ValueError(f"{self.folder} has no vectors of truths.")
        both = self._stored(net)
        return both[:, 0], both[:, 1]

    def own_vectors(self, net: str) -> np.ndarray:
        """A net's vectors of the pictures alone, (N, D) float32."""
        return self._stored(net)[:, 0]

    def _stored(self, net: str) -> np.ndarray:
        shape = (len(self.names), self.seen, self.widths[net])
        if not self.names:  # an empty file can't be mapped
            return np.zeros(shape, np.float32)
        return np.memmap(self.vector_file(net), "<f4", "r", shape=shape)

    def vector_file(self, net: str) -> Path:
        """Where the vectors of a net are."""
        return self.folder / f"{net}.f32"


def _line(cells: Sequence[str]) -> bytes:
    drawn = io.StringIO()
    csv.writer(drawn, lineterminator="\n").writerow(cells)
    return drawn.getvalue().encode("utf-8")
