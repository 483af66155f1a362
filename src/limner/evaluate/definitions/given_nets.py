"""What is measured through nets and models that limner can't ship: the user gives their files, and each file is checked
for being the very net that the metric's name promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.definitions.common import NOTHING, SETS, TRUTH, UPWARDS
from limner.evaluate.definitions.distances import Distances
from limner.evaluate.definitions.identity import Recognised
from limner.evaluate.extractors import Extractor, inception_v3, recogniser
from limner.evaluate.metric import Metric, SetMetric, each
from limner.evaluate.metrics.dists import load_dists
from limner.evaluate.metrics.lpips import Variant, load_lpips
from limner.evaluate.metrics.niqe import load_model, niqe
from limner.nets.inception import FEATURES
from limner.photo.provenance import digest_of
from limner.weights.formats import arcface

THEIRS = "the authors'; the user's file"


@dataclass(frozen=True)
class GivenNet:
    """What a file of the user's adds to the measures."""

    metrics: tuple[Metric, ...] = ()
    set_metrics: tuple[SetMetric, ...] = ()
    extractors: tuple[Extractor, ...] = ()


def _lpips(variant: Variant, backbone: Path, linear: Path) -> GivenNet:
    net = load_lpips(variant, backbone, linear)
    metric = Metric(
        key=f"lpips_{variant}",
        heading=f"LPIPS {variant.capitalize() if variant != 'vgg' else 'VGG'}",
        form=".4f",
        definition="learned perceptual distance of features, version 0.1",
        range=UPWARDS,
        larger_is_better=False,
        variant=f"{variant}, pictures at their own size; {named(backbone, linear)}",
        licence=THEIRS,
        of=each(net),
        needs=TRUTH,
        protocols=SETS,
    )
    return GivenNet((metric,))


def _dists(backbone: Path, weights: Path) -> GivenNet:
    metric = Metric(
        key="dists",
        heading="DISTS",
        form=".4f",
        definition="distance in structure and texture of VGG-16's features",
        range="0 to about 1",
        larger_is_better=False,
        variant=f"pictures at their own size, not at 256 px; {named(backbone, weights)}",
        licence=THEIRS,
        of=each(load_dists(backbone, weights)),
        needs=TRUTH,
        protocols=SETS,
    )
    return GivenNet((metric,))


def _niqe(parameters: Path) -> GivenNet:
    model = load_model(parameters)
    metric = Metric(
        key="niqe_published",
        heading="NIQE published",
        form=".2f",
        definition="distance of a picture's local statistics from those of photographs; needs no truth",
        range=UPWARDS,
        larger_is_better=False,
        variant=f"parameters of the user's, {model.patch}-px patches; {named(parameters)}",
        licence=THEIRS,
        of=lambda seen: np.array([niqe(picture, model) for picture in seen.pictures]),
        needs=NOTHING,
        protocols=SETS,
    )
    return GivenNet((metric,))


def _inception(file: Path) -> GivenNet:
    variant = f"Inception-v3 (2015-12-05), 299 px, {FEATURES:,} features; {named(file)}"
    distances = Distances("inception", ("fid", "kid"), ("FID", "KID x 1000"), (variant, variant), THEIRS)
    return GivenNet((), distances.metrics(), (inception_v3(file, variant, THEIRS),))


def _arcface(file: Path) -> GivenNet:
    variant = f"the user's IR-ResNet, at 256 px at most; {named(file)}"
    metrics = Recognised("arcface", "ArcFace", "an ArcFace recogniser of the user's", variant, THEIRS).metrics()
    return GivenNet(metrics, (), (recogniser("arcface", arcface.load(file), variant, THEIRS),))


@dataclass(frozen=True)
class Kind:
    """A net that can be given.

    Attributes:
        files: what they are, in their order.
        load: from them to what they add.
    """

    files: tuple[str, ...]
    load: Callable[..., GivenNet]


KINDS = {
    "inception": Kind(("pt_inception-2015-12-05",), _inception),
    "lpips-alex": Kind(("AlexNet", "the weights of LPIPS"), lambda *files: _lpips("alex", *files)),
    "lpips-squeeze": Kind(("SqueezeNet 1.1", "the weights of LPIPS"), lambda *files: _lpips("squeeze", *files)),
    "lpips-vgg": Kind(("VGG-16", "the weights of LPIPS"), lambda *files: _lpips("vgg", *files)),
    "dists": Kind(("VGG-16", "the weights of DISTS"), _dists),
    "niqe": Kind(("the published parameters",), _niqe),
    "arcface": Kind(("an ArcFace IR-ResNet",), _arcface),
}
"""By name, what can be given."""


def given_nets(words: Iterable[str]) -> GivenNet:
    """All nets that are given.

    Args:
        words: NAME=FILE or NAME=FILE,FILE each.

    Raises:
        LimnerError: there is no such name, it comes twice, or it takes another count of files.
        WeightsError: a file can't be read, or isn't what the name promises.
    """
    found: dict[str, GivenNet] = {}
    for word in words:
        name, _, files = word.partition("=")
        if name not in KINDS:
            raise LimnerError(f"--net is '{word}': give one of {', '.join(KINDS)}, then = and its files.")
        if name in found:
            raise LimnerError(f"--net {name} was given twice: give one.")
        kind, paths = KINDS[name], [Path(file) for file in files.split(",") if file]
        if len(paths) != len(kind.files):
            wanted = ",".join("FILE" for _ in kind.files)
            raise LimnerError(f"--net {name} takes {' and '.join(kind.files)}: give {name}={wanted}.")
        if missing := [path for path in paths if not path.is_file()]:
            raise LimnerError(f"--net {name}: there is no file {missing[0]}.")
        found[name] = kind.load(*paths)
    every = found.values()
    return GivenNet(
        tuple(one for net in every for one in net.metrics),
        tuple(one for net in every for one in net.set_metrics),
        tuple(one for net in every for one in net.extractors),
    )


def named(*files: Path) -> str:
    """Files as variants name them: with the beginning of their SHA-256."""
    return ", ".join(f"{file.name} ({digest_of(file)[:12]})" for file in files)
