"""TIFF's compressions of bytes."""

import lzma
import zlib

import imagecodecs
import pytest

from limner.photo.compression import unpacked

PLAIN = bytes(range(200)) * 300


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (1, PLAIN),
        (5, imagecodecs.lzw_encode(PLAIN)),
        (8, zlib.compress(PLAIN)),
        (32773, imagecodecs.packbits_encode(PLAIN)),
        (34925, lzma.compress(PLAIN)),
    ],
)
@pytest.mark.parametrize("length", [len(PLAIN), 1000])
def test_so_many_bytes_and_no_more(number: int, data: bytes, length: int) -> None:
    assert unpacked(bytes(data), number, length) == PLAIN[:length]
