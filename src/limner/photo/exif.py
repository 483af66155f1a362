"""EXIF, a TIFF's directories in a block of bytes: the turn, the resolution, and what must not go along.

It is changed in place wherever possible, because maker notes hold offsets that break when EXIF is written anew.
"""

import struct
from contextlib import suppress
from datetime import datetime
from math import isfinite

import numpy as np

from limner.photo.directory import EXIF, GPS, Directory, DirectoryError, Entry, Layout, written

PREFIX = b"Exif\0\0"
_ORIENTATION = 274
_MAKER_NOTE = 37500
_TAKEN = 36867
_INTEROPERABILITY = 40965  # a directory within EXIF's: its offset would point astray
_POINTERS = (EXIF, GPS, _INTEROPERABILITY, 330)
# Of the tags of a first directory, those that describe the photo, beside all that hold text; the others describe how a
# file stores it.
_DESCRIPTIVE = {18246, 18249, 297, 33423, 33432, 33434, 33437, 33723, 34850, *range(34855, 34867), *range(36864, 42241)}
_DESCRIPTIVE |= set(range(40091, 40096))  # Windows' title, comment, author, keywords, subject
_DESCRIPTIVE -= {37724, *_POINTERS}  # 37724: Photoshop's layers
_TEXT = 2

Tree = dict[int, "Entry | dict[int, Entry]"]


def upright(channels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation: 2 to 4 mirror or turn by 180 degrees, 5 to 8 also swap rows and columns."""
    if orientation in (5, 6, 7, 8):
        channels = channels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        channels = channels[::-1]
    if orientation in (2, 3, 6, 7):
        channels = channels[:, ::-1]
    return channels


def first_directory(exif: bytes) -> Directory:
    """The first directory of an EXIF block.

    Raises:
        DirectoryError: there is none.
    """
    layout, at = Layout.of(exif)
    return Directory.read(exif, at, layout)


def orientation_of(directory: Directory) -> int:
    """1 to 8 as EXIF counts; 1 is upright."""
    orientation = directory.whole(_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def dpi_of(directory: Directory) -> tuple[float, float] | None:
    """Horizontal and vertical resolution in dots per inch, or None where it isn't said or makes no sense."""
    ratios = [entry.ratio() if (entry := directory.entries.get(tag)) else None for tag in (282, 283)]
    unit = {2: 1.0, 3: 2.54}.get(directory.whole(296, 2))
    if unit is None or ratios[0] is None or ratios[1] is None:
        return None
    return sensible_dpi(ratios[0] * unit, ratios[1] * unit)


def taken_of(exif: bytes) -> str | None:
    """The day on which a photo was taken, `YYYY-MM-DD`, as its EXIF tells it (DateTimeOriginal; a scanner tells its own
    day elsewhere); None where it tells none, or one that no calendar has."""
    inner = described(exif).get(EXIF)
    entry = inner.get(_TAKEN) if isinstance(inner, dict) else None
    if entry is None:
        return None
    try:
        return datetime.strptime(entry.raw[:10].decode("ascii"), "%Y:%m:%d").date().isoformat()
    except ValueError:
        return None


def sensible_dpi(x: float, y: float) -> tuple[float, float] | None:
    """A resolution, unless it can't be one."""
    return (x, y) if isfinite(x) and isfinite(y) and 1 < x < 1e5 and 1 < y < 1e5 else None


def cleaned(raw: bytes) -> bytes:
    """An EXIF block marked upright and without its thumbnail, which shows the unrestored photo.

    Raises:
        DirectoryError: it is damaged.
    """
    raw = raw.removeprefix(PREFIX)
    layout, at = Layout.of(raw)
    exif, first = bytearray(raw), Directory.read(raw, at, layout)
    _set(exif, first, _ORIENTATION, 1)
    if first.next:
        # The directory's last field: no second directory, and nothing left of what it points to.
        (count,) = struct.unpack_from(layout.order + "H", raw, at)
        struct.pack_into(layout.word, exif, at + 2 + 12 * count, 0)
        with suppress(DirectoryError):  # no thumbnail there, then
            _wipe(exif, Directory.read(raw, first.next, layout))
    return bytes(exif)


def with_size(exif: bytes, width: int, height: int) -> bytes:
    """An EXIF block that tells the picture's present size, if it tells one."""
    layout, _ = Layout.of(exif)
    changed = bytearray(exif)
    try:
        inner = Directory.read(exif, first_directory(exif).whole(EXIF, 0), layout)
    except DirectoryError:
        return exif
    _set(changed, inner, 40962, width)
    _set(changed, inner, 40963, height)
    return bytes(changed)


def without_turn(exif: bytes) -> bytes:
    """An EXIF block without its orientation, for formats that tell it elsewhere."""
    layout, at = Layout.of(exif)
    (count,) = struct.unpack_from(layout.order + "H", exif, at)
    table = [exif[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(count)]
    kept = [entry for entry in table if struct.unpack_from(layout.order + "H", entry) != (_ORIENTATION,)]
    changed = struct.pack(layout.order + "H", len(kept)) + b"".join(kept) + bytes(4 + 12 * (count - len(kept)))
    return exif[:at] + changed + exif[at + len(changed) :]


def tree(data: bytes, first: Directory, layout: Layout) -> Tree:
    """The tags of a first directory that describe the photo, with their EXIF and GPS directories."""
    found: Tree = {t: e for t, e in first.entries.items() if t in _DESCRIPTIVE or (e.type == _TEXT and t < 50_000)}
    for tag in (EXIF, GPS):
        try:
            inner = Directory.read(data, first.whole(tag, 0), layout)
        except DirectoryError:
            continue
        inside = {t: e for t, e in inner.entries.items() if t not in _POINTERS}
        if inside:
            found[tag] = inside
    return found


def described(exif: bytes) -> Tree:
    """`tree` of an EXIF block; empty if it is damaged."""
    try:
        layout, at = Layout.of(exif)
        return tree(exif, Directory.read(exif, at, layout), layout)
    except DirectoryError:
        return {}


def block(found: Tree) -> bytes:
    """An EXIF block of its tags."""
    return b"II\x2a\0\x08\0\0\0" + written(found, Layout("<"), 8)


def within(exif: bytes, limit: int) -> tuple[bytes | None, str | None]:
    """EXIF of no more than so many bytes, and one sentence on what gave way: the maker note first, then all."""
    if len(exif) <= limit:
        return exif, None
    found = described(exif)
    inner = found.get(EXIF)
    if isinstance(inner, dict):
        inner.pop(_MAKER_NOTE, None)
    if found and len(shorter := block(found)) <= limit:
        return shorter, "The EXIF is too long for a JPEG, so its maker note was left out."
    return None, "The EXIF is too long for a JPEG and was left out."


def _set(exif: bytearray, directory: Directory, tag: int, value: int) -> None:
    entry = directory.entries.get(tag)
    code = {3: "H", 4: "I"}.get(entry.type) if entry else None
    if entry and code and (code == "I" or value < 65536):
        struct.pack_into(entry.order + code, exif, entry.at, value)


def _wipe(exif: bytearray, thumbnail: Directory) -> None:
    starts = thumbnail.wholes(513) + thumbnail.wholes(273)
    lengths = thumbnail.wholes(514) + thumbnail.wholes(279)
    for start, length in zip(starts, lengths, strict=False):
        end = min(start + length, len(exif))
        if end == len(exif) and start >= 8:
            del exif[start:]
        elif 8 <= start < end:
            exif[start:end] = bytes(end - start)
