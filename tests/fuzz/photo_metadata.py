"""Metadata made by someone who knows how they are built and means ill, and files that carry them.

None of them touches the pixels, so that a file with such metadata must be read all the same.
"""

import random
import struct
import zlib
from io import BytesIO

import pillow_heif
from PIL import Image

from limner.photo.directory import Directory, Entry, Layout, written
from limner.photo.iptc import resources

from ..photo.samples import XMP, exif, wide_gamut
from .photo_seeds import IPTC, seed, suffix

HUGE = (0, 1, 2, 4000, 9000, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_XMP, _IPTC, _ICC, _EXIF, _PHOTOSHOP = 700, 33723, 34675, 34665, 34377


def flipped(rng: random.Random, data: bytes, most: int = 12) -> bytes:
    """Some bits the other way round."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(1, len(data))]


def hostile_exif(rng: random.Random) -> bytes:
    """EXIF whose tags have wrong types and counts, values outside the block, directories in a circle."""
    kind = rng.randrange(4)
    whole = exif(1).removeprefix(b"Exif\0\0")
    if kind == 0:
        return flipped(rng, whole)
    if kind == 1:
        return cut(rng, whole)
    tags = (270, 271, 282, 283, 296, 305, 306, 330, 33432, _EXIF, 34853, 36867, 37500, 40091, 40962, 40965, _IPTC, _XMP)
    count = rng.randint(1, 60)
    entries = b"".join(
        struct.pack("<HHII", rng.choice(tags), rng.randrange(20), rng.choice((1, 4, *HUGE)), rng.choice((8, 26, *HUGE)))
        for _ in range(count)
    )
    following = rng.choice((0, 8, 9, 4_000_000_000, 20))
    stated = count if kind == 2 else rng.choice((count + 1, 65535, 0))
    return b"II\x2a\0\x08\0\0\0" + struct.pack("<H", stated) + entries + struct.pack("<I", following) + whole


def hostile_icc(rng: random.Random) -> bytes:
    """Profiles with strange spaces, sizes and tables of tags."""
    profile = bytearray(wide_gamut(rng.choice((b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"\xff\xfe\0\x80", b"    "))))
    kind = rng.randrange(5)
    if kind == 0:
        return flipped(rng, bytes(profile), 40)
    if kind == 1:
        return cut(rng, bytes(profile))
    if kind == 2:  # the header: size, version, class, spaces, signature
        struct.pack_into(">I", profile, rng.choice((0, 4, 8, 12, 16, 20, 36, 64)), rng.choice((*HUGE, 0x6D6E7472)))
    elif kind == 3:
        struct.pack_into(">I", profile, 128, rng.choice(HUGE))
    else:  # a tag's name, place or length
        count = struct.unpack_from(">I", profile, 128)[0]
        struct.pack_into(
            ">I", profile, 132 + 12 * rng.randrange(count) + 4 * rng.randrange(3), rng.choice((128, *HUGE))
        )
    return bytes(profile)


def hostile_xmp(rng: random.Random) -> bytes:
    """XMP that is nested, wide, full of entities, of another encoding, or hardly any."""
    about = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {_RDF}>%s</rdf:RDF></x:xmpmeta>'
    bomb = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    names = (
        "tiff:ImageWidth",
        "exif:PixelXDimension",
        "GCamera:MotionPhoto",
        "tiff:Orientation",
        "limner:faces",
        "a:b",
    )
    spaces = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:a="urn:a" '
    spaces += 'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" xmlns:limner="urn:x-limner:provenance:1.0/"'
    value = rng.choice(("1", "-1", "9" * 300, "nan", "&#0;", "&#x10ffff;", "&lt;", "", "5", "\ud7ff", "é"))
    inner = f'<rdf:Description rdf:about="" {spaces} {rng.choice(names)}="{value}"/>'
    depth = rng.choice((20, 99, 101, 3000, 100_000))
    text = rng.choice(
        (
            about % inner,
            about % (inner * 50),
            about % (f"<rdf:Description><{rng.choice(names[-1:])}>{value}</a:b></rdf:Description>"),
            about % ("<rdf:li>" * depth + "</rdf:li>" * depth),
            '<!DOCTYPE x [<!ENTITY e0 "ha">' + bomb + "]>" + about % "<rdf:li>&e9;</rdf:li>",
            '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + about % inner,
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + about % "<rdf:li>&e;</rdf:li>",
            '<?xml version="1.1" encoding="no-such-thing"?>' + about % inner,
            '<?xml version="1.0" encoding="UTF-16"?>' + about % inner,
            '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + about % inner + '<?xpacket end="w"?>' + " " * 2000,
            about % "" + about % inner,
            f"<rdf:RDF {_RDF}/>",
            f"<rdf:RDF {_RDF}>text between<!-- and a remark --><![CDATA[ <! ]]>{inner}</rdf:RDF>",
            "<a>" + "".join(f"<b{n} c='{n}'/>" for n in range(3000)) + "</a>",
            "<a " + " ".join(f"b{n}='{n}'" for n in range(3000)) + "/>",
            XMP.decode(),
        )
    )
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"))
    packet = text.encode(encoding, "replace")
    return rng.choice((lambda: packet, lambda: packet, lambda: flipped(rng, packet), lambda: cut(rng, packet)))()


def hostile_iptc(rng: random.Random) -> bytes:
    """IPTC, or Photoshop's resources, whose lengths are lies."""
    records = b"".join(
        struct.pack(">BBBH", 0x1C, rng.choice((1, 2, 255)), rng.randrange(256), rng.choice((5, *HUGE)) & 0xFFFF)
        + rng.choice((b"Lunch", b"\xff\xfe", b""))
        for _ in range(rng.randint(1, 30))
    )
    return rng.choice((lambda: records, lambda: cut(rng, IPTC), lambda: flipped(rng, IPTC), lambda: bytes(70_000)))()


def hostile_texts(rng: random.Random) -> list[tuple[bytes, bytes]]:
    """Chunks of a PNG's texts and colours: bombs, strange keywords, unknown packings, wrong lengths."""
    packed = zlib.compress(bytes(rng.choice((10, 1_000_000, 17_000_000))))
    key = rng.choice(
        (b"Title", b"", b"\xff\xfe", b"k" * 200, b"XML:com.adobe.xmp", b"Raw profile type iptc", b"Comment")
    )
    bodies = (
        (b"tEXt", key + rng.choice((b"", b"\0", b"\0a\0b\xff"))),
        (b"zTXt", key + b"\0" + rng.choice((b"", b"\0", b"\1")) + packed),
        (b"zTXt", key + b"\0\0" + cut(rng, packed)),
        (b"iTXt", key + b"\0\1" + rng.choice((b"", b"\0\0\0", b"\1\0\0")) + packed),
        (b"iTXt", key + b"\0\0\0de\0" + bytes([0xFF, 0xC0, 0x80])),
        (
            b"zTXt",
            b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 9\n" + rng.choice((b"zz", b"1c02", b"384249"))),
        ),
        (b"iCCP", key + b"\0" + rng.choice((b"\0", b"\7")) + packed),
        (b"pHYs", rng.choice((b"", bytes(9), struct.pack(">IIB", 2**32 - 1, 0, 1), bytes(8)))),
        (b"gAMA", rng.choice((b"", bytes(4), b"\xff" * 4, bytes(400)))),
        (b"cHRM", rng.choice((b"", bytes(32), b"\xff" * 32))),
        (b"eXIf", hostile_exif(rng)),
        (b"sRGB", rng.choice((b"", b"\xff"))),
        (b"tIME", b"\xff" * 7),
        (b"acTL", rng.choice((b"", bytes(8), bytes(3)))),
    )
    return [bodies[rng.randrange(len(bodies))] for _ in range(rng.choice((1, 3, 300)))]


def with_hostile_metadata(rng: random.Random, name: str) -> bytes:
    """A seed with metadata of ill will, of one kind or several, beside its own or in their place."""
    kinds = {"exif": hostile_exif, "icc": hostile_icc, "xmp": hostile_xmp, "iptc": hostile_iptc}
    chosen = rng.sample(sorted(kinds), rng.randint(1, 2))
    metadata = {kind: kinds[kind](rng) for kind in chosen}
    into = {".jpg": _in_jpeg, ".png": _in_png, ".webp": _in_webp, ".tif": _in_tiff, ".avif": _in_iso, ".heic": _in_iso}
    return into[suffix(name)](rng, name, metadata) if suffix(name) in into else seed(name)


def _in_jpeg(rng: random.Random, name: str, metadata: dict[str, bytes]) -> bytes:
    number = bytes((rng.choice((0, 1, 1, 7)), rng.choice((0, 1, 1, 255))))
    heads = {"exif": (0xE1, b"Exif\0\0"), "xmp": (0xE1, b"http://ns.adobe.com/xap/1.0/\0")}
    heads |= {"icc": (0xE2, b"ICC_PROFILE\0" + number), "iptc": (0xED, b"Photoshop 3.0\0")}
    data = seed(name)
    for kind, raw in metadata.items():
        marker, head = heads[kind]
        body = head + (resources(raw) if kind == "iptc" and rng.random() < 0.5 else raw)
        for part in [body[i : i + 65_533] for i in range(0, min(len(body), 300_000), 65_533)]:
            data = data[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(part) + 2) + part + data[2:]
    return data


def _in_png(rng: random.Random, name: str, metadata: dict[str, bytes]) -> bytes:
    chunks = hostile_texts(rng) if rng.random() < 0.4 else []
    if "exif" in metadata:
        chunks.append((b"eXIf", metadata["exif"]))
    if "icc" in metadata:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata["icc"])))
    if "xmp" in metadata:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata["xmp"]))
    if "iptc" in metadata:
        digits = f"\niptc\n{len(metadata['iptc'])}\n{metadata['iptc'].hex()}".encode()
        chunks.append((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(digits)))
    data = seed(name)
    added = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return data[:33] + added + data[33:]


def _in_webp(rng: random.Random, name: str, metadata: dict[str, bytes]) -> bytes:
    data, kinds = seed(name), {"exif": b"EXIF", "icc": b"ICCP", "xmp": b"XMP ", "iptc": b"IPTC"}
    for kind, raw in metadata.items():
        chunk = kinds[kind] + struct.pack("<I", len(raw)) + raw + bytes(len(raw) % 2)
        at = 30 if data[12:16] == b"VP8X" and rng.random() < 0.5 else len(data)
        data = data[:at] + chunk + data[at:]
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _in_tiff(rng: random.Random, name: str, metadata: dict[str, bytes]) -> bytes:
    """The first directory is written anew at the end, with metadata of any type."""
    data = seed(name)
    layout, at = Layout.of(data)
    first = Directory.read(data, at, layout)
    tags: dict[int, Entry | dict[int, Entry]] = {tag: one for tag, one in first.entries.items() if tag != 274}
    kinds = {"icc": _ICC, "xmp": _XMP, "iptc": rng.choice((_IPTC, _PHOTOSHOP)), "exif": _EXIF}
    for kind, raw in metadata.items():
        type = rng.choice((1, 7, 2, 3, 4, 5, 12, 13))
        tags[kinds[kind]] = Entry(type, raw.ljust(-(-len(raw) // 8) * 8, b"\0"), layout.order)
    for tag in rng.sample((270, 282, 283, 296, 305, 306, 315, 33432, 34853, 40091), 2):
        tags[tag] = Entry(rng.choice((1, 2, 3, 4, 5, 7, 12)), rng.choice((bytes(8), b"\xff" * 8, bytes(80))), "<")
    start = len(data) + len(data) % 2
    moved = bytearray(data) + bytes(len(data) % 2) + written(tags, layout, start)
    place = 8 if layout.big else 4
    moved[place : place + layout.word_size] = struct.pack(layout.word, start)
    return bytes(moved)


def _in_iso(rng: random.Random, name: str, metadata: dict[str, bytes]) -> bytes:
    """AVIF and HEIC. Encoders look into EXIF, so that theirs is good, and another of its length laid over it."""
    image = Image.new(rng.choice(("RGB", "RGBA")), (24, 16), "teal")
    if metadata.get("icc"):
        image.info["icc_profile"] = metadata["icc"]
    block = metadata.get("exif", b"")
    good = b"II\x2a\0\x08\0\0\0" + written({270: Entry(2, bytes(len(block)) + b"\0", "<")}, Layout("<"), 8)
    about = {"exif": b"Exif\0\0" + good if block else None, "xmp": metadata.get("xmp")}
    file = BytesIO()
    if suffix(name) == ".heic":
        pillow_heif.from_pillow(image).save(file, quality=50, **about)
    else:
        image.save(file, "AVIF", speed=9, **{kind: raw for kind, raw in about.items() if raw})
    return file.getvalue().replace(good, block.ljust(len(good), b"\0")) if block else file.getvalue()
