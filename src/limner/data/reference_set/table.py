"""Tables of faces and their references, as CSV: one row an image.

    file,person_id,references
    00012.png,00003,00481.png;07733.png;00090.png

`references` names other pictures of the same person, separated by semicolons, the most useful first: whoever takes k
of them takes the first k. Names are relative to the folder of pictures and use `/`.

The authors of ReF-LDM keep such tables as `train_references.csv` and the like, with pictures named relative to a folder
of images and another of references. What columns they have is published nowhere that this project could read, so the
reader is tolerant: columns are known by their names, or by their order where no row of names leads; references may
stand in one cell (a list, or separated by `;`, `|`, commas or blanks) or in cells of their own.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from limner.errors import LimnerError
from limner.photo.contents import SUFFIXES
from limner.photo.write import write_atomically

HEADER = ("file", "person_id", "references")
SEPARATOR = ";"

FILE_NAMES = (
    "file",
    "filename",
    "file_name",
    "image",
    "image_path",
    "path",
    "gt",
    "gt_image",
    "gt_path",
    "name",
    "img",
)
PERSON_NAMES = ("person_id", "person", "identity", "id", "identity_id", "subject", "label")


@dataclass(frozen=True)
class Entry:
    """An image and its references.

    Attributes:
        file: name of the picture.
        person: whose face it shows; empty where the table doesn't say.
        references: names of other pictures of that person, the most useful first; may be empty.
    """

    file: str
    person: str
    references: tuple[str, ...]


def write_table(path: Path, entries: Iterable[Entry]) -> None:
    """Writes a table, whole or not at all.

    Raises:
        LimnerError: a name holds the separator, or the file can't be written.
    """
    rows = []
    for entry in entries:
        for name in entry.references:
            if SEPARATOR in name or "\n" in name or "\r" in name:
                raise LimnerError(f"The picture {name!r} can't stand in {path}: rename it without '{SEPARATOR}'.")
        rows.append((entry.file, entry.person, SEPARATOR.join(entry.references)))
    write_csv(path, HEADER, rows)


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes rows as CSV in UTF-8, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8", "surrogateescape"))


def read_table(path: Path) -> list[Entry]:
    """Reads a table of ours or, as far as its columns tell, of others; see above.

    Raises:
        LimnerError: the file can't be read, names no pictures, has a row without a picture, or names a picture twice.
    """
    rows = _rows(path)
    header = [cell.strip().lower() for cell in rows[0][1]]
    if tuple(header[:3]) == HEADER:
        entries = [(line, _ours(row)) for line, row in rows[1:]]
    elif _is_picture(rows[0][1][0]) or rows[0][1][0].strip().isdigit():
        entries = [(line, _by_order(row)) for line, row in rows]
    else:
        columns = _columns(header, path)
        entries = [(line, _by_name(row, *columns)) for line, row in rows[1:]]
    seen: set[str] = set()
    for line, entry in entries:
        if not entry.file:
            raise LimnerError(f"{path} names no picture in line {line}: fill the first column in or drop the line.")
        if entry.file in seen:
            raise LimnerError(f"{path} names {entry.file} a second time in line {line}: keep one row for each image.")
        seen.add(entry.file)
    return [entry for _, entry in entries]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows that aren't blank, with their numbers from 1; the separator is a tab or a semicolon where the first
    row has more of those than of commas."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise LimnerError(f"The table {path} can't be read ({error.strerror or error}): check the path.") from error
    if "\0" in text:
        raise LimnerError(f"{path} is no table: give a CSV file.")
    first = text.split("\n", 1)[0]
    delimiter = max(",", "\t", ";", key=first.count) if "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise LimnerError(f"The table {path} is damaged after line {reader.line_num} ({error}): mend it.") from error
    if not rows:
        raise LimnerError(f"The table {path} is empty: give a CSV file with one row an image.")
    return rows


def _ours(row: list[str]) -> Entry:
    cells = [*row, "", ""][:3]
    return Entry(cells[0], cells[1], tuple(name for name in cells[2].split(SEPARATOR) if name))


def _columns(header: list[str], path: Path) -> tuple[int, int | None, list[int]]:
    """Where file, person and references stand, by the names of the columns."""
    file = next((header.index(name) for name in FILE_NAMES if name in header), None)
    person = next((header.index(name) for name in PERSON_NAMES if name in header), None)
    references = [i for i, name in enumerate(header) if "ref" in name]
    if file is None or not references:
        raise LimnerError(
            f"{path} has the columns {', '.join(header)}: limner needs one named file (or image, gt, path) and one "
            "named references."
        )
    return file, person, references


def _by_name(row: list[str], file: int, person: int | None, references: list[int]) -> Entry:
    cells = [cell.strip() for cell in row] + [""] * (max(file, person or 0, *references) + 1 - len(row))
    names = [name for i in references for name in _names(cells[i])]
    return Entry(cells[file], "" if person is None else cells[person], tuple(names))


def _by_order(row: list[str]) -> Entry:
    """The first cell is the image; a second that names no picture is the person; the others are references."""
    cells = [cell.strip() for cell in row]
    second = cells[1] if len(cells) > 1 else ""
    person = bool(second) and _is_picture(cells[0]) and not all(map(_is_picture, _names(second)))
    names = [name for cell in cells[2 if person else 1 :] for name in _names(cell)]
    return Entry(cells[0], second if person else "", tuple(names))


_IN_LIST = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s,;|'"]+)""")


def _names(cell: str) -> list[str]:
    """The names in one cell: a list in brackets, or pictures separated by `;`, `|`, commas or blanks."""
    if cell.startswith(("[", "(")):
        listed = [quoted or double or plain for quoted, double, plain in _IN_LIST.findall(cell.strip("[]()"))]
        return [name for name in listed if name]
    for separator in (";", "|", ",", None):
        parts = [part.strip().strip("'\"") for part in cell.split(separator)]
        if len(parts) > 1 and all(_is_picture(part) or part.isdigit() for part in parts if part):
            return [part for part in parts if part]
    return [cell] if cell else []


def _is_picture(cell: str) -> bool:
    return Path(cell.strip()).suffix.lower() in SUFFIXES


def check_files(entries: Iterable[Entry], folder: Path) -> None:
    """Makes sure that all pictures of a table are there.

    Raises:
        LimnerError: naming the first that is missing, and how many are.
    """
    names = dict.fromkeys(name for entry in entries for name in (entry.file, *entry.references))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise LimnerError(
            f"{folder} lacks {missing[0]} and {len(missing) - 1} more of the {len(names)} pictures that the table "
            "names: check the folder."
        )


@dataclass(frozen=True)
class People:
    """Whose face each picture shows, where that is known.

    Attributes:
        person: id of the person by file name.
        split: the split listed for each file; empty if the table lists none.
    """

    person: Mapping[str, str]
    split: Mapping[str, str]


def read_people(path: Path) -> People:
    """Reads an index of faces with the columns `file`, `person_id` and perhaps `split`.

    Raises:
        LimnerError: the file can't be read, lacks a column or an id, or a person is listed in two splits.
    """
    rows = _rows(path)
    header = [cell.strip() for cell in rows[0][1]]
    if not {"file", "person_id"} <= set(header):
        raise LimnerError(f"{path} has the columns {', '.join(header)}: an index needs file and person_id.")
    person: dict[str, str] = {}
    split: dict[str, str] = {}
    of_person: dict[str, str] = {}
    for line, row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        file, who = cells.get("file", ""), cells.get("person_id", "")
        if not file or not who:
            raise LimnerError(f"{path} lacks the file or the person in line {line}: fill it in or drop the line.")
        person[file] = who
        if "split" in header:
            split[file] = cells.get("split", "")
            if of_person.setdefault(who, split[file]) != split[file]:
                raise LimnerError(
                    f"{path} lists the person {who} in the splits {of_person[who]} and {split[file]}: keep a person "
                    "in one."
                )
    return People(person, split)
