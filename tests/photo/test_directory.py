"""Directories of tags: written, read again, and their limits."""

import struct

import pytest

from limner.photo.directory import Directory, DirectoryError, Entry, Layout, fraction, number, numbers, written


def tiff(layout: Layout, directory: bytes) -> bytes:
    mark = b"II" if layout.order == "<" else b"MM"
    if layout.big:
        return mark + struct.pack(layout.order + "HHHQ", 43, 8, 0, 16) + directory
    return mark + struct.pack(layout.order + "HI", 42, 8) + directory


@pytest.mark.parametrize("layout", [Layout("<"), Layout(">"), Layout("<", big=True), Layout(">", big=True)])
def test_what_is_written_is_read_again(layout: Layout) -> None:
    inner = {36867: Entry(2, b"2000:01:02 03:04:05\0", "<")}
    entries = {256: number(7), 258: numbers((8, 8, 8), 3), 282: fraction(72.5), 34665: inner}
    data = tiff(layout, written(entries, layout, 16 if layout.big else 8))
    found, at = Layout.of(data)
    assert found == layout
    read = Directory.read(data, at, layout)
    assert read.whole(256, 0) == 7 and read.wholes(258) == (8, 8, 8) and read.next == 0
    assert read.entries[282].ratio() == 72.5
    assert Directory.read(data, read.whole(34665, 0), layout).entries[36867].raw == inner[36867].raw


def test_the_first_of_two_counts_and_what_lies_outside_does_not() -> None:
    entries = struct.pack("<HHII", 256, 4, 1, 7) + struct.pack("<HHII", 256, 4, 1, 8)
    entries += struct.pack("<HHII", 270, 2, 500, 8) + struct.pack("<HHII", 271, 99, 1, 8)
    data = tiff(Layout("<"), struct.pack("<H", 4) + entries + bytes(4))
    assert list(Directory.read(data, 8, Layout("<")).entries) == [256]
    assert Directory.read(data, 8, Layout("<")).whole(256, 0) == 7


def test_no_directory() -> None:
    many = tiff(Layout("<"), struct.pack("<H", 9) + struct.pack("<HHII", 270, 2, 100, 8) * 8 + bytes(16))
    overlapping = struct.pack("<H", 9) + b"".join(struct.pack("<HHII", 270 + n, 2, 100, 8) for n in range(9)) + bytes(4)
    for data, at in ((b"II*\0\x08\0\0\0", 8), (many[:60], 8), (many, 4), (tiff(Layout("<"), overlapping), 8)):
        with pytest.raises(DirectoryError):
            Directory.read(data, at, Layout("<"))
    for head in (b"", b"II", b"JJ*\0aaaa", b"II\x2b\0aaaa"):
        with pytest.raises(DirectoryError):
            Layout.of(head)
