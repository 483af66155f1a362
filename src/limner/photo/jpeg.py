"""JPEG: its segments. The decoder gets those of the picture, metadata is taken from the others."""

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, JpegImagePlugin

from limner.photo import exif
from limner.photo.container import Container, Pixels
from limner.photo.contents import JpegCoding
from limner.photo.iptc import iptc_of, resources
from limner.photo.pillow import opened, pixels_of

SEGMENT_LIMIT = 65_533  # bytes of a segment's body
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_HEAD = b"ICC_PROFILE\0"
_PHOTOSHOP_HEAD = b"Photoshop 3.0\0"
_JFIF, _EXIF_OR_XMP, _ICC, _PHOTOSHOP, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_GAIN_MAP = re.compile(rb"urn:iso:std:iso:ts:21496|ns\.adobe\.com/hdr-gain-map|HDRGainMap|aux:hdrgainmap")
"""What the gain map of an HDR photo says of itself, by ISO, Adobe and Google, and Apple."""
# Of any number of 0xff the last one makes the marker.
_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_MARKER_IN_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_END = b"\xff\xd9"
_USUAL_SCANS = 12  # that a progressive JPEG comes in; each goes over all pixels
_MOST_WORK = 2_000_000_000  # pixels in all scans


@dataclass
class _Segments:
    """A JPEG taken apart: the picture without its end marker, whether it had one, in how many scans it comes, the other
    segments' bodies, and what stands behind the picture: further pictures, a video."""

    picture: bytearray
    ended: bool = False
    scans: int = 0
    behind: bytes = b""
    others: list[tuple[int, bytes]] = field(default_factory=list)

    def bodies(self, marker: int, head: bytes = b"") -> list[bytes]:
        """What stands behind a head in all segments of a marker."""
        return [body[len(head) :] for kind, body in self.others if kind == marker and body.startswith(head)]


def open_jpeg(data: bytes) -> Container:
    """Opens a JPEG; of several pictures in it the first.

    Raises:
        ValueError: it is damaged.
    """
    parts = _taken_apart(data)
    icc = _profile(parts.bodies(_ICC, _ICC_HEAD))
    image = opened(bytes(parts.picture + _END), "JPEG")
    photoshop = b"".join(parts.bodies(_PHOTOSHOP, _PHOTOSHOP_HEAD))
    comments = [_text(body) for body in parts.bodies(_COMMENT)]

    xmp = next(iter(parts.bodies(_EXIF_OR_XMP, _XMP_HEAD)), None)

    def decode() -> Pixels:
        if parts.scans > _USUAL_SCANS and parts.scans * image.width * image.height > _MOST_WORK:
            raise ValueError("too many scans")
        decoded = pixels_of(image, icc)
        if not parts.ended and not _whole(bytes(parts.picture), decoded.channels, icc):
            raise ValueError("cut off")
        return Pixels(decoded.channels, decoded.grey, decoded.in_srgb, None if decoded.in_srgb else _coding(image))

    return Container(
        "JPEG",
        image.size,
        decode,
        exif=_joined_exif(parts.bodies(_EXIF_OR_XMP, exif.PREFIX)),
        xmp=xmp,
        icc=icc,
        iptc=iptc_of(photoshop),
        words=tuple(("Comment", text) for text in comments if text),
        dpi=image.info.get("dpi"),
        notes=_gain_map(parts.behind, xmp),
    )


def with_words(jpeg: bytes, iptc: bytes | None, words: tuple[tuple[str, str], ...]) -> tuple[bytes, str | None]:
    """A JPEG with IPTC and comments, as far as they fit, and one sentence if they don't."""
    bodies: list[tuple[int, bytes]] = []
    if iptc:
        bodies.append((_PHOTOSHOP, _PHOTOSHOP_HEAD + resources(iptc)))
    for key, text in words:
        bodies.append((_COMMENT, (text if key == "Comment" else f"{key}: {text}").encode()))
    fitting = [(marker, body) for marker, body in bodies if len(body) <= SEGMENT_LIMIT]
    at = 2
    while 0xE0 <= jpeg[at + 1] <= 0xEF:  # behind the segments that stand first
        at += 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
    added = b"".join(bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in fitting)
    note = None if fitting == bodies else "A caption or comment is too long for a JPEG and was left out."
    return jpeg[:at] + added + jpeg[at:], note


def _gain_map(behind: bytes, xmp: bytes | None) -> tuple[str, ...]:
    """One sentence on a gain map behind the picture, unless the XMP tells of it, whose claims get theirs in `read`."""
    if not _GAIN_MAP.search(behind) or _GAIN_MAP.search(xmp or b""):
        return ()
    return ("The gain map that came with the photo can't be kept: the result is an ordinary photo.",)


def _taken_apart(data: bytes) -> _Segments:
    parts, at = _Segments(bytearray(b"\xff\xd8")), 2
    while found := _MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            parts.ended, parts.behind = True, data[at:]
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        if at + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            break
        body, at = data[at + 2 : at + length], at + length
        if marker == _COMMENT or (0xE0 <= marker <= 0xEF):
            parts.others.append((marker, body))
        if (marker, body[:5]) in ((_JFIF, b"JFIF\0"), (_ADOBE, b"Adobe")) or not (marker == 0xFE or marker >> 4 == 0xE):
            parts.picture += bytes([0xFF, marker]) + struct.pack(">H", length) + body
        if marker == 0xDA:
            parts.scans += 1
            scan = _MARKER_IN_SCAN.search(data, at)
            end = scan.start() if scan else len(data)
            parts.picture += data[at:end]
            at = end
    return parts


def _whole(picture: bytes, decoded: np.ndarray, icc: bytes | None) -> bool:
    """Whether a JPEG without its end marker lacks only that: what it lacks would be decoded from whatever follows,
    while nothing that follows a whole picture changes it."""
    padding = bytes(range(1, 200)) * 4
    other = pixels_of(opened(picture + padding + _END, "JPEG"), icc).channels
    return bool((other == decoded).all())


def _joined_exif(bodies: list[bytes]) -> bytes | None:
    """EXIF longer than a segment goes on in the next; one that starts anew is another's."""
    heads = (place for place, body in enumerate(bodies) if place and body[:4] in (b"II\x2a\0", b"MM\0\x2a"))
    return b"".join(bodies[: next(heads, None)]) or None


def _profile(bodies: list[bytes]) -> bytes | None:
    """A colour profile from its numbered parts, each headed by its number and how many there are."""
    return b"".join(body[2:] for body in sorted(bodies, key=lambda body: body[:1])) or None


def _text(body: bytes) -> str:
    body = body.rstrip(b"\0")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _coding(image: Image.Image) -> JpegCoding | None:
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    subsampling = JpegImagePlugin.get_sampling(image)
    return JpegCoding(dict(image.quantization), subsampling if subsampling in (0, 1, 2) else 0)
