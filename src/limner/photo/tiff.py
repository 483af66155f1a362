"""TIFF: which of its pages is the photo, and what is said of it; `tiff_pixels` decodes the page.

The decoder is handed the file with a directory of the page's layout alone, so that no other tag can mislead it.
"""

import struct
from contextlib import suppress

from limner.errors import PhotoError
from limner.photo import exif
from limner.photo.container import Container, Pixels
from limner.photo.directory import Directory, DirectoryError, Entry, Layout, written
from limner.photo.iptc import iptc_of
from limner.photo.tiff_pixels import Page, pixels_of_page

_MOST_DIRECTORIES = 1000
_SUB_DIRECTORIES, _XMP, _IPTC, _PHOTOSHOP, _ICC = 330, 700, 33723, 34377, 34675
_REDUCED_OR_MASK = 0b101
_RAW = (32803, 34892)  # photometric interpretations of a sensor's values
# The tags that say how a page is stored.
_LAYOUT = (256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 334, 338)
_LAYOUT += (339, 347, *range(512, 522), 529, 530, 531, 532, 32997)


class _Directories:
    """The directories of a file, each read once, which together hold hardly more bytes than the file."""

    def __init__(self, data: bytes, layout: Layout):
        self.data, self.layout = data, layout
        self.seen: set[int] = set()
        self.held = 0

    def chain(self, at: int) -> list[Directory]:
        """The pages, from the first one on.

        Raises:
            DirectoryError: there is none.
            PhotoError: there are too many, as the end of a sentence.
        """
        pages = []
        while at and at not in self.seen:
            try:
                pages.append(self._read(at))
            except DirectoryError:
                if not pages:
                    raise
                break
            at = pages[-1].next
        if not pages:
            raise DirectoryError("no page")
        return pages

    def within(self, page: Directory) -> list[Directory]:
        """The pages below a page, where raw files and pyramids have theirs."""
        found = []
        for at in page.wholes(_SUB_DIRECTORIES)[:20]:
            if at not in self.seen:
                with suppress(DirectoryError):
                    found.append(self._read(at))
        return found

    def _read(self, at: int) -> Directory:
        if len(self.seen) == _MOST_DIRECTORIES:
            raise PhotoError(f"has more than {_MOST_DIRECTORIES} pages: extract one page first.")
        self.seen.add(at)
        page = Directory.read(self.data, at, self.layout)
        self.held += sum(len(entry.raw) for entry in page.entries.values())
        if self.held > 4 * len(self.data):  # pages may share a profile
            raise ValueError("values longer than the file")
        return page


def open_tiff(data: bytes) -> Container:
    """Opens the photo of a TIFF: its one full page, or the largest of the pages behind a preview.

    Raises:
        DirectoryError: it is damaged.
        PhotoError: it holds a camera's raw values or too many pages, as the end of a sentence.
    """
    layout, at = Layout.of(data)
    directories = _Directories(data, layout)
    chain = directories.chain(at)
    inside = [page for one in chain for page in directories.within(one)]
    if data[8:10] == b"CR" or any(p.whole(262, 0) in _RAW and not _is_preview(p) for p in [*chain, *inside]):
        raise PhotoError("holds a camera's raw values: develop it first, with the camera's program for instance.")
    full = [page for page in chain if not _is_preview(page)]
    behind = [page for page in inside if not _is_preview(page)]
    photo = full[0] if full else max(behind or [*chain, *inside], key=_area)
    page = Page(photo, layout)

    def decode() -> Pixels:
        tags: dict[int, Entry | dict[int, Entry]] = {t: e for t, e in photo.entries.items() if t in _LAYOUT}
        start = len(data) + len(data) % 2
        alone = bytearray(data) + bytes(len(data) % 2) + written(tags, layout, start)
        place = 8 if layout.big else 4
        alone[place : place + layout.word_size] = struct.pack(layout.word, start)
        return pixels_of_page(bytes(alone), page, _bytes(photo, _ICC))

    told = exif.tree(data, photo, layout)
    iptc = _bytes(photo, _IPTC) or iptc_of(_bytes(photo, _PHOTOSHOP) or b"")
    told.pop(_IPTC, None)
    odd = [name for name, tag in (("colour profile", _ICC), ("XMP", _XMP)) if _is_odd(photo, tag)]
    return Container(
        "TIFF",
        page.size,
        decode,
        pages=max(1, len(full)),
        orientation=exif.orientation_of(photo),
        exif=exif.block(told) if told else None,
        xmp=_bytes(photo, _XMP),
        icc=_bytes(photo, _ICC),
        iptc=iptc.rstrip(b"\0") if iptc else None,
        dpi=exif.dpi_of(photo),
        notes=tuple(f"The {name} is stored as something else and was left out." for name in odd),
    )


def _is_preview(page: Directory) -> bool:
    return bool(page.whole(254, 0) & _REDUCED_OR_MASK) or page.whole(255, 0) == 2


def _area(page: Directory) -> int:
    return page.whole(256, 0) * page.whole(257, 0)


def _bytes(page: Directory, tag: int) -> bytes | None:
    """A value that should be bytes. IPTC is often called 32-bit numbers, but bytes in the file's order all the same."""
    entry = page.entries.get(tag)
    if entry is None or (tag != _IPTC and _is_odd(page, tag)):
        return None
    return entry.raw or None


def _is_odd(page: Directory, tag: int) -> bool:
    entry = page.entries.get(tag)
    return entry is not None and entry.type not in (1, 7)
