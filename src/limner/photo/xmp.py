"""XMP packets: whether they can be read, and what they say of the file that is no longer so."""

import codecs
import re
from xml.dom import minidom
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DEEPEST = 100
_LONGEST = 16_000_000  # bytes
_MOST_NODES = 50_000  # elements, attributes, remarks: each takes a thousand times its bytes once it is parsed
# Of phones: a video behind the picture, a gain map beside it, depth and other pictures inside the packet.
_APPENDED = {
    "http://ns.google.com/photos/1.0/camera/": "video",
    "http://ns.google.com/photos/1.0/container/": "",
    "http://ns.google.com/photos/1.0/container/item/": "",
    "http://ns.google.com/photos/1.0/depthmap/": "depth map",
    "http://ns.google.com/photos/1.0/image/": "",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "gain map",
    "http://ns.apple.com/HDRGainMap/1.0/": "gain map",
    "http://ns.adobe.com/xmp/note/": "",  # HasExtendedXMP: a second packet, which isn't kept
}
_PACKED = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)([2-8])")


def in_utf8(packet: bytes) -> bytes:
    """A packet in UTF-8 that is safe to parse: well formed, without entities, neither too deep nor too long
    nor of too many elements.

    Raises:
        ValueError: it isn't.
    """
    if len(packet) > _LONGEST:
        raise ValueError("too long")
    wide = {b"<\0": "utf-16-le", b"\0<": "utf-16-be", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    encoding = wide.get(packet[:2], "utf-8")
    text = packet.decode(encoding).strip("\0 \r\n\t\ufeff")
    text = re.sub(r"^<\?xml[^>]*\?>\s*", "", text)
    if "<!" in re.sub(r"<!--|<!\[CDATA\[", "", text):
        raise ValueError("entities")
    if re.match(r"<\?xml\s", text):  # which parsers would believe more than what was decoded
        raise ValueError("an encoding")
    plain = text.encode()
    _check(plain)
    return packet if encoding == "utf-8" and packet.strip(b"\0 \r\n\t") == plain else plain


def parsed(packet: bytes | None) -> minidom.Document | None:
    """The packet as XML with an rdf:RDF inside, else None."""
    try:
        document = minidom.parseString(in_utf8(packet or b"").strip(b"\0 \r\n\t"))
    except (expat.ExpatError, ValueError):
        return None
    return document if document.getElementsByTagNameNS(RDF, "RDF") else None


def turn_of(packet: bytes | None) -> int:
    """The orientation that a packet tells, 1 if none."""
    found = _PACKED.search(packet or b"")
    return int(found[2]) if found else 1


def made_upright(packet: bytes) -> bytes:
    return _PACKED.sub(rb"\g<1>1", packet)


def with_size(packet: bytes, width: int, height: int) -> bytes:
    """A packet that tells the picture's present size, where it tells one."""
    for names, value in ((rb"tiff:ImageWidth|exif:PixelXDimension", width),
                         (rb"tiff:ImageLength|exif:PixelYDimension", height)):  # fmt: skip
        packet = re.sub(rb"((?:" + names + rb")\s*(?:=\s*[\"']|>)\s*)\d+", rb"\g<1>%d" % value, packet)
    return packet


def without_claims(packet: bytes) -> tuple[bytes, str | None]:
    """A packet without what it says of a video, a gain map or other pictures in the file, which limner doesn't keep;
    and one sentence on it if it said so."""
    if not any(namespace.encode() in packet for namespace in _APPENDED):
        return packet, None
    document = parsed(packet)
    if document is None:
        return packet, None
    gone: set[str] = set()
    for element in [e for e in document.getElementsByTagName("*") if isinstance(e, minidom.Element)]:
        for attribute in list(element.attributes.values()):
            if attribute.namespaceURI in _APPENDED:
                gone.add(_APPENDED[attribute.namespaceURI])
                element.removeAttributeNode(attribute)
        if element.namespaceURI in _APPENDED and element.parentNode:
            gone.add(_APPENDED[element.namespaceURI])
            element.parentNode.removeChild(element)
    if not gone:
        return packet, None
    named = " and the ".join(sorted(gone - {""})) or "further data"
    text = "".join(node.toxml() for node in document.childNodes).encode()
    return text, f"The {named} that came with the photo can't be kept, and the XMP no longer speaks of it."


def _check(packet: bytes) -> None:
    depth = nodes = 0

    def count(*_: object, more: int = 1) -> None:
        nonlocal nodes
        nodes += more
        if nodes > _MOST_NODES:
            raise ValueError("too many elements")

    def deeper(_: str, attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        count(more=1 + len(attributes) // 2)
        if depth > _DEEPEST:
            raise ValueError("too deep")

    def back(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.ordered_attributes = True  # names and values in one list, however many
    parser.StartElementHandler, parser.EndElementHandler = deeper, back
    parser.CommentHandler = parser.ProcessingInstructionHandler = parser.StartCdataSectionHandler = count
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from error
