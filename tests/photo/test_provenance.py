"""The XMP of a restored photograph: written, merged with what was there, read again."""

import hashlib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.provenance import SOURCE_TYPE, Provenance, digest_of, read

MADE = Provenance(method="difface", weights='mini/difface & "co" <1>', seed=7, faces=3, version="0.1.0")
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
EARLIER = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<r:Description r:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="Scanner 9"'
    ' ext:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/print">'
    '<dc:title><r:Alt><r:li xml:lang="x-default">Großmutter, 1911</r:li></r:Alt></dc:title></r:Description>'
    '</r:RDF></x:xmpmeta><?xpacket end="w"?>\n   \n'
).encode()


def descriptions(packet: bytes | str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(packet).findall(f"{RDF}RDF/{RDF}Description")


def photo(**kinds: bytes) -> Photo:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    return Photo(pixels, "PNG", xmp=kinds.get("xmp"))


def test_a_packet_names_the_source_type_and_the_tool() -> None:
    (description,) = descriptions(MADE.xmp())
    assert description.get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    assert SOURCE_TYPE.endswith("/compositeWithTrainedAlgorithmicMedia")
    assert description.get(f"{XMP}CreatorTool") == "limner 0.1.0"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
@pytest.mark.parametrize("existing", [None, EARLIER], ids=["new", "merged"])
@pytest.mark.parametrize("seed", [7, None])
def test_each_format_gives_back_what_was_written(
    tmp_path: Path, suffix: str, existing: bytes | None, seed: int | None
) -> None:
    made = Provenance(MADE.method, MADE.weights, seed, MADE.faces, MADE.version, invented=None if seed else 0.25)
    target = tmp_path / f"фото{suffix}"
    Photo(photo().pixels, "PNG", xmp=existing).save(target, provenance=made)
    assert read(target) == made


def test_sixteen_bit_png_carries_it_too(tmp_path: Path) -> None:
    Photo(photo().pixels.astype(np.uint16) * 257, "PNG").save(tmp_path / "a.png", provenance=MADE)
    assert read(tmp_path / "a.png") == MADE


def test_bmp_has_no_place_for_it(tmp_path: Path) -> None:
    photo().save(tmp_path / "a.bmp", provenance=MADE)
    assert read(tmp_path / "a.bmp") is None


def test_holes_that_were_filled_are_said(tmp_path: Path) -> None:
    made = replace(MADE, filled=0.031, mask="auto-black")
    photo().save(tmp_path / "a.png", provenance=made)
    assert read(tmp_path / "a.png") == made


def test_without_provenance_nothing_is_said(tmp_path: Path) -> None:
    photo().save(tmp_path / "a.jpg")
    assert read(tmp_path / "a.jpg") is None
    assert b"DigitalSourceType" not in (tmp_path / "a.jpg").read_bytes()


def test_merging_keeps_what_others_said_and_replaces_the_source_type() -> None:
    theirs, ours = descriptions(MADE.merged(EARLIER))
    assert theirs.findtext(f"{DC}title/{RDF}Alt/{RDF}li") == "Großmutter, 1911"
    assert theirs.get(f"{XMP}CreatorTool") == "Scanner 9"
    assert ours.get(f"{XMP}CreatorTool") is None
    assert theirs.get(f"{IPTC}DigitalSourceType") is None
    assert ours.get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE


def test_a_second_restoration_replaces_the_first() -> None:
    again = Provenance("refldm", "official", None, 1, "0.2.0")
    twice = again.merged(MADE.merged(EARLIER))
    assert twice.count(b"DigitalSourceType=") == 1
    assert b"difface" not in twice
    assert b"Scanner 9" in twice


def test_properties_that_another_program_wrote_as_elements_are_read(tmp_path: Path) -> None:
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF[1:-1]}">'
        '<rdf:Description rdf:about="" xmlns:l="urn:x-limner:provenance:1.0/"><l:method>difface</l:method>'
        "<l:weights>mini</l:weights><l:faces>2</l:faces><l:version>0.1.0</l:version></rdf:Description>"
        "</rdf:RDF></x:xmpmeta>"
    )
    photo(xmp=packet.encode()).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png") == Provenance("difface", "mini", None, 2, "0.1.0")
    # and replaced, too
    (ours,) = descriptions(MADE.merged(packet.encode()))
    assert ours.get("{urn:x-limner:provenance:1.0/}seed") == "7"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"not xml at all",
        EARLIER[:200],
        b"<x/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"\xff\xfe<\0x\0/\0>\0",
    ],
)
def test_a_malformed_packet_is_replaced(packet: bytes) -> None:
    assert MADE.merged(packet) == MADE.xmp().encode()


def test_incomplete_properties_are_no_provenance(tmp_path: Path) -> None:
    photo(xmp=MADE.xmp().replace('limner:faces="3"', 'limner:faces="many"').encode()).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png") is None


def test_reading_what_is_missing_or_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(PhotoError, match=r"b\.jpg does not exist: check the name\.$"):
        read(tmp_path / "b.jpg")
    with pytest.raises(PhotoError, match=r"a\.jpg is not a picture, whatever its name says: choose a photo\.$"):
        read(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match=r"is a folder: name a photo in it\.$"):
        read(tmp_path)


def test_a_photo_of_another_origin_says_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png") is None


def test_what_it_takes_to_make_a_result_again_is_kept(tmp_path: Path) -> None:
    made = Provenance(
        "difface", "mini", 7, 1, "0.1.0", 0, 0.5, "ab12", "auto", 2, 0, "ddim", '{"eta": 0.5, "mask": "<&>"}'
    )
    photo().save(tmp_path / "a.jpg", provenance=made)
    assert read(tmp_path / "a.jpg") == made
    (tmp_path / "b").write_text("photo")
    assert digest_of(tmp_path / "b") == hashlib.sha256(b"photo").hexdigest()
