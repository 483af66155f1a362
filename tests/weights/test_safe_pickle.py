"""Checkpoints that name classes: their tensors come out right, and whatever they ask for, nothing of them runs."""

import os
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limner.errors import WeightsError
from limner.weights import safe_pickle
from limner.weights.checkpoint import read_checkpoint, read_tensors
from limner.weights.safe_pickle import DTYPES


class Callback:
    """Stands for what a training framework names. To be looked up would be seen."""

    def __init__(self):
        self.score = np.float32(0.5)

    def __setstate__(self, state):
        raise AssertionError("the file's own class was used")


class Settings(dict):
    """A dictionary of a class of its own, as frameworks keep settings in."""


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def of_every_kind() -> dict[str, Tensor]:
    """Every type that a storage may have, and every way in which a tensor may lie in one."""
    base = torch.arange(24.0).reshape(4, 6)
    tensors = {f"dtype.{name}": (torch.arange(7) % 2).to(dtype) for name, dtype in DTYPES.items()}
    return tensors | {
        "transposed": base.T,
        "part": base[1:3, 2:5],
        "strided": base[::2, ::3],
        "spread": torch.ones(1).expand(5),
        "shared": base,
        "number": torch.tensor(3),
        "empty": torch.zeros(0, 4),
        "parameter": nn.Parameter(torch.randn(3, 2)),
    }


def trainer_left() -> dict[str, object]:
    """What lies beside a state dictionary, with much that `weights_only` refuses."""
    return {
        "callbacks": {Callback: {"best": Callback()}, "score": np.float64(0.25)},
        "settings": Settings(lr=1e-4, betas=(0.5, 0.9)),
        "by_group": defaultdict(list, {"a": [1, 2]}),
        "history": np.arange(5),
        "where": Path("runs"),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
    }


def test_tensors_come_out_right(tmp_path):
    tensors = of_every_kind()
    path = saved({"state_dict": OrderedDict(tensors), **trainer_left()}, tmp_path / "last.ckpt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    checkpoint = read_checkpoint(path)
    assert checkpoint.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        found = checkpoint.tensors[name]
        assert found.dtype == tensor.dtype and torch.equal(found, tensor.detach()), name
    assert checkpoint.extra == tuple(trainer_left())
    assert any(name.endswith("test_safe_pickle.Callback") for name in checkpoint.classes)


def test_a_nets_own_state_and_numbers_among_it(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state = net.state_dict()
    assert hasattr(state, "_metadata")  # an attribute, which the file sets
    state["scale"] = np.float64(2)  # type: ignore[assignment]
    state["hook"] = Callback()  # type: ignore[assignment]
    checkpoint = read_checkpoint(saved(state, tmp_path / "net.pth"))
    assert checkpoint.unusable == ("scale", "hook")
    assert all(torch.equal(tensor, checkpoint.tensors[name]) for name, tensor in net.state_dict().items())
    with pytest.raises(WeightsError, match=r"net\.pth ask to run code when they are read"):
        read_tensors(tmp_path / "net.pth")


def test_tensors_are_mapped_and_the_file_stays_as_it_is(tmp_path):
    path = saved({"state_dict": {"weight": torch.zeros(64)}, "callback": Callback()}, tmp_path / "net.ckpt")
    before = path.read_bytes()
    read_checkpoint(path).tensors["weight"].fill_(1)
    assert path.read_bytes() == before
    assert torch.equal(read_checkpoint(path).tensors["weight"], torch.zeros(64))


# --- files that mean harm -----------------------------------------------------------------------------------


class Runs:
    """Unpickled as everybody does, it calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class RunsByState:
    """The same, by what is called to take the state."""

    def __init__(self, function, text: str, state: object):
        self.call = str, (text,), state, None, None, function

    def __reduce__(self):
        return self.call


ATTACKS = {
    "mkdir": lambda proof: Runs(os.mkdir, proof),
    "system": lambda proof: Runs(os.system, f"touch {proof}"),
    "exec": lambda proof: Runs(exec, f"open({proof!r}, 'w')"),
    "eval inside": lambda proof: Runs(list, Runs(map, eval, [f"open({proof!r}, 'w')"])),
    "open": lambda proof: Runs(open, proof, "w"),
    "save": lambda proof: Runs(torch.save, 1, proof),
    "load": lambda proof: Runs(torch.load, proof),
    "the state's function": lambda proof: RunsByState(os.mkdir, proof, 0o777),
}


@pytest.mark.parametrize("place", ["beside", "among", "as a name", "alone"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs(tmp_path, attack, place):
    proof = tmp_path / "ran"
    harm, weight = ATTACKS[attack](str(proof)), torch.ones(2)
    content = {
        "beside": {"state_dict": {"weight": weight}, "callbacks": harm},
        "among": {"weight": weight, "other": harm},
        "as a name": {"weight": weight, harm: weight},
        "alone": harm,
    }[place]
    path = saved(content, tmp_path / "net.ckpt")
    if place == "alone":
        with pytest.raises(WeightsError, match="ask to run code"):
            read_checkpoint(path)
    else:
        checkpoint = read_checkpoint(path)
        assert checkpoint.tensors.keys() == {"weight"} and torch.equal(checkpoint.tensors["weight"], weight)
        with pytest.raises(WeightsError, match="ask to run code"):
            checkpoint.all()
    assert not proof.exists()


def test_the_attacks_would_work(tmp_path):
    """Otherwise the test above shows nothing."""
    for attack in ("mkdir", "system", "exec", "eval inside", "open", "the state's function"):
        proof = tmp_path / attack.replace(" ", "_").replace("'", "")
        torch.load(saved({"a": ATTACKS[attack](str(proof))}, tmp_path / "net.ckpt"), weights_only=False)
        assert proof.exists(), attack


def replaced(path: Path, pickled: bytes) -> Path:
    """A checkpoint with another pickle in it, written by hand."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, pickled if name.endswith("data.pkl") else data)
    return path


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "pickled",
    [
        b"cos\nmkdir\n(Vran\ntR.",  # GLOBAL, REDUCE
        b"(cos\nmkdir\nVran\no.",  # OBJ
        b"(Vran\nios\nmkdir\n.",  # INST
        b"\x80\x04\x8c\x02os\x94\x8c\x05mkdir\x94\x93\x8c\x03ran\x85R.",  # STACK_GLOBAL
        b"\x80\x04\x8c\x02os\x94\x8c\x0ffspath.__call__\x94\x93\x8c\x03ran\x85R.",  # a dotted name
        b"\x80\x02cos\nmkdir\n\x8c\x03ran\x85\x81.",  # NEWOBJ
        b"\x80\x02cos\nmkdir\n\x8c\x03ran\x85}\x92.",  # NEWOBJ_EX
        b"ccollections\nOrderedDict\n}Vkeys\ncos\nmkdir\nsb.",  # BUILD on a class
        b"ctorch._utils\n_rebuild_tensor_v2\nN}Vx\nI1\ns\x86b.",  # BUILD on a function
        b"\x80\x02\x82\x01.",  # EXT1
        b"Vsomething\nQ.",  # a foreign persistent id
        b"((Vstorage\nctorch\nFloatStorage\nV../../x\nVcpu\nI1\ntQ.",
        b".",
        b"\x80\x63",
    ],
)
def test_pickles_by_hand(tmp_path, monkeypatch, pickled):
    monkeypatch.chdir(tmp_path)
    path = replaced(saved({"weight": torch.ones(2)}, tmp_path / "net.ckpt"), pickled)
    with pytest.raises(WeightsError):
        read_checkpoint(path)
    assert [file.name for file in tmp_path.iterdir()] == ["net.ckpt"]


@pytest.mark.parametrize(
    "place",
    [
        b"K\x08K\x02\x85K\x01\x85",  # begins behind the record's end
        b"K\x00K\x09\x85K\x01\x85",  # ends there
        b"J\xff\xff\xff\xffK\x02\x85K\x01\x85",  # begins before it
        b"K\x00K\x02\x85J\xff\xff\xff\xff\x85",  # runs backwards
        b"K\x00K\x02\x85)",  # has more sides than strides
        b"K\x00Vmany\nK\x01\x85",
    ],
)
def test_a_tensor_outside_of_its_record(tmp_path, place):
    storage = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\x02tQ"
    pickled = b"\x80\x02}Va\nctorch._utils\n_rebuild_tensor_v2\n(" + storage + place + b"\x89NtRs."
    path = replaced(saved({"weight": torch.ones(2)}, tmp_path / "net.ckpt"), pickled)
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        safe_pickle.load(path)


def test_a_tensor_inside_of_its_record(tmp_path):
    """The pickle of the test above, with a place that is right."""
    storage = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\x02tQ"
    pickled = b"\x80\x02}Va\nctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x01K\x01\x85K\x01\x85\x89NtRs."
    path = replaced(saved({"weight": torch.tensor([1.0, 2.0])}, tmp_path / "net.ckpt"), pickled)
    content, classes = safe_pickle.load(path)
    assert isinstance(content, dict) and classes == [] and torch.equal(content["a"], torch.tensor([2.0]))
