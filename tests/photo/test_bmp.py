"""BMP: with alpha too."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo

from .samples import encoded, random_pixels, smooth, write


@pytest.mark.parametrize("grey", [False, True])
def test_alpha_is_kept(tmp_path: Path, grey: bool) -> None:
    four = random_pixels(shape=(21, 30, 4))
    colours = np.repeat(four[..., :1], 3, axis=2) if grey else four[..., :3]
    Photo(colours, "BMP", four[..., 3], grey=grey, dpi=(300, 200)).save(tmp_path / "a.bmp")
    again = Photo.open(tmp_path / "a.bmp")
    assert (again.pixels == colours).all() and again.alpha is not None and (again.alpha == four[..., 3]).all()
    assert again.dpi == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_mode(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(smooth()).convert(mode)
    photo = Photo.open(write(tmp_path / "a.bmp", encoded(image, "BMP")))
    assert (photo.pixels == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("grey", [True, False])
def test_runs(tmp_path: Path, bits: int, grey: bool) -> None:
    """Two rows from below: a run and single pixels; four pixels passed over and a run that is too long."""
    first = b"\3\x77\0\5" + (bytes([1, 2, 3, 4, 5, 0]) if bits == 8 else b"\x12\x34\x50\0") + b"\0\0"
    packed = first + b"\0\2\4\0" + b"\x09\x66" + b"\0\1"
    colours = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1) * (1 if grey else [1, 2, 3, 0])
    palette = colours.astype(np.uint8)[: 1 << bits]
    start = 54 + palette.nbytes
    head = struct.pack("<IiiHHIIiiII", 40, 8, 2, 1, bits, 1 if bits == 8 else 2, len(packed), 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", start + len(packed), 0, 0, start) + head + palette.tobytes() + packed
    photo = Photo.open(write(tmp_path / "a.bmp", data))
    run, over = (0x77, 0x66) if bits == 8 else (7, 6)
    indices = np.array([[0, 0, 0, 0, over, over, over, over], [run, run, run, 1, 2, 3, 4, 5]])
    assert (photo.pixels == palette[indices][..., 2::-1]).all() and photo.grey == grey
    with pytest.raises(PhotoError, match="damaged or truncated BMP"):
        Photo.open(write(tmp_path / "b.bmp", data[: start + 4]))
