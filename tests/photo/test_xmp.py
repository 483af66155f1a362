"""XMP: what can't be parsed, and claims of what is no longer in the file."""

from pathlib import Path

import pytest
from PIL import Image

from limner.photo.photo import Photo
from limner.photo.xmp import in_utf8, without_claims

from .samples import MADE, XMP, encoded, smooth, write

HEAD = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
MOTION = HEAD + (
    b'<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Artist="Nadar"'
    b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
    b' xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>'
    b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="video/mp4" Item:Semantic="MotionPhoto"/></rdf:li>'
    b"</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def test_claims_of_a_video_go_with_it(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(smooth()), "JPEG", xmp=MOTION) + b"\0\0\0\x18ftypmp42" + bytes(500)
    photo = Photo.open(write(tmp_path / "a.jpg", data))
    assert photo.notes == ("The video that came with the photo can't be kept, and the XMP no longer speaks of it.",)
    photo.save(tmp_path / "b.jpg", provenance=MADE)
    saved = (tmp_path / "b.jpg").read_bytes()
    assert b"MotionPhoto" not in saved and b"ftypmp42" not in saved and b'tiff:Artist="Nadar"' in saved


def test_claims_of_a_gain_map_go_with_it() -> None:
    packet = HEAD + (
        b'<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    rest, note = without_claims(packet)
    assert b"hdrgm:Version" not in rest and note is not None and "gain map" in note
    assert without_claims(XMP) == (XMP, None)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_wide_packets_become_utf_8_and_their_entities_are_seen(encoding: str) -> None:
    assert in_utf8(XMP.decode().encode(encoding)) == XMP
    with pytest.raises(ValueError, match="entities"):
        in_utf8("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>".encode(encoding))


@pytest.mark.parametrize(
    "packet",
    [
        b"<a>" * 3000 + b"</a>" * 3000,
        b'<?xml version="1.0" encoding="martian"?>\xe9<a/>',
        b'<?xml version=">" encoding="martian"?><a/>',
        b"\xff<a/>",
        b"no",
    ],
)
def test_what_cannot_be_parsed_is_told_of_at_reading(tmp_path: Path, packet: bytes) -> None:
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", xmp=packet)))
    assert photo.xmp is None and photo.notes == ("The XMP is damaged and was left out.",)
    photo.save(tmp_path / "b.jpg", provenance=MADE)


@pytest.mark.parametrize("many", [b"<b/>" * 60_000, b"<b c='' d=''/>" * 20_000, b"<!---->" * 60_000])
def test_a_packet_of_too_many_elements_is_never_parsed(many: bytes) -> None:
    with pytest.raises(ValueError, match="too many elements"):
        in_utf8(b"<a>" + many + b"</a>")
    assert in_utf8(b"<a>" + many[: len(many) // 4] + b"</a>")  # a quarter of them
