"""IPTC's caption and keywords, where Photoshop put them: among its resources in a JPEG or TIFF."""

import struct

_IPTC = 0x0404


def iptc_of(blocks: bytes) -> bytes | None:
    """The IPTC among Photoshop's resources, or None."""
    at = 0
    while blocks[at : at + 4] == b"8BIM" and at + 12 <= len(blocks):
        kind, name = struct.unpack_from(">HB", blocks, at + 4)
        start = at + 6 + name + 1 + (name + 1) % 2
        if start + 4 > len(blocks):
            return None
        (length,) = struct.unpack_from(">I", blocks, start)
        if kind == _IPTC:
            return blocks[start + 4 : start + 4 + length] or None
        at = start + 4 + length + length % 2
    return None


def resources(iptc: bytes) -> bytes:
    """Photoshop's resources with IPTC alone."""
    return b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
