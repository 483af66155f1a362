"""Nets that the user gives, with random numbers of the published shapes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from limner.errors import LimnerError, WeightsError
from limner.evaluate.comparison import Comparison
from limner.evaluate.definitions.given_nets import KINDS, given_nets
from limner.evaluate.metrics.niqe import natural_faces, save_model
from limner.nets import inception, squeezenet, vgg16
from limner.nets.identity import IdentityNet
from limner.weights.formats.inception import CLASSES

from ..metrics.faces import blurred, face
from ..metrics.published import filled, saved

TRUTH = face(64)
PAIRS = Comparison([TRUTH, blurred(TRUTH, 2)], [TRUTH, TRUTH], [], {})


@pytest.fixture(scope="module")
def squeeze(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("squeeze")
    linear = {f"lin{n}.model.1.weight": torch.ones(1, c, 1, 1) for n, c in enumerate(squeezenet.CHANNELS)}
    backbone = saved(dict(filled(squeezenet.SqueezeNet()).state_dict()), folder / "net.safetensors")
    return f"{backbone},{saved(linear, folder / 'linear.safetensors')}"


def test_lpips_is_called_by_its_variant(squeeze):
    (metric,) = given_nets([f"lpips-squeeze={squeeze}"]).metrics
    assert (metric.key, metric.heading) == ("lpips_squeeze", "LPIPS Squeeze")
    assert metric.variant.startswith("squeeze, pictures at their own size; net.safetensors (")
    same, soft = metric.of(PAIRS)
    assert same == 0 < soft


def test_another_variant_is_never_printed_under_its_name(squeeze):
    for name in ("lpips-alex", "lpips-vgg"):
        with pytest.raises(WeightsError, match="don't fit"):
            given_nets([f"{name}={squeeze}"])


def test_niqe_by_published_parameters_stands_beside_our_own(tmp_path):
    save_model(natural_faces(), tmp_path / "theirs.npz")
    (metric,) = given_nets([f"niqe={tmp_path / 'theirs.npz'}"]).metrics
    assert (metric.key, metric.needs) == ("niqe_published", frozenset()) and "theirs.npz (" in metric.variant
    assert np.isfinite(metric.of(Comparison([face(192)], [], [], {}))).all()


@pytest.fixture(scope="module")
def arcface(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    net = IdentityNet(sample_size=112, layers=(1, 2, 1, 1), widths=(4, 6, 6, 8), stem_width=4, embedding=16).eval()
    path = tmp_path_factory.mktemp("arcface") / "theirs.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, path)
    return path


def test_a_recogniser_is_an_extractor_with_its_metrics(arcface):
    given = given_nets([f"arcface={arcface}"])
    (eye,) = given.extractors
    assert (eye.name, eye.kind, eye.width) == ("arcface", "recogniser", 16)
    assert {one.key for one in given.metrics} >= {"arcface", "arcface_degrees", "arcface_rank1", "arcface_person"}
    assert np.linalg.norm(eye.of([TRUTH]), axis=1) == pytest.approx(1)


@pytest.mark.slow
def test_inceptions_columns_are_fid_and_kid(tmp_path):
    tensors = dict(filled(inception.Inception()).state_dict()) | {n: torch.zeros(s) for n, s in CLASSES.items()}
    given = given_nets([f"inception={saved(tensors, tmp_path / 'inception.safetensors')}"])
    assert [one.key for one in given.set_metrics] == ["fid", "kid", "fid_real", "kid_real"]
    (net,) = given.extractors
    assert (net.name, net.width) == ("inception", 2048) and net.of([TRUTH]).shape == (1, 2048)
    with pytest.raises(WeightsError):
        given_nets([f"dists={tmp_path / 'inception.safetensors'},{tmp_path / 'inception.safetensors'}"])


@pytest.mark.slow
def test_dists_by_its_two_files(tmp_path):
    backbone = saved(dict(filled(vgg16.VGG16()).state_dict()), tmp_path / "vgg.safetensors")
    ones = torch.ones(1, 1475, 1, 1).flatten(1)
    weights = saved({"alpha": ones.clone(), "beta": ones.clone()}, tmp_path / "dists.safetensors")
    (metric,) = given_nets([f"dists={backbone},{weights}"]).metrics
    same, soft = metric.of(PAIRS)
    assert same == pytest.approx(0, abs=1e-6) and soft > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fire=a.pth"], "--net is 'fire=a.pth': give one of inception, lpips-alex"),
        (["niqe"], "--net niqe takes the published parameters: give niqe=FILE."),
        (["lpips-vgg=a.pth"], "takes VGG-16 and the weights of LPIPS: give lpips-vgg=FILE,FILE."),
        (["niqe=none.npz"], "--net niqe: there is no file none.npz"),
    ],
)
def test_words_that_make_no_sense(words, message):
    with pytest.raises(LimnerError, match=message.replace(".", r"\.")):
        given_nets(words)


def test_one_of_each(arcface):
    assert given_nets([]).metrics == () and all(kind.files for kind in KINDS.values())
    with pytest.raises(LimnerError, match="--net arcface was given twice"):
        given_nets([f"arcface={arcface}"] * 2)
