"""16 bits a channel, which Pillow reduces to 8 without a word."""

import numpy as np


def decode(png: bytes) -> np.ndarray:
    """The pixels of a 16-bit PNG that holds nothing but its picture, as OpenCV reads them.

    Returns:
        (H, W, C) uint16 in RGB order with C = 1, 3 or 4.

    Raises:
        ValueError: OpenCV can't read it.
    """
    import cv2  # only files of 16 bit need it, and the command line should begin at once

    try:
        pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError("damaged") from error
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("damaged")
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return pixels if pixels.shape[2] == 1 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def eight_bit(values: np.ndarray) -> np.ndarray:
    """uint16 of any shape rounded to uint8; uint8 stays as it is."""
    return values if values.dtype == np.uint8 else ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
