"""The photograph's grain: measured around a face and laid over the restored one, which is too smooth without it.

Grain is told from all else by what it is: everywhere, without direction, and never coarser than blurred white noise.
So small windows are looked at in the Fourier plane. In each the median over all directions passes over edges, hair, a
halftone's screen and JPEG's grid, which lie on few frequencies; then the flattest windows count, as in the noise
estimators of Liu, Tanaka and Okutomi (2013) and Pyatykh, Hesser and Zheng (2013), corrected for what choosing the
flattest takes off; then what the spectrum of blurred white noise cannot explain is content and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from limner.faces.tone import tone

OCTAVES = 4  # periods of 2 to 4, 4 to 8, 8 to 16 and 16 to 32 pixels
KNOTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # lightness at which the strength is measured, luma in [0, 1]

_WINDOW = 32  # pixels: the longest period once
_STEP = 8  # between windows
_FEWEST = 12  # windows, about 60 x 50 pixels: what fewer say is chance
_MOST = (240, 120)  # windows around the face and on it that are looked at
_CLIPPED = 0.05  # share of black or white pixels from which a window is left out: grain ends there

# The mean of the channels and two differences, orthogonal: noise of each channel's own is independent in them too.
_TO_PLANES = np.array([[1, 1, 1], [1.5**0.5, 0, -(1.5**0.5)], [0.5**0.5, -(2**0.5), 0.5**0.5]]) / 3
_FROM_PLANES = 3 * _TO_PLANES.T

# Radii in the Fourier plane of a window between which the median is taken, and the octave of each ring. They are
# narrow because within an octave a blurred grain's power falls much.
_RADII = (1, 2, 3, 4, 6, 8, 11, 16, 23)
_OCTAVE_OF_RING = (3, 2, 2, 1, 1, 0, 0, 0)

# The flattest tenth of the windows says how much grain there is. Where two windows in five have little more, up to so
# many times the deviation, that is the grain: JPEG takes the finest from some blocks and leaves it in others. What
# these quantiles of white noise's power are of its mean, by octave, comes from 40,000 windows.
_LOW, _USUAL = 0.10, 0.40
_SPREAD = np.array([1.6, 1.35, 1.2, 1.2])
_LOW_OF_MEAN = np.array([0.873, 0.740, 0.579, 0.303])
_USUAL_OF_MEAN = np.array([0.981, 0.963, 0.943, 0.762])

# Grain is believed to be so many times stronger from one knot to the next, as on most of 20 old prints; what only the
# dark places have, say, is hair. Film has least in black and white, so the knots at the ends bind the others less.
_SLOPE = 1.6
_END = 1.5
_FACE = 1.1  # times as much as the face itself had where it was as light

# Blurred white noise has a certain part of an octave's deviation in the next coarser one. So many times that part is
# believed; the rest is light and shade. Of them a finer octave has at most half the variance of the next coarser one.
_COARSE = 1.25
_SHADE = 2.0
_STEEPEST = (10.0, 3.0)  # from the finest octave to the next, luma and chroma: blurs of 1.8 and 1.1 pixels
_CERTAIN = 0.5  # with a smaller part of grain in the variance, a lightness has no flat places that tell

_ROUNDING = 1 / 12 / 255**2  # variance of 8-bit rounding, which is white
_SEEN = 0.7 / 255  # grain of a smaller deviation isn't worth adding
_FADE = 0.04  # of full scale below white and above black, where grain ends


@dataclass(frozen=True, eq=False)
class Grain:
    """How strong and how coarse a photograph's grain is, and where.

    Attributes:
        deviations: (4, 2) float32, in units of full scale: the standard deviation of the grain whose periods are 2 to
            4, 4 to 8, 8 to 16 and 16 to 32 pixels, of the luma, here the channels' mean, and of the chroma: the two
            differences (R - B) / 6^0.5 and (R - 2 G + B) / 18^0.5, which noise of each channel's own has in equal
            parts with the mean. The octaves don't overlap: the squares add up to the variance. 0 is no grain.
        strengths: (5,) float32: by how much to multiply them where the luma is 0.1, 0.3, 0.5, 0.7 and 0.9.
    """

    deviations: np.ndarray
    strengths: np.ndarray

    def less(self, there: Grain) -> Grain:
        """The grain that has to be added where some is `there`; independent grains add up in their squares."""
        return Grain(np.sqrt(np.maximum(self.deviations**2 - there.deviations**2, 0)), self.strengths)


def measure_grain(photo: np.ndarray, where: np.ndarray) -> Grain:
    """Measure the grain around a face.

    Args:
        photo: (H, W, 3) float32 in [0, 1], sRGB, at the photo's own resolution, before anything is pasted: a rectangle
            around the face, best half as wide again as the aligned crop and at least 160 pixels.
        where: (H, W) bool: the surroundings, which will not be pasted over. They are measured. The rest must still be
            the degraded face. It had the same grain, so of what is around it, it says what is too much to be grain.

    Returns:
        The grain; of a monochrome photo in luma only. Zero if there is less than can be seen, or if the surroundings
        hold less than 12 windows of 32 x 32 pixels, 8 apart, that are neither black nor white.
    """
    if min(photo.shape[:2]) < _WINDOW:
        return _none()
    windows, around = _windows(photo, where)
    if around.sum() < _FEWEST:
        return _none()
    powers = np.zeros((len(windows), OCTAVES, 2))
    powers[..., 0] = _powers(windows[..., 0])
    if tone(np.rint(photo * 255).astype(np.uint8)).kind == "colour":
        powers[..., 1] = (_powers(windows[..., 1]) + _powers(windows[..., 2])) / 2
    lightness = windows[..., 0].mean((1, 2))
    knot = np.abs(lightness[:, None] - KNOTS).argmin(1)

    levels, most, counts = _by_lightness(powers[around], knot[around])
    if not _certain(levels, most).any():  # all together have more flat windows than each lightness
        knot[around] = np.bincount(knot[around]).argmax()
        levels, most, counts = _by_lightness(powers[around], knot[around])
    possible = np.minimum(most, _FACE**2 * _by_lightness(powers[~around], knot[~around])[1])
    steps = np.abs(np.arange(len(KNOTS))[:, None] - np.arange(len(KNOTS)))
    binding = possible * np.array([_END, 1, 1, 1, _END]) ** 2
    possible = np.minimum(possible, (_SLOPE ** (2 * steps) * binding).min(1))

    # Every lightness has its level and all share one spectrum, to which those that overstate the level add less. Of a
    # lightness that the face alone has, its own grain says only what is too much.
    known = _certain(levels, most) if _certain(levels, most).any() else counts > 0
    totals = _total(levels)
    believed = np.minimum(totals, possible)
    weights = (counts * believed / np.maximum(totals, 1e-12) ** 2)[known]
    spectrum = np.tensordot(weights, levels[known], 1)
    base = np.average(believed[known], weights=counts[known])
    level = spectrum * base / max(_total(spectrum), 1e-12)
    nearest = np.interp(KNOTS, KNOTS[known], believed[known])
    strengths = np.sqrt(np.minimum(nearest, possible) / max(base, 1e-12))

    deviations = np.sqrt(level)
    if np.sqrt((deviations**2).sum()) < _SEEN:
        return _none()
    return Grain(deviations.astype(np.float32), strengths.astype(np.float32))


def add_grain(picture: np.ndarray, grain: Grain, share: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Lay grain over a picture.

    Args:
        picture: (H, W, 3) float32 in [0, 1], sRGB, at the photo's resolution.
        grain: as `measure_grain` gives it.
        share: (H, W) float32 in 0..1: how much of the grain is missing at each pixel, as a share of its deviation.
            Where a smooth face was blended in with weight w that is w. Independent grains add up in their squares, so
            sqrt(1 - (1 - share)^2) of new grain is added, and the seam has as much as either side.
        generator: of the noise; from the same state come the same pixels.

    Returns:
        (H, W, 3) float32 in [0, 1]; what leaves the range is clipped. Where `share` is 0 every bit is as it was.
    """
    if not grain.deviations.any():
        return picture.copy()
    luma = cv2.transform(picture, _TO_PLANES[:1])
    strength = np.interp(luma, KNOTS, grain.strengths).astype(np.float32)
    strength *= np.clip(np.minimum(luma, 1 - luma) / np.float32(_FADE), 0, 1)
    strength *= np.sqrt(np.clip(share * (2 - share), 0, 1))
    added = _noise(luma.shape, grain.deviations[:, 0], generator)
    if grain.deviations[:, 1].any():
        chroma = [_noise(luma.shape, grain.deviations[:, 1], generator) for _ in range(2)]
        added = cv2.transform(np.dstack([added, *chroma]), _FROM_PLANES)
    else:
        added = added[..., None]
    return np.clip(picture + added * strength[..., None], 0, 1)


def _none() -> Grain:
    return Grain(np.zeros((OCTAVES, 2), np.float32), np.ones(len(KNOTS), np.float32))


def _windows(photo: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows that lie wholly around the face or wholly on it, (N, 32, 32, 3) of the planes, and which are around."""
    last = (photo.shape[0] - _WINDOW + 1, photo.shape[1] - _WINDOW + 1)

    def share(mask: np.ndarray) -> np.ndarray:
        size = (_WINDOW, _WINDOW)
        mean = cv2.boxFilter(mask.astype(np.float32), -1, size, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        return mean[: last[0] : _STEP, : last[1] : _STEP]

    within = cv2.inRange(photo, (2 / 255,) * 3, (253 / 255,) * 3) > 0
    usable, outside = share(within) > 1 - _CLIPPED, share(where)
    chosen = []
    for places, most in zip((outside > 0.95, outside < 0.05), _MOST, strict=True):
        rows = np.argwhere(places & usable) * _STEP
        chosen.append(rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)])
    y, x = np.concatenate(chosen).T
    planes = cv2.transform(photo, _TO_PLANES)
    windows = np.lib.stride_tricks.sliding_window_view(planes, (_WINDOW, _WINDOW), axis=(0, 1))[y, x]
    return np.moveaxis(windows, 1, -1), np.arange(len(y)) < len(chosen[0])


@lru_cache(maxsize=1)
def _rings() -> list[tuple[np.ndarray, int, int]]:
    """Of each ring: its places in the flattened half plane of `rfft2`, its size in the whole plane, its octave."""
    down = np.fft.fftfreq(_WINDOW) * _WINDOW
    across = np.arange(_WINDOW // 2 + 1)
    whole, half = np.hypot(down[:, None], down), np.hypot(down[:, None], across)
    half[(down[:, None] < 0) & (across % (_WINDOW // 2) == 0)] = 0  # these columns hold their numbers twice
    return [
        (np.flatnonzero((half >= low) & (half < high)), int(((whole >= low) & (whole < high)).sum()), octave)
        for low, high, octave in zip(_RADII[:-1], _RADII[1:], _OCTAVE_OF_RING, strict=True)
    ]


def _shares() -> np.ndarray:
    """The share of white noise's variance in each octave, (4,)."""
    shares = np.zeros(OCTAVES)
    for _, size, octave in _rings():
        shares[octave] += size / _WINDOW**2
    return shares


def _powers(windows: np.ndarray) -> np.ndarray:
    """The variance in each octave of windows (N, 32, 32) without directed structure, (N, 4)."""
    ramp = (np.arange(_WINDOW, dtype=np.float32) - (_WINDOW - 1) / 2) / np.float32(np.sqrt(_WINDOW**2 - 1) / 12**0.5)
    flat = windows - windows.mean((1, 2), keepdims=True)  # a slope of light would leak into the coarse octaves
    flat -= (flat.mean(1) @ ramp)[:, None, None] / _WINDOW * ramp
    flat -= (flat.mean(2) @ ramp)[:, None, None] / _WINDOW * ramp[:, None]
    hann = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    taper = hann[:, None] * hann
    spectra = np.fft.rfft2(flat * taper)
    spectra = (spectra.real**2 + spectra.imag**2).reshape(len(windows), -1)
    # |F|^2 of noise is exponentially distributed, whose median is ln 2 of the mean.
    scale = 1 / (_WINDOW**2 * float((taper**2).sum()) * np.log(2))
    powers = np.zeros((len(windows), OCTAVES))
    for places, size, octave in _rings():
        powers[:, octave] += scale * size * np.median(spectra[:, places], axis=1)
    return powers


def _by_lightness(powers: np.ndarray, knot: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the windows at each knot: the grain's variances (5, 4, 2), how much it is at most (5,), how many they are.

    Where there are too few, the variances are 0 and the most is infinite.
    """
    counts = np.bincount(knot, minlength=len(KNOTS))
    counts[counts < _FEWEST] = 0
    levels, most = np.zeros((len(KNOTS), OCTAVES, 2)), np.full(len(KNOTS), np.inf)
    for k in np.flatnonzero(counts):
        low, usual = np.quantile(powers[knot == k], (_LOW, _USUAL), axis=0)
        level = np.minimum(low * (_SPREAD**2 / _LOW_OF_MEAN)[:, None], usual / _USUAL_OF_MEAN[:, None])
        level = np.maximum(level - _ROUNDING * _shares()[:, None], 0)
        limited = np.stack([_limited(level[:, plane], _STEEPEST[plane]) for plane in range(2)], 1)
        most[k] = _total(limited)
        shade = (level[3, 0] - limited[3, 0]) * _SHADE ** -np.arange(3, -1, -1)
        rest = _limited(np.maximum(level[:, 0] - shade, 0), _STEEPEST[0])
        levels[k] = limited * _total(rest[:, None]) / max(most[k], 1e-12)
        levels[k, :, 0] = rest
    return levels, most, counts


def _certain(levels: np.ndarray, most: np.ndarray) -> np.ndarray:
    """At which knots the windows are flat enough to tell, (5,) bool."""
    return np.isfinite(most) & (_total(levels) >= _CERTAIN * most)


def _total(level: np.ndarray) -> np.ndarray:
    """The variance of the luma, of (..., 4, 2), without the coarsest octave, which shows more shading than grain."""
    return level[..., :3, 0].sum(-1)


def _limited(variances: np.ndarray, steepest: float) -> np.ndarray:
    """Variances of the octaves, (4,), with no more in the two coarse ones than grain can have.

    The deviations of white noise that was blurred by any Gaussian go from octave to octave by factors that foretell the
    next: r' = 0.45 + 0.155 r and then r'' = 0.42 + 0.185 r'. In content they don't decrease at all.
    """
    finest, fine, coarse, coarsest = np.sqrt(variances)
    ratio = min(fine / max(finest, 1e-9), steepest)
    ratio = min(coarse / max(fine, 1e-9), _COARSE * (0.45 + 0.155 * ratio))
    coarse = fine * ratio
    coarsest = min(coarsest, coarse * _COARSE * (0.42 + 0.185 * ratio))
    return np.square([finest, fine, coarse, coarsest])


def _noise(shape: tuple[int, ...], deviations: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gaussian noise, (H, W) float32, with these deviations in the octaves."""
    height, width = (cv2.getOptimalDFTSize(side) for side in shape)  # prime sides take ten times as long
    white = np.fft.rfft2(generator.standard_normal((height, width), np.float32))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.arange(width // 2 + 1) / width)
    # A table of the gain, because interpolating it anew at each frequency takes longer than the transforms.
    tabled = np.log2(np.maximum(np.arange(1025) / 1024, 1e-6))
    table = np.interp(tabled, *_gain(tuple(deviations.tolist()))).astype(np.float32)
    gain = table[(frequency * np.float32(1024)).astype(np.int32)]
    return np.fft.irfft2(white * gain, (height, width))[: shape[0], : shape[1]].astype(np.float32)


@lru_cache(maxsize=8)
def _gain(deviations: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """By what to multiply white noise at which frequency, to interpolate: log2 of cycles a pixel, and the factors.

    The octaves have no steps between them, and each has its own deviation.
    """
    axis = np.fft.fftfreq(256)
    frequency = np.log2(np.maximum(np.hypot(axis[:, None], axis).ravel(), 1e-6))
    octave = np.clip(np.floor(-1 - frequency), 0, OCTAVES).astype(int)
    middles = -np.log2([64, 45, 22.6, 11.3, 5.66, 2.6])
    wanted = np.square(deviations)
    gains = np.sqrt(wanted * len(octave) / np.bincount(octave)[:OCTAVES])
    for _ in range(8):
        heights = np.array([0, gains[3], *gains[::-1]])
        powers = np.interp(frequency, middles, heights) ** 2 / len(octave)
        got = np.bincount(octave, powers)[:OCTAVES]
        gains = gains * np.sqrt(wanted / np.maximum(got, 1e-20))
    return middles, np.array([0, gains[3], *gains[::-1]])
