"""Every format is opened without being decoded, and says its size and metadata."""

from pathlib import Path

import pytest
from PIL import Image, ImageFile

from limner.photo.photo import Photo
from limner.photo.read import opened_container

from .samples import XMP, exif, smooth


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif", ".heic", ".bmp"])
def test_opening_decodes_nothing(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a{suffix}"
    Photo(smooth(), "PNG", exif=exif().removeprefix(b"Exif\0\0"), xmp=XMP).save(path)
    for kind in (Image.Image, ImageFile.ImageFile):
        monkeypatch.setattr(kind, "load", lambda _: pytest.fail("decoded"))
    container = opened_container(path)
    assert container.size == (56, 40) and container.pages == 1
    assert (container.xmp is None) == (suffix == ".bmp") and (container.exif is None) == (suffix == ".bmp")
