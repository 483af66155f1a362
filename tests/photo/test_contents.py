"""What is kept of a photograph's file."""

from dataclasses import fields

import numpy as np
import pytest
from PIL import Image

from limner.photo.contents import SUFFIXES, Contents
from limner.photo.photo import Photo

from .samples import random_pixels


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_written_in_its_format_and_read_again(tmp_path, suffix):
    Photo(random_pixels(), "PNG").save(tmp_path / f"a{suffix.upper()}")
    if SUFFIXES[suffix] != "HEIF":  # which Pillow doesn't know
        with Image.open(tmp_path / f"a{suffix.upper()}") as image:
            assert image.format == SUFFIXES[suffix]
    assert Photo.open(tmp_path / f"a{suffix.upper()}").format == SUFFIXES[suffix]


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535)])
def test_white_has_the_largest_value(dtype, peak):
    assert Contents(random_pixels(dtype), "PNG").peak == peak


def test_a_photo_says_what_every_field_is():
    assert Photo.__doc__ is not None
    for field in fields(Contents):
        assert f"\n        {field.name}: " in Photo.__doc__
