"""IPTC among Photoshop's resources."""

import struct

from limner.photo.iptc import iptc_of, resources


def test_it_is_found_among_others_and_written_alone() -> None:
    other = b"8BIM" + struct.pack(">H", 1036) + b"\x03abc" + struct.pack(">I", 5) + b"thumb\0"
    assert iptc_of(other + resources(b"words")) == b"words"
    assert iptc_of(other) is None and iptc_of(b"") is None and iptc_of(b"8BIM\x04\x04") is None
    assert iptc_of(other[:10]) is None and iptc_of(b"8BIM\x04\x04\xff" + bytes(9)) is None
