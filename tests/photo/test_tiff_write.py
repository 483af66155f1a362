"""TIFF as limner writes it, read by others."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import tifffile

from limner import Photo
from limner.photo.tiff_write import encode_tiff

from .samples import exif, random_pixels, wide_gamut


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tifffile_reads_the_same(depth: type, channels: int) -> None:
    pixels = random_pixels(depth, (21, 31, channels))
    said = {"icc": wide_gamut(), "exif": exif().removeprefix(b"Exif\0\0"), "iptc": b"caption"}
    data = encode_tiff(pixels, **said, description="hello", dpi=(300, 150))
    with tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        assert (page.asarray().reshape(pixels.shape) == pixels).all() and page.predictor == 2
        assert page.extrasamples == ((2,) if channels in (2, 4) else ())
        assert page.tags.valueof(34675) == wide_gamut() and page.tags.valueof(33723) == b"caption"
        assert page.tags.valueof(270) == "hello" and page.tags.valueof(34665)["DateTimeOriginal"]
        assert page.tags.valueof(282)[0] / page.tags.valueof(282)[1] == 300


@pytest.mark.parametrize(("size", "told"), [((21, 31), True), ((42, 62), False)])
def test_the_shape_that_tifffile_told_goes_where_the_size_changed(tmp_path, caplog, size, told) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", random_pixels(np.uint16, (21, 31, 3)), photometric="rgb")
    photo = Photo.open(tmp_path / "scan.tif")
    replace(photo, pixels=random_pixels(np.uint16, (*size, 3))).save(tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.series[0].shape == (*size, 3) and ("shape" in file.pages.first.description) == told
    assert not caplog.records
