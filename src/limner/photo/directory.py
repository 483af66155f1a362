"""Directories of tags, as TIFF files and EXIF blocks hold them: read within limits, kept raw, written anew.

Values stay the bytes that the file has, with their type, so that nothing is lost by what a program thinks of them.
"""

import struct
from dataclasses import dataclass, field

EXIF, GPS = 34665, 34853
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_UNITS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # what byte order swaps
_WHOLE = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
_MOST_TAGS = 1000


class DirectoryError(Exception):
    """A directory that lies outside its file or makes no sense."""


@dataclass(frozen=True)
class Layout:
    """How a TIFF counts: its byte order, "<" or ">", and whether it is a BigTIFF with offsets of 64 bits."""

    order: str
    big: bool = False

    @classmethod
    def of(cls, data: bytes) -> tuple["Layout", int]:
        """The layout that a header tells, and where the first directory lies.

        Raises:
            DirectoryError: it is no TIFF.
        """
        order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
        if order is None or len(data) < 8:
            raise DirectoryError("no TIFF header")
        (version,) = struct.unpack_from(order + "H", data, 2)
        if version == 42:
            return cls(order), struct.unpack_from(order + "I", data, 4)[0]
        if version == 43 and len(data) >= 16:
            return cls(order, True), struct.unpack_from(order + "Q", data, 8)[0]
        raise DirectoryError("no TIFF header")

    @property
    def word(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def word_size(self) -> int:
        return 8 if self.big else 4


@dataclass(frozen=True)
class Entry:
    """A tag's value as it is stored: its TIFF type, its bytes, their byte order, and where they lie in the file."""

    type: int
    raw: bytes
    order: str
    at: int = 0

    def whole(self) -> tuple[int, ...]:
        """The value as whole numbers; empty if it holds none."""
        code = _WHOLE.get(self.type)
        count = len(self.raw) // _SIZES[self.type]
        return struct.unpack(f"{self.order}{count}{code}", self.raw) if code else ()

    def ratio(self) -> float | None:
        """The first value as a number, also of a fraction; None if it is none."""
        if self.type in (5, 10) and len(self.raw) >= 8:
            above, below = struct.unpack_from(self.order + ("II" if self.type == 5 else "ii"), self.raw)
            return above / below if below else None
        whole = self.whole()
        return float(whole[0]) if whole else None

    def ordered(self, order: str) -> bytes:
        """The bytes in a byte order."""
        unit = _UNITS.get(self.type, 1)
        if order == self.order or unit == 1:
            return self.raw
        return b"".join(self.raw[i : i + unit][::-1] for i in range(0, len(self.raw), unit))


@dataclass
class Directory:
    """Tags with their values, the first of each, and where the next directory lies (0: there is none)."""

    entries: dict[int, Entry] = field(default_factory=dict)
    next: int = 0

    @classmethod
    def read(cls, data: bytes, at: int, layout: Layout) -> "Directory":
        """Reads the directory at an offset; values that lie outside the file are left out.

        Raises:
            DirectoryError: the directory lies outside the file or is absurdly long, or its values together are longer
                than the file.
        """
        start, size = (at + 8, 20) if layout.big else (at + 2, 12)
        if at < 8 or start > len(data):
            raise DirectoryError("a directory outside the file")
        (count,) = struct.unpack_from(layout.order + ("Q" if layout.big else "H"), data, at)
        end = start + size * count
        if count > _MOST_TAGS or end > len(data):
            raise DirectoryError("a directory that is cut off")
        found, held = cls(), 0
        for place in range(start, end, size):
            tag, kind = struct.unpack_from(layout.order + "HH", data, place)
            (many,) = struct.unpack_from(layout.word, data, place + 4)
            length, where = many * _SIZES.get(kind, 0), place + size - layout.word_size
            if length > layout.word_size:
                (where,) = struct.unpack_from(layout.word, data, where)
            if kind not in _SIZES or not many or where + length > len(data) or tag in found.entries:
                continue
            held += length
            if held > len(data):
                raise DirectoryError("values longer than the file")
            found.entries[tag] = Entry(kind, bytes(data[where : where + length]), layout.order, where)
        if end + layout.word_size <= len(data):
            (found.next,) = struct.unpack_from(layout.word, data, end)
        return found

    def whole(self, tag: int, default: int) -> int:
        """The first value of a tag as a whole number."""
        entry = self.entries.get(tag)
        return (entry.whole() or (default,))[0] if entry else default

    def wholes(self, tag: int) -> tuple[int, ...]:
        """All values of a tag as whole numbers; empty where it is missing."""
        entry = self.entries.get(tag)
        return entry.whole() if entry else ()


def number(value: int, kind: int = 4) -> Entry:
    """A whole number as a tag's value; `kind` 3 for 16 bits, 4 for 32, 16 for 64."""
    return numbers((value,), kind)


def numbers(values: tuple[int, ...], kind: int = 4) -> Entry:
    return Entry(kind, struct.pack(f"<{len(values)}{_WHOLE[kind]}", *values), "<")


def fraction(value: float) -> Entry:
    return Entry(5, struct.pack("<II", round(value * 10_000), 10_000), "<")


def written(entries: dict[int, Entry | dict[int, Entry]], layout: Layout, base: int) -> bytes:
    """A directory with its values behind it, ready to lie at the offset `base`; directories among the values are
    written behind them, and pointed to."""
    size = 20 if layout.big else 12
    count = struct.pack(layout.order + ("Q" if layout.big else "H"), len(entries))
    behind = base + len(count) + size * len(entries) + layout.word_size
    table, heap = bytearray(), bytearray()
    for tag, entry in sorted(entries.items()):
        if isinstance(entry, dict):
            inner = written({**entry}, layout, behind + len(heap))
            pointer = struct.pack(layout.word, behind + len(heap))
            kind, raw, many = (16 if layout.big else 4), pointer, 1
            heap += inner + bytes(len(inner) % 2)
        else:
            kind, raw, many = entry.type, entry.ordered(layout.order), len(entry.raw) // _SIZES[entry.type]
        if len(raw) > layout.word_size:
            place = struct.pack(layout.word, behind + len(heap))
            heap += raw + bytes(len(raw) % 2)
            raw = place
        head = struct.pack(layout.order + "HH", tag, kind) + struct.pack(layout.word, many)
        table += head + raw.ljust(layout.word_size, b"\0")
    return bytes(count + table + bytes(layout.word_size) + heap)
