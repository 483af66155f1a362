"""Monochrome photographs keep their tone: black and white stays so, sepia stays sepia.

A net that has learned from colour photographs paints pink lips on a sepia print. So the restored face gives
its lightness only, and the colour comes from the photograph: on a monochrome print every lightness has one
colour. Everything is measured in CIE L*a*b*, where distances are about what the eye sees.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

# A picture is judged at this size (px): averaging takes grain, noise and JPEG's coloured blocks away.
_SIDE = 64
_BINS = 24
_KNOTS = (np.arange(_BINS) + 0.5) * (100 / _BINS)

# Measured on 2,220 faces and 20 prints from 1850 to 1920, as distances to the tone curve. All but one per
# cent of a monochrome picture lies within 5.1, where the dullest colour photograph reaches 5.8.
_GREY_CHROMA = 2.0
_TONED_SPREAD = 5.4
# A strong or stained tone strays further, but in proportion to its chroma (0.45), along its hue rather than
# across it (0.31), and never as far as skin does from clothes (8). The nearest colour photograph has 0.52
# of its chroma.
_STRONG_SPREAD = 0.48
_STRONG_ACROSS = 0.35
_STRONG_MOST = 8.0


@dataclass(frozen=True, eq=False)
class Tone:
    """How a picture is coloured.

    Attributes:
        kind: "grey" (no colour at all), "toned" (one colour for each lightness: sepia, cyanotype, selenium)
            or "colour" (everything else).
        curve: (24, 2) float32, the a* and b* of L* = 100 (i + 0.5) / 24. Zero unless the kind is "toned".
    """

    kind: Literal["colour", "grey", "toned"]
    curve: np.ndarray

    def chroma(self, lightness: np.ndarray) -> np.ndarray:
        """The tone's a* and b*, (..., 2) float32, at lightnesses L* in [0, 100] of any shape."""
        return np.stack([np.interp(lightness, _KNOTS, c) for c in self.curve.T], axis=-1).astype(np.float32)


def tone(rgb: np.ndarray, around: tuple[float, float, float, float] | None = None) -> Tone:
    """Judge whether a picture is monochrome.

    Judge each face in its surroundings rather than the whole photo at once: a small coloured face in the
    snow would be lost in the photo's average, and one page may hold a sepia print beside a colour one.

    Args:
        rgb: (H, W, 3) uint8, sRGB.
        around: x0, y0, x1, y1 in px, the box of a face. What is judged then is twice the face, and at least
            256 px so that noise averages out. None judges the whole picture.

    Returns:
        The kind and, of a toned picture, its colour as a function of lightness.
    """
    height, width = rgb.shape[:2]
    if around is not None:
        x0, y0, x1, y1 = around
        reach = max(x1 - x0, y1 - y0, 128)
        x, y = min(max((x0 + x1) / 2, 0), width - 1), min(max((y0 + y1) / 2, 0), height - 1)
        return tone(rgb[max(0, int(y - reach)) : int(y + reach) + 1, max(0, int(x - reach)) : int(x + reach) + 1])

    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    lab = _lab(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255).reshape(-1, 3)
    # Near black and near white the gamut closes: there any picture looks grey, so those pixels tell nothing.
    inner = lab[(lab[:, 0] > 4) & (lab[:, 0] < 97)]
    lightness, ab = (inner[:, 0], inner[:, 1:]) if len(inner) else (lab[:, 0], lab[:, 1:])

    chroma = np.hypot(*ab.T)
    if np.percentile(chroma, 99) < _GREY_CHROMA:
        return Tone("grey", np.zeros((_BINS, 2), np.float32))

    toned = Tone("toned", _fit(lightness, ab))
    expected = toned.chroma(lightness)
    residual = ab - expected
    hue = expected / np.maximum(np.hypot(*expected.T), 3)[:, None]
    most, spread = np.percentile(np.hypot(*residual.T), (97, 99))
    across = np.percentile(np.abs(residual[:, 0] * hue[:, 1] - residual[:, 1] * hue[:, 0]), 99)
    strong = most < _STRONG_MOST and spread < _STRONG_SPREAD * chroma.mean() and across < _STRONG_ACROSS * chroma.mean()
    if spread < _TONED_SPREAD or strong:
        return toned
    return Tone("colour", np.zeros((_BINS, 2), np.float32))


def keep_tone(original: np.ndarray, restored: np.ndarray, tone: Tone) -> np.ndarray:
    """Give a restored crop the tone of the photograph that it came from.

    Args:
        original: (H, W, 3) float32 in [0, 1], sRGB: the crop before the restoration.
        restored: (H, W, 3) float32 in [0, 1], sRGB: the same crop after it.
        tone: of the photograph around that crop.

    Returns:
        (H, W, 3) float32 in [0, 1]: of a colour picture `restored` itself; of a grey one its luma in all
        three channels; of a toned one its lightness with the colour that the photograph has for that
        lightness, stains and fading in their places.
    """
    if tone.kind == "colour":
        return restored
    if tone.kind == "grey":
        luma = cv2.cvtColor(np.ascontiguousarray(restored, np.float32), cv2.COLOR_RGB2GRAY)
        return np.repeat(luma[..., None], 3, axis=2)
    before, after = _lab(original), _lab(restored)
    # What the curve leaves over, smoothed: stains and fading vary slowly; noise and JPEG's blocks do not.
    stain = before[..., 1:] - tone.chroma(before[..., 0])
    stain = cv2.GaussianBlur(stain, (0, 0), max(original.shape[:2]) / 16, borderType=cv2.BORDER_REFLECT)
    after[..., 1:] = tone.chroma(after[..., 0]) + stain
    return np.clip(cv2.cvtColor(after, cv2.COLOR_LAB2RGB), 0, 1)


def _lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2LAB)


def _fit(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """The median colour of each step of lightness; steps without pixels take from their neighbours."""
    step = np.minimum((lightness * (_BINS / 100)).astype(int), _BINS - 1)
    filled = np.unique(step)
    medians = np.array([np.median(ab[step == i], axis=0) for i in filled])
    curve = np.stack([np.interp(np.arange(_BINS), filled, m) for m in medians.T], axis=1)
    padded = np.pad(curve, ((1, 1), (0, 0)), mode="edge")
    return ((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4).astype(np.float32)
