"""ICC profiles: from a photo's own colour space to sRGB and back.

LittleCMS, as Pillow has it, works in 8 bit. That is enough for what detectors and nets see and for a
restored face; pixels that nobody restored never pass through here.
"""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

# NOCACHE, because lcms' cache of the last colour is not safe between threads.
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def rgb_image(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Converts a picture in CMYK or L*a*b* to sRGB.

    Args:
        image: in the mode CMYK or LAB.
        icc: the file's profile, for CMYK; without a usable one Pillow's plain formula serves.

    Returns:
        An RGB picture.
    """
    srgb = ImageCms.createProfile("sRGB")
    try:
        if image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        elif icc:
            source = ImageCms.ImageCmsProfile(BytesIO(icc))
        else:
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, srgb, _INTENT, "RGB", flags=_FLAGS)
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    return converted or image.convert("RGB")


@lru_cache(maxsize=16)
def transform(icc: bytes | None, grey: bool, forward: bool) -> ImageCms.ImageCmsTransform | None:
    """The conversion between a profile's colour space and sRGB.

    Args:
        icc: the profile; None means sRGB.
        grey: whether the photo has a single colour channel, for which alone a grey profile holds.
        forward: to sRGB, else back.

    Returns:
        None if the profile is sRGB in effect, damaged, or for other pixels.
    """
    if icc is None:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        space = getattr(profile.profile, "xcolor_space", "").strip()
        if space != "RGB" and not (grey and space == "GRAY"):
            return None
        mode, srgb = ("RGB" if space == "RGB" else "L"), ImageCms.createProfile("sRGB")
        to_srgb = ImageCms.buildTransform(profile, srgb, mode, "RGB", _INTENT, _FLAGS)
        steps = np.linspace(0, 255, 18).round().astype(np.uint8)
        probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(18, -1, 3)
        if mode == "L":
            probe = np.repeat(probe[..., :1], 3, axis=2)
        if np.abs(apply(to_srgb, probe).astype(int) - probe).max() <= 2:
            return None
        return to_srgb if forward else ImageCms.buildTransform(srgb, profile, "RGB", mode, _INTENT, _FLAGS)
    except (ImageCms.PyCMSError, OSError):
        return None


def apply(by: ImageCms.ImageCmsTransform, rgb: np.ndarray) -> np.ndarray:
    """Converts pixels, (H, W, 3) uint8 to the same; a grey space takes the first channel and gives three equal ones."""
    image = Image.fromarray(np.ascontiguousarray(rgb[..., 0] if by.input_mode == "L" else rgb))
    result = np.asarray(by.apply(image))
    return np.repeat(result[..., None], 3, axis=2) if result.ndim == 2 else result


def converted(values: np.ndarray, by: ImageCms.ImageCmsTransform | None) -> np.ndarray:
    """Converts float pixels in steps of 1/255.

    Args:
        values: (H, W, 3) float32 in [0, 1].
        by: the conversion; with None the values stay exactly as they are.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    if by is None:
        return values.astype(np.float32, copy=False)
    eight_bit = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return apply(by, eight_bit).astype(np.float32) / 255
