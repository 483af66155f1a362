"""Pictures of Pillow's and arrays as photographs, and back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo

from .samples import XMP, exif, random_pixels, smooth, wide_gamut


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_picture_of_pillows_is_the_photo_that_its_file_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(smooth()).save(path, exif=exif(orientation=6), icc_profile=wide_gamut(), dpi=(300, 300), xmp=XMP)
    file, memory = Photo.open(path), Photo.of(Image.open(path))
    assert memory.pixels.shape == (56, 40, 3)
    np.testing.assert_array_equal(memory.pixels, file.pixels)
    np.testing.assert_array_equal(memory.srgb(), file.srgb())
    assert memory.icc == file.icc and memory.dpi == file.dpi and memory.format == file.format
    assert memory.path is None and bool(memory.exif) == (suffix != ".tif")  # Pillow's `info` has none of a TIFF
    if suffix in (".jpg", ".webp"):  # Pillow writes no XMP into the others
        assert memory.xmp and b"Nadar" in memory.xmp


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_modes_of_pillow(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(random_pixels(np.uint16)[..., 0])
    else:
        image = Image.fromarray(smooth(channels=4 if mode == "RGBA" else 3)).convert(mode)
    photo = Photo.of(image)
    assert photo.pixels.shape[:2] == image.size[::-1]
    assert photo.grey == (mode in ("1", "L", "LA", "I;16")) and (photo.alpha is not None) == (mode in ("LA", "RGBA"))
    assert photo.pixels.dtype == (np.uint16 if mode == "I;16" else np.uint8)
    if mode in ("L", "LA", "RGB", "RGBA"):
        again = photo.image()
        assert again.mode == mode
        np.testing.assert_array_equal(np.asarray(again), np.asarray(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4)])
def test_arrays(dtype: type, shape: tuple[int, ...]) -> None:
    array = random_pixels(dtype, shape)
    photo = Photo.of(array[:, ::-1])  # the steps between its values may be anything
    colours = array.reshape(20, 30, -1)[:, ::-1, : 3 if shape[-1] in (3, 4) else 1]
    np.testing.assert_array_equal(photo.pixels, np.broadcast_to(colours, (20, 30, 3)))
    assert photo.pixels.dtype == dtype and photo.grey == (colours.shape[2] == 1)
    assert (photo.alpha is not None) == (shape[-1] == 4)
    before = photo.pixels.copy()
    array[:] = 0
    np.testing.assert_array_equal(photo.pixels, before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_lose_nothing_that_had_eight_bits(dtype: type) -> None:
    array = random_pixels()
    photo = Photo.of((array / 255).astype(dtype))
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(photo.srgb(), array)


def test_a_photo_stays_itself_and_a_path_is_read(tmp_path: Path) -> None:
    photo = Photo(smooth(), "PNG")
    assert Photo.of(photo) is photo
    photo.save(tmp_path / "a.png")
    assert Photo.of(tmp_path / "a.png").path == Photo.of(str(tmp_path / "a.png")).path == tmp_path / "a.png"
    with pytest.raises(PhotoError, match="claims 56x40 px, more than the limit of 0.001 megapixels"):
        Photo.of(tmp_path / "a.png", max_megapixels=0.001)


def test_a_profile_goes_back_to_pillow() -> None:
    image = Photo(smooth(), "PNG", icc=wide_gamut()).image()
    assert Photo.of(image).icc == wide_gamut() == image.info["icc_profile"]


def cut_short(tmp_path: Path) -> Image.Image:
    Image.fromarray(random_pixels(shape=(200, 200, 3))).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:20_000])
    return Image.open(tmp_path / "b.png")


BAD = {
    "bytes": (b"JPEG", "A photo can't be made of bytes: give a path, a Photo, a picture of Pillow's or a NumPy array."),
    "tensor": (torch.zeros(3, 8, 8), "A photo can't be made of Tensor: give a path"),
    "None": (None, "A photo can't be made of NoneType: give a path"),
    "0 to 255": (255.0 * np.ones((8, 8, 3)), r"floats from 255 to 255, and not in \[0, 1\]: divide 0 to 255 by 255"),
    "-1 to 1": (
        np.linspace(-1, 1, 192).reshape(8, 8, 3),
        r"floats from -1 to 1, and not .* halve -1 to 1",
    ),
    "nan": (np.full((8, 8, 3), np.nan), r"floats from nan to nan, and not in \[0, 1\]"),
    "channels first": (
        np.zeros((3, 8, 8), np.uint8),
        r"shape \(3, 8, 8\): give \(H, W\) for grey, \(H, W, 3\)",
    ),
    "a batch": (np.zeros((1, 8, 8, 3), np.uint8), r"shape \(1, 8, 8, 3\): give \(H, W\) for grey"),
    "a line": (np.zeros(8, np.uint8), r"shape \(8,\): give \(H, W\) for grey"),
    "empty": (np.zeros((0, 8, 3), np.uint8), r"shape \(0, 8, 3\): give \(H, W\) for grey"),
    "int64": (np.zeros((8, 8, 3), np.int64), r"an array of int64: give uint8, uint16, or floats in \[0, 1\]\."),
    "bool": (np.zeros((8, 8), bool), r"an array of bool: give uint8"),
    "mode F": (Image.new("F", (8, 8)), "The picture holds F pixels, which limner doesn't read: save it with 8 or 16"),
    "mode I": (Image.new("I", (8, 8)), "The picture holds I pixels, which limner doesn't read"),
    "no pixels": (Image.new("RGB", (0, 8)), "The picture is a damaged or truncated PNG: get a whole copy of it."),
    "cut short": (cut_short, "The picture is a damaged or truncated PNG: get a whole copy of it."),
}


@pytest.mark.parametrize(("picture", "sentence"), BAD.values(), ids=BAD)
def test_what_is_no_photograph_is_told_in_a_sentence(picture: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=sentence) as error:
        Photo.of(picture(tmp_path) if callable(picture) else picture)  # pyright: ignore
    assert "\n" not in str(error.value)
