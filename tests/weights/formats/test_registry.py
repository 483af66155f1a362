"""Every published layout is one line and a file of its name."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

from limner.errors import WeightsError
from limner.weights import WEIGHTS, Published
from limner.weights.checkpoint import Checkpoint
from limner.weights.formats import registry
from limner.weights.formats.registry import FORMATS, format_named, format_of


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_format_has_its_file(one):
    adapter = import_module(f"limner.weights.formats.{one.name}")
    assert list(inspect.signature(adapter.detect).parameters) == ["tensors"]
    source, *others = inspect.signature(adapter.load).parameters.values()
    assert source.name == "source" and all(other.default is not other.empty for other in others)
    assert adapter.detect.__doc__ and adapter.load.__doc__
    assert format_named(one.name) is one


def test_every_file_is_a_format():
    files = {path.stem for path in Path(registry.__file__).parent.glob("*.py")}
    assert files - {"__init__", "registry"} == {one.name for one in FORMATS}


def test_the_catalogue_names_formats():
    names = {weights.format for weights in WEIGHTS if isinstance(weights, Published) and weights.format}
    assert names <= {one.name for one in FORMATS}


def test_an_unknown_layout_is_told():
    with pytest.raises(WeightsError, match=r"no kind that limner can convert \(LD-BFR's nets.*called lin\.weight\."):
        format_of(Checkpoint(Path("a.pth"), {"lin.weight": torch.zeros(1)}))


def test_the_registry_stays_light():
    code = "import sys, limner.weights.formats.registry; assert not {'torch', 'diffusers'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Toy:
    """A new layout's file, as a module."""

    @staticmethod
    def detect(tensors) -> bool:
        return "toy" in tensors

    @staticmethod
    def load(source):
        return ("toy", source.below("toy"))


def test_a_new_format_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "limner.weights.formats.toy", Toy)
    monkeypatch.setattr(registry, "FORMATS", (*FORMATS, registry.Format("toy", "a toy")))
    checkpoint = Checkpoint(Path("toy.pth"), {"toy": torch.zeros(1)})
    assert format_of(checkpoint).load(checkpoint)[0] == "toy"
    assert checkpoint.note() == ""
