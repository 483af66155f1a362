"""Configurations that no net can have: told at once, before a net is built of them or memory taken."""

import json
import time
from importlib import import_module

import pytest
import torch

from limner.errors import WeightsError
from limner.nets.estimator import Estimator
from limner.nets.unet import UNet
from limner.weights import find
from limner.weights.catalogue import WEIGHTS, Embedded
from limner.weights.load import NETS, load_net
from limner.weights.net_config import build, checked


@pytest.fixture
def folder(tmp_path):
    UNet(16, 3, 3, 8, (1, 2), (1, 1), (), 8, groups=4).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("width", 1e9, "gives a UNet 1000000000.0 as width, which is of another type"),
        ("width", 10**9, "gives 1000000000 as width, which is out of all proportion"),
        ("width", "8", "gives a UNet '8' as width, which is of another type"),
        ("width", None, "of another type"),
        ("width", 2**20, "far more than their"),
        ("width", 0, "there can't be|don't fit"),
        ("depths", [100_000, 1], "out of all proportion"),
        ("depths", [4000, 1], "far more than their"),
        ("depths", [10**30, 1], "out of all proportion"),
        ("depths", 3, "of another type"),
        ("depths", [1, "1"], "of another type"),
        ("multipliers", [1] * 5000, "out of all proportion"),
        ("sample_size", 10**6, "out of all proportion"),
        ("scale_shift", 1, "of another type"),
        ("head_channels", -1, "out of all proportion"),
        ("spectrum", [1.0, 1.0], "there can't be"),
        ("spectrum", "1, 1", "of another type"),
    ],
)
def test_a_hostile_config(folder, name, value, sentence):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {name: value}))
    started = time.monotonic()
    with pytest.raises(WeightsError, match=sentence):
        load_net(folder)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["null", "[]", "3", '{"_class_name": ["UNet"]}', '{"_class_name": null}', "{}"])
def test_a_config_of_something_else(folder, name):
    (folder / "config.json").write_text(name)
    with pytest.raises(WeightsError, match="should hold one JSON object|holds no net that limner knows"):
        load_net(folder)


@pytest.mark.parametrize("weights", [one.name for one in WEIGHTS if isinstance(one, Embedded)])
def test_all_embedded_configs_pass(weights):
    file = find(weights).path() / "config.json"
    config = json.loads(file.read_text())
    kind = getattr(import_module(NETS[config["_class_name"]]), config["_class_name"])
    assert checked(kind, config, file) == {name: value for name, value in config.items() if name[0] != "_"}


def test_building_stops_where_the_tensors_end(tmp_path):
    tensors = {"stem.weight": torch.ones(8, 12, 3, 3)}
    with pytest.raises(WeightsError, match="far more than their 1 tensors"):
        build(lambda: Estimator(16, 2, (8, 8), (10**9, 1)), tensors, tmp_path)
    net = build(lambda: Estimator(16, 2, (8, 8), (1, 1)), tensors, tmp_path)
    assert all(parameter.is_meta for parameter in net.parameters())
