"""Which files are moving pictures: told by their suffix, else by how they begin, before any decoder is loaded."""

from __future__ import annotations

from pathlib import Path

from limner.photo.contents import SUFFIXES as PHOTO_SUFFIXES

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".dv", ".mxf", ".nut", ".y4m"}
)
"""Of the containers that FFmpeg reads and writes; whatever else it reads is told by its first bytes."""

_STARTS = (
    (4, b"ftyp"),  # MP4, QuickTime
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"\x00\x00\x01\xba"),  # MPEG's program stream, and its bare video
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF
    (0, b"FLV\x01"),
    (0, b"OggS"),
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (0, b"nut/multimedia container"),
    (0, b"YUV4MPEG2"),
)
"""Where in a file what stands, if it is a container of moving pictures."""


def is_clip(path: Path) -> bool:
    """Whether a file is a moving picture.

    Args:
        path: by a suffix of photographs it is none, HEIC's containers being those of films, too.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in PHOTO_SUFFIXES or not path.is_file():
        return suffix in SUFFIXES
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError:  # whoever opens it says why
        return False
    return any(start[place : place + len(mark)] == mark for place, mark in _STARTS)
