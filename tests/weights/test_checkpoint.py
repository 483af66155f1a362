"""Reading files of tensors: every format that is published, and every way in which a file can be bad."""

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from limner.errors import WeightsError
from limner.weights.checkpoint import Checkpoint, read_checkpoint, read_tensors
from limner.weights.tensors import fill

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


class Malicious:
    def __init__(self, proof: Path):
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("content", [STATE, {"state_dict": STATE}, {f"module.{name}": t for name, t in STATE.items()}])
def test_checkpoints(tmp_path, content, zipped):
    torch.save(content, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    tensors = read_tensors(tmp_path / "net.pth")
    assert tensors.keys() == STATE.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in STATE.items())


def test_safetensors_under_any_name(tmp_path):
    save_file(STATE, tmp_path / "net.part")
    assert torch.equal(read_tensors(tmp_path / "net.part")["weight"], STATE["weight"])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_does_not(tmp_path, zipped):
    proof = tmp_path / "ran"
    torch.save({"weight": Malicious(proof)}, tmp_path / "bad.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        WeightsError,
        match=r"bad\.pth ask to run code when they are read \(\w+\.mkdir\), which limner refuses",
    ):
        read_tensors(tmp_path / "bad.pth")
    assert not proof.exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_a_file_cut_short(tmp_path, name):
    save = save_file if name.endswith("safetensors") else torch.save
    save({"weight": torch.zeros(1000)}, tmp_path / name)  # type: ignore[operator]
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:2000])
    with pytest.raises(WeightsError, match=rf"{name} are damaged.*fetch or copy the file again"):
        read_tensors(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"<html>Not Found</html>"])
def test_a_file_of_something_else(tmp_path, content):
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"net\.pth are damaged, or are neither safetensors nor a PyTorch checkpoint"
    ):
        read_tensors(tmp_path / "net.pth")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": {"weight": 1.0}}])
def test_a_checkpoint_without_named_tensors(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"net\.pth holds something else than named tensors"):
        read_tensors(tmp_path / "net.pth")


def test_no_such_file(tmp_path):
    with pytest.raises(WeightsError, match=r"Can't read the weights .*none\.pth: No such file"):
        read_tensors(tmp_path / "none.pth")


def test_entries_that_are_no_tensors_are_known_by_name(tmp_path):
    torch.save({"state_dict": STATE | {"scale": 2.0, 3: torch.ones(1)}, "epoch": 5}, tmp_path / "net.ckpt")
    checkpoint = read_checkpoint(tmp_path / "net.ckpt")
    assert checkpoint.tensors.keys() == STATE.keys()
    assert (checkpoint.unusable, checkpoint.extra, checkpoint.classes) == (("scale", "int"), ("epoch",), ())
    with pytest.raises(WeightsError, match=r"net\.ckpt holds something else than named tensors"):
        checkpoint.all()


def test_the_note_names_what_nobody_asked_for():
    names = ["net.a.weight", "net.loss.a", "net.loss.b", "net.bias", "lpips.a.weight", "betas", "decay"]
    checkpoint = Checkpoint(Path("net.ckpt"), dict.fromkeys(names, torch.ones(1)), extra=["epoch"])
    assert checkpoint.below("net.", ("a.",)).keys() == {"a.weight"}
    checkpoint.pass_over(["betas", "not there"])
    assert checkpoint.note() == (
        "net.ckpt also holds what the nets don't need, which was passed over: decay, epoch, lpips.*, net.bias, "
        "net.loss.* (2 tensors)."
    )
    checkpoint.below("")
    assert checkpoint.note().endswith("passed over: epoch.")


def test_a_long_note_is_cut():
    checkpoint = Checkpoint(Path("net.ckpt"), {f"a{number:02}": torch.ones(1) for number in range(25)})
    assert checkpoint.note().endswith("a18, a19 and 5 more.")


class Fills:
    def __reduce__(self):
        return bytearray, (8 * 10**9,)


@pytest.mark.parametrize("zipped", [True, False])
def test_zeros_out_of_nothing(tmp_path, zipped):
    """torch calls bytearray with whatever number a pickle gives: 8 GB here."""
    content = {"weight": torch.ones(2), "more": Fills()}
    torch.save(content, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"a\.pt ask to run code when they are read \(\w+\.bytearray\)"):
        read_tensors(tmp_path / "a.pt")


def test_a_compressed_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"a": "x" * 10**8}, 2))
    assert (tmp_path / "a.pt").stat().st_size < 2**20
    with pytest.raises(WeightsError, match=r"a\.pt are a compressed archive"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_memo_of_gigabytes(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}r\xff\xff\xff\x7f" + b"c__builtin__\nbytearray\n0.")
    with pytest.raises(WeightsError, match=r"a\.pt are damaged"):
        read_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(1).expand(10**10),
        torch.ones(10**5, 10**5, device="meta"),
        torch.sparse_coo_tensor([[0], [0]], [1.0], (10**5, 10**5), check_invariants=True),
        torch.ones(4, dtype=torch.complex64),
    ],
)
def test_tensors_that_hold_other_than_their_numbers(tmp_path, tensor):
    torch.save({"odd": tensor, "weight": torch.ones(2)}, tmp_path / "a.pt")
    checkpoint = read_checkpoint(tmp_path / "a.pt")
    assert (list(checkpoint.tensors), checkpoint.unusable) == (["weight"], ("odd",))


def test_names_without_end(tmp_path):
    save_file({"a" * 10**5: torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError) as told:
        fill(torch.nn.Linear(1, 1), read_tensors(tmp_path / "a.safetensors"), tmp_path)
    assert len(str(told.value)) < 1000
