"""How near a restored picture comes to its truth, pixel for pixel and as nets see it; how natural it looks; and whether
it agrees with its input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limner.evaluate.comparison import Comparison
from limner.evaluate.definitions.common import (
    ALL,
    ANYBODYS,
    EFFICIENTNET,
    LITE0,
    NOTHING,
    SCIKIT,
    SETS,
    TRUTH,
    UPWARDS,
)
from limner.evaluate.landmark_points import found_distance, given_distance
from limner.evaluate.metric import Metric, each
from limner.evaluate.metrics.colour import colour_shift
from limner.evaluate.metrics.consistency import consistency
from limner.evaluate.metrics.fidelity import psnr, psnr_y, ssim, ssim_rgb
from limner.evaluate.metrics.niqe import natural_faces, niqe
from limner.evaluate.metrics.perceptual import efficientnet_distance, perceptual_distance

DECIBELS = "dB, infinite for equal pictures"

PSNR = Metric(
    key="psnr",
    heading="PSNR dB",
    form=".2f",
    definition="peak signal-to-noise ratio over RGB, 8 bit, no border cropped",
    range=DECIBELS,
    larger_is_better=True,
    of=each(psnr),
    needs=TRUTH,
    protocols=ALL,
)
PSNR_Y = Metric(
    key="psnr_y",
    heading="PSNR Y",
    form=".2f",
    definition="peak signal-to-noise ratio of the luma",
    range=DECIBELS,
    larger_is_better=True,
    variant="BT.601 luma of the studio range, 16 to 235",
    of=each(psnr_y),
    needs=TRUTH,
    protocols=SETS,
    brief=False,
)
SSIM = Metric(
    key="ssim",
    heading="SSIM",
    form=".4f",
    definition="structural similarity of the luminance, 11 x 11 Gaussian window",
    range="-1 to 1",
    larger_is_better=True,
    variant="BT.601 luma of the full range",
    of=each(ssim),
    needs=TRUTH,
    protocols=ALL,
)
SSIM_RGB = Metric(
    key="ssim_rgb",
    heading="SSIM RGB",
    form=".4f",
    definition="structural similarity, mean of the three channels, 11 x 11 Gaussian window",
    range="-1 to 1",
    larger_is_better=True,
    of=each(ssim_rgb),
    needs=TRUTH,
    protocols=SETS,
    brief=False,
)
PERCEPTUAL = Metric(
    key="perceptual",
    heading="perceptual",
    form=".2f",
    definition="1,000 times the distance of features of the embedded autoencoder",
    range="0 to 4,000",
    larger_is_better=False,
    variant="mini/vqgan's encoder",
    licence="Apache-2.0",
    of=each(perceptual_distance),
    needs=TRUTH,
    factor=1000,
)
PERCEPTUAL_LITE0 = Metric(
    key="perceptual",
    heading="perceptual",
    form=".0f",
    definition="1,000 times the distance of EfficientNet-Lite0's features in the manner of LPIPS, which it is not",
    range="0 to 4,000",
    larger_is_better=False,
    variant=f"{LITE0}, five levels, no learned weights, pictures at their own size",
    licence="Apache-2.0",
    package=EFFICIENTNET,
    of=each(efficientnet_distance),
    needs=TRUTH,
    factor=1000,
    protocols=ALL,
)
NIQE = Metric(
    key="niqe",
    heading="NIQE",
    form=".2f",
    definition="distance of a picture's local statistics from those of photographs; needs no truth",
    range=UPWARDS,
    larger_is_better=False,
    variant="own fit on the project's training faces, see limner.evaluate.metrics.niqe",
    of=lambda seen: np.array([niqe(picture, natural_faces()) for picture in seen.pictures]),
    needs=NOTHING,
    protocols=SETS,
    brief=False,
)
COLOUR = Metric(
    key="colour",
    heading="dE2000",
    form=".2f",
    definition="mean colour difference, CIEDE2000",
    range=UPWARDS,
    larger_is_better=False,
    variant="scikit-image, sRGB under D65",
    package=SCIKIT,
    of=each(colour_shift),
    needs=TRUTH,
    protocols=SETS,
    brief=False,
)


def consistencies(seen: Comparison) -> np.ndarray:
    """`consistency` of each restored face with its input, (N,)."""
    trios = zip(seen.pictures, seen.inputs, seen.degradations, strict=True)
    return np.array([consistency(*trio) for trio in trios])


def given_distances(seen: Comparison) -> np.ndarray:
    """`given_distance` of each restored face, (N,)."""
    return np.array([given_distance(a, *points) for a, points in zip(seen.pictures, seen.points, strict=True)])


CONSISTENCY = Metric(
    key="consistency",
    heading="consistency dB",
    form=".2f",
    definition="PSNR between the restored picture, degraded once more in the same way, and the input",
    range="dB, infinite for the truth",
    larger_is_better=True,
    variant="with the very noise that the input has, or with none where that isn't known",
    of=consistencies,
    needs=frozenset({"input", "degradation"}),
    protocols=SETS,
    brief=False,
)
LANDMARKS = Metric(
    key="landmarks",
    heading="landmarks",
    form=".2f",
    definition="mean distance of five landmarks from the truth's, in px of a face of 512; of faces found in both",
    range=UPWARDS,
    larger_is_better=False,
    variant="limner's finder in both pictures",
    of=each(found_distance),
    needs=TRUTH,
    protocols=(ANYBODYS,),  # the finder takes longer than restoring does
    brief=False,
)
GIVEN_LANDMARKS = Metric(
    key="given_landmarks",
    heading="given landmarks",
    form=".2f",
    definition="mean distance of landmarks from the given true ones, in px of a face of 512",
    range=UPWARDS,
    larger_is_better=False,
    variant="the given points, or five by limner's finder where those of the restored pictures aren't given",
    of=given_distances,
    needs=frozenset({"points"}),
    protocols=(ANYBODYS,),
    brief=False,
)

NEARNESS: Sequence[Metric] = (PSNR, PSNR_Y, SSIM, SSIM_RGB, PERCEPTUAL_LITE0, NIQE)
LIKE_ITS_SOURCES: Sequence[Metric] = (COLOUR, CONSISTENCY, LANDMARKS, GIVEN_LANDMARKS)
