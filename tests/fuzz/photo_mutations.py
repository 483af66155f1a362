"""How the fuzzer damages a photo's file: blindly, or knowing how its format is built."""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from .photo_bombs import BOMBS
from .photo_metadata import HUGE, cut, flipped, with_hostile_metadata
from .photo_seeds import SEEDS, is_still, seed, suffix

FORMATS = (".jpg", ".png", ".tif", ".webp", ".avif", ".heic") * 3 + (".bmp", ".bmp", ".gif")
"""The formats, those that can hold the most more often."""


TAGS = (254, 256, 258, 259, 262, 273, 277, 284, 317, 322, 330, 332, 338, 339, 347, 530, 700, 32997)
"""Tags of a TIFF on which much hangs."""


@dataclass(frozen=True)
class Case:
    """A damaged file.

    Attributes:
        name: of the seed, whose suffix the file bears.
        how: which mutation.
        data: the file's bytes.
        intact: only metadata were touched, so that it must be read.
    """

    name: str
    how: str
    data: bytes
    intact: bool


def case(run_seed: int, index: int) -> Case:
    """The file of a number, which depends on nothing but this number and the run's seed."""
    rng = random.Random(f"{run_seed}/{index}")
    if rng.random() < 0.005:
        name = rng.choice(sorted(BOMBS))
        make, most = BOMBS[name]
        return Case(name, "bomb", make(max(1, int(most * rng.random() ** 2))), False)
    format = rng.choice(FORMATS)
    name = rng.choice([name for name in SEEDS if suffix(name) == format])
    if rng.random() < 0.3 and suffix(name) not in (".bmp", ".gif"):
        return Case(name, "metadata", with_hostile_metadata(rng, name), is_still(name))
    structural = STRUCTURES.get(suffix(name))
    if structural and rng.random() < 0.5:
        return Case(name, "structure", structural(rng, seed(name)), False)
    how = rng.choice(sorted(BLIND))
    data = BLIND[how](rng, seed(name))
    if rng.random() < 0.2:
        data = BLIND["flip"](rng, data) if data else data
    return Case(name, how, data, False)


def _poked(rng: random.Random, data: bytes) -> bytes:
    """Huge or odd numbers where a length, a count or an offset may stand; most of them stand in front."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        code = rng.choice(("<H", ">H", "<I", ">I"))
        size = struct.calcsize(code)
        at = rng.randrange(max(1, (min(len(data), 400) if rng.random() < 0.7 else len(data)) - size))
        changed[at : at + size] = struct.pack(code, rng.choice(HUGE) & (256**size - 1))
    return bytes(changed)


def _overwritten(rng: random.Random, data: bytes) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 4, 30, 300))
    return data[:at] + rng.choice((b"\0" * length, b"\xff" * length, rng.randbytes(length))) + data[at + length :]


def _removed(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 2, 7, 64, 500)) :]


def _doubled(rng: random.Random, data: bytes) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 2, 12, 64, 500, 5000))
    return data[: at + length] + data[at : at + length] * rng.choice((1, 1, 20, 400)) + data[at + length :]


def _spliced(rng: random.Random, data: bytes) -> bytes:
    """The head of one file and the tail of another, one of its format as often as not."""
    others = sorted(SEEDS)
    if rng.random() < 0.6:
        head = data[:4]
        others = [name for name in others if seed(name)[:4] == head]
    other = seed(rng.choice(others))
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


BLIND: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "flip": flipped,
    "cut": cut,
    "poke": _poked,
    "overwrite": _overwritten,
    "remove": _removed,
    "double": _doubled,
    "splice": _spliced,
}
"""Mutations that know nothing of a format, by their names."""


def _shuffled(rng: random.Random, pieces: list[bytes]) -> list[bytes]:
    """One piece twice or many times, gone, moved, emptied or exchanged for another; often two of these."""
    pieces = list(pieces)
    for _ in range(rng.choice((1, 1, 2))):
        if not pieces:
            break
        one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        what = rng.randrange(4)
        if what == 0:
            pieces[one:one] = [pieces[one]] * rng.choice((1, 1, 2000))
        elif what == 1:
            pieces.insert(other, pieces.pop(one))
        elif what == 2:
            del pieces[one]
        else:
            pieces[one] = flipped(rng, pieces[one], 4)
    return pieces


def _jpeg(rng: random.Random, data: bytes) -> bytes:
    pieces, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        pieces.append(data[at : at + 2 + length])
        at += 2 + length
    frame = next((i for i, piece in enumerate(pieces) if piece[1] in (0xC0, 0xC2)), None)
    if frame is not None and rng.random() < 0.3:  # depth, height, width, how many channels
        changed, place = bytearray(pieces[frame]), rng.choice((4, 5, 7, 9))
        changed[place : place + 2] = struct.pack(">H", rng.choice(HUGE) & 0xFFFF)
        pieces[frame] = bytes(changed)
    return data[:2] + b"".join(_shuffled(rng, pieces)) + data[at:]


def _png(rng: random.Random, data: bytes) -> bytes:
    """Chunks, with checksums that hold."""
    bodies, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        bodies.append(data[at + 4 : at + 8 + length])
        at += 12 + length
    if rng.random() < 0.3:  # the header: sizes, depth, kind of colours, packing, filter, interlacing
        header, place = bytearray(bodies[0]), rng.choice((4, 8, 12, 13, 14, 15, 16))
        if place < 12:
            struct.pack_into(">I", header, place, rng.choice((*HUGE, 1000, 20_000)))
        else:
            header[place] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        bodies[0] = bytes(header)
    if rng.random() < 0.2:  # the pixels themselves, packed anew: wrong filters, too few, too many
        bodies = [b"IDAT" + zlib.compress(rng.randbytes(rng.choice((1, 500, 9000)))) if b[:4] == b"IDAT" else b
                  for b in bodies]  # fmt: skip
    bodies = _shuffled(rng, bodies)
    parts = (
        struct.pack(">I", rng.choice(HUGE) if rng.random() < 0.01 else len(body) - 4) + body
        + struct.pack(">I", zlib.crc32(body)) for body in bodies if len(body) >= 4
    )  # fmt: skip
    return data[:8] + b"".join(parts)


def _webp(rng: random.Random, data: bytes) -> bytes:
    chunks, at = [], 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        chunks.append(data[at : at + 8 + length + length % 2])
        at += 8 + length + length % 2
    inside = b"".join(_shuffled(rng, chunks))
    return b"RIFF" + struct.pack("<I", rng.choice((len(inside) + 4, len(inside) + 4, *HUGE[:4]))) + b"WEBP" + inside


def _iso(rng: random.Random, data: bytes) -> bytes:
    """Boxes within boxes: lengths of 0, 1 and more than there is; names exchanged; whole boxes shuffled."""
    known = b"ftyp meta hdlr pitm iloc iinf infe iprp ipco ispe pixi av1C hvcC colr ipma iref cdsc auxC auxl irot imir"
    known = (*known.split(), b"mdat", b"idat")
    places = [at for kind in known if (at := data.find(kind)) >= 4]
    at, what = rng.choice(places), rng.randrange(4)
    changed = bytearray(data)
    if what == 0:
        changed[at - 4 : at] = struct.pack(">I", rng.choice(HUGE))
    elif what == 1:
        changed[at : at + 4] = rng.choice(known)
    elif what == 2:  # what stands behind the name: version, flags, counts, sizes
        place = at + 4 + rng.randrange(20)
        code = rng.choice((">H", ">I"))
        size = struct.calcsize(code)
        changed[place : place + size] = struct.pack(code, rng.choice((3, 40, *HUGE)) & (256**size - 1))
    else:
        (length,) = struct.unpack_from(">I", data, at - 4)
        changed[at - 4 : at - 4] = data[at - 4 : at - 4 + length]
    return bytes(changed)


def _tiff(rng: random.Random, data: bytes) -> bytes:
    """A tag of the first directory: its number, type, count or value; or one laid over another."""
    order, big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    first, size = (at + 8, 20) if big else (at + 2, 12)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place, what = first + size * rng.randrange(count), rng.randrange(6)
        word = order + ("Q" if big else "I")
        width = struct.calcsize(word)
        if what == 0:
            struct.pack_into(order + "H", changed, place, rng.choice(TAGS))
        elif what == 1:
            struct.pack_into(order + "H", changed, place + 2, rng.randrange(20))
        elif what == 2:
            struct.pack_into(word, changed, place + 4, rng.choice((3, 4, *HUGE)))
        elif what == 3:
            struct.pack_into(word, changed, place + 4 + width, rng.choice((at, 3, 16, 1000, 20_000, *HUGE)))
        elif what == 4:
            struct.pack_into(order + "H", changed, place + 4 + width, rng.choice((0, 1, 2, 5, 7, 8, 16, 32, 34712)))
        else:
            other = first + size * rng.randrange(count)
            changed[place : place + size] = changed[other : other + size]
    if rng.random() < 0.1:  # the next directory
        struct.pack_into(order + "I", changed, first + size * count, rng.choice((at, 8, len(data), *HUGE)))
    return bytes(changed)


STRUCTURES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    ".jpg": _jpeg,
    ".png": _png,
    ".webp": _webp,
    ".avif": _iso,
    ".heic": _iso,
    ".tif": _tiff,
}
"""Mutations that know a format, by its suffix."""
