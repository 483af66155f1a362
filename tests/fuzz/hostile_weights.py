"""What somebody might hand to limner in the place of weights: cases for `tests/fuzz/weights.py`.

`seeds` writes one good specimen of each kind; each of `KINDS` damages a copy, or makes a hostile one by hand, and says
how limner would be asked to read it.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper, save_model
from safetensors.torch import save_file

from limner.data.reference_set.embeddings import Embeddings
from limner.data.reference_set.table import read_people, read_table
from limner.methods.schedules import difface_schedule, load_schedule
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.nets.swinir import SwinIR
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train.recipe import Recipe, Training
from limner.train.state import State
from limner.weights.conversion import convert
from limner.weights.load import load_identity, load_net

Read = Callable[[], object]

NUMBERS = (0, -1, 1, 7, 10**5, 10**9, 10**30, 1e9, 1e308, float("nan"), float("inf"), True)
VALUES = (*NUMBERS, None, "", "x" * 10_000, [], [[]], {}, {"a": 1}, [10**5, 1], [1] * 5000, [None], "../..", "\0")
NETS: dict[str, Callable[[], Estimator | UNet | VQGAN | SwinIR]] = {
    "estimator": lambda: Estimator(16, 2, (8, 8), (1, 1)),
    "unet": lambda: UNet(16, 3, 3, 8, (1, 2), (1, 1), (1,), 8, groups=4),
    "vqgan": lambda: VQGAN(16, 4, 16, 8, (1, 1), 1, groups=4),
    "swinir": lambda: SwinIR(12, (2,), (2,), 4, unshuffle=2, reconstruction_channels=8),
}


class Runs:
    """A pickle that would make a folder if it were allowed to run."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.canary),)


def state() -> State:
    """Of a training run, before its first step."""
    torch.manual_seed(0)
    net = NETS["estimator"]()
    optimizer = torch.optim.AdamW(net.parameters())
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    recipe = Recipe("toy", net, [], lambda *_: torch.zeros(()), Training(4, 2, 1e-2, 1e-2))  # type: ignore[arg-type]
    return State(recipe, optimizer, None, 1)


def seeds(folder: Path) -> None:
    """Writes a good specimen of each kind."""
    for name, make in NETS.items():
        torch.manual_seed(0)
        make().save_pretrained(folder / "nets" / name)
    difface_schedule().save_pretrained(folder / "schedule")
    recogniser = IdentityNet(28, (1, 1), (8, 8), 8, embedding=8)
    content = {"state_dict": recogniser.state_dict(), "epoch": 3}
    (folder / "checkpoints").mkdir()
    torch.save(content, folder / "checkpoints/zip.pt")
    torch.save(content, folder / "checkpoints/old.pt", _use_new_zipfile_serialization=False)
    save_file(recogniser.state_dict(), folder / "checkpoints/plain.pt")
    state().save(folder / "run")
    (folder / "table.csv").write_text("file,person_id,references\na.png,1,b.png;c.png\nb.png,1,\"['a.png']\"\n")
    ones = np.ones((2, 4), np.float32)
    Embeddings(["a.png", "b.png"], ones, np.ones((2, 2), np.int64), "net").save(folder / "embeddings.npz")


def damaged(path: Path, rng: random.Random) -> None:
    """Changes a few bytes of a file, cuts it, or doubles a part."""
    raw = bytearray(path.read_bytes())
    head = min(len(raw), rng.choice((16, 300, 10**9)))
    for _ in range(rng.choice((1, 1, 3, 20))):
        if not raw:
            break
        at = rng.randrange(min(head, len(raw)))
        match rng.randrange(5):
            case 0:
                raw[at] = rng.randrange(256)
            case 1:
                raw[at] ^= 1 << rng.randrange(8)
            case 2:
                del raw[at : at + rng.randrange(1, 50)]
            case 3:
                raw[at:at] = raw[at : at + rng.randrange(1, 50)]
            case 4:
                raw[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"9999"))
    path.write_bytes(raw if rng.random() < 0.9 else raw[: rng.randrange(len(raw) + 1)])


def rewritten(path: Path, rng: random.Random) -> None:
    """Gives a JSON file other values, or something else altogether."""
    content = json.loads(path.read_text())
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice([*content, "more"])
        if rng.random() < 0.1:
            content.pop(name, None)
        elif isinstance(content.get(name), list) and content[name] and rng.random() < 0.5:
            content[name][rng.randrange(len(content[name]))] = rng.choice(VALUES)
        else:
            content[name] = rng.choice(VALUES)
    whole = rng.choice(("null", "[]", "3", "{", "[" * 10**5, '"a"', "\ufeff{}", "1" * 5000, '{"a":' * 5000))
    path.write_text(whole if rng.random() < 0.1 else json.dumps(content))


def new_header(path: Path, rng: random.Random) -> None:
    """Gives a safetensors file another header."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    name = rng.choice([one for one in header if one != "__metadata__"])
    match rng.randrange(5):
        case 0:
            header[name]["shape"] = rng.choice(([], [0], [10**9], [2**62, 4], [-1], [1] * 100, None))
        case 1:
            header[name]["dtype"] = rng.choice(("F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "F4", "C64", "X", 3))
        case 2:
            header[name]["data_offsets"] = rng.choice(([0, 0], [0, 10**12], [-1, 4], [4, 0], "x"))
        case 3:
            header[rng.choice(("layer4.100000.conv2.weight", "0", "a" * 10**5, "__metadata__"))] = header.pop(name)
        case 4:
            header |= {f"layer1.{n}.conv2.weight": header[name] for n in range(1000)}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", rng.choice((len(text), len(text), 2**63, 0))) + text + raw[8 + size :])


def net(case: Path, rng: random.Random, good: Path) -> Read:
    folder = Path(shutil.copytree(good / "nets" / rng.choice(list(NETS)), case / "net"))
    config, (weights,) = folder / "config.json", folder.glob("*.safetensors")
    rng.choice(
        (
            lambda: rewritten(config, rng),
            lambda: rewritten(config, rng),
            lambda: damaged(config, rng),
            lambda: new_header(weights, rng),
            lambda: damaged(weights, rng),
            lambda: torch.save({"a": Runs(case / "ran")}, weights),
            lambda: (folder / "README.md").write_bytes(rng.randbytes(100)),
        )
    )()
    return lambda: load_net(folder)


def schedule(case: Path, rng: random.Random, good: Path) -> Read:
    folder = Path(shutil.copytree(good / "schedule", case / "schedule"))
    rng.choice((rewritten, rewritten, damaged))(folder / "scheduler_config.json", rng)
    return lambda: load_schedule(folder)


def _tricky(case: Path, rng: random.Random) -> object:
    """Content of a checkpoint that no trainer would save."""
    weight = torch.ones(4)
    nested: object = Runs(case / "ran")
    for _ in range(rng.choice((0, 1, 100))):
        nested = rng.choice((lambda one: [one], lambda one: {"state_dict": one}, lambda one: (one, weight)))(nested)
    wide = torch.ones(1).expand(10**9)
    stages = {f"layer{n}.{rng.choice((0, 10**5))}.conv2.weight": torch.ones(4, 4, 3, 3) for n in (1, 2, 3, 4)}
    arcface = {"layer1.0.bn3.weight": weight, "layer1.0.prelu.weight": weight, "fc.weight": torch.ones(4, 4)}
    return rng.choice(
        (
            nested,
            {"a": nested, "b": weight},
            {0: weight, 1: weight},
            {"state_dict": {0: weight, "a": weight}},
            {"wide": wide},
            arcface | stages | {"conv1.weight": torch.ones(4, 3, 3, 3)},
            arcface | {"layer" + "9" * 5000 + ".0.conv2.weight": weight},
            {"meta": torch.ones(10**6, 10**6, device="meta")},
            {"sparse": torch.sparse_coo_tensor([[0], [0]], [1.0], (10**6, 10**6))},
            {"complex": torch.ones(4, dtype=torch.complex64), "empty": torch.ones(0, 4)},
            {"quantized": torch.quantize_per_tensor(weight, 1.0, 0, torch.qint8)},
            {"input_blocks.0.0.weight": torch.ones(0, 0, 3, 3), "time_embed.0.weight": torch.ones(4, 0)},
            {"conv_first.1.weight": torch.ones(0, 0, 3, 3)},
            {"quantize.embedding.weight": torch.ones(0, 4), "encoder.conv_in.weight": torch.ones(0, 3, 3, 3)},
        )
    )


class Fills:
    """A pickle that asks for zeros out of nothing."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return bytearray, (8 * 10**9,)


def _archive(path: Path, pickled: bytes, compression: int) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/byteorder", "little")
        archive.writestr("a/version", "3\n")
        archive.writestr("a/data/0", bytes(10**6))


def checkpoint(case: Path, rng: random.Random, good: Path) -> Read:
    path = case / rng.choice(("a.pt", "a.ckpt", "a.pth"))
    memo_bomb = b"\x80\x02}r\xff\xff\xff\x7f."
    blown = pickle.dumps({"a": "x" * 10**7}, 2)
    foreign = pickle.dumps({"a": Runs(case / "ran"), "b": Fills()}, 2)
    own = rng.choice((memo_bomb, blown, foreign, pickle.dumps([Fills()], 2), b"\x80\x02\x8e" + b"\xff" * 7 + b"\x0f."))
    match rng.randrange(6):
        case 0 | 1:
            shutil.copy(good / "checkpoints" / rng.choice(("zip.pt", "old.pt", "plain.pt")), path)
            damaged(path, rng)
        case 2:
            shutil.copy(good / "checkpoints/plain.pt", path)
            new_header(path, rng)
        case 3:
            torch.save(_tricky(case, rng), path, _use_new_zipfile_serialization=rng.random() < 0.6)
        case 4:
            _archive(path, own, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
        case 5:
            with zipfile.ZipFile(good / "checkpoints/zip.pt") as archive:
                parts = {one: archive.read(one) for one in archive.namelist()}
            main = next(one for one in parts if one.endswith("data.pkl"))
            raw = bytearray(parts[main])
            for _ in range(3):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            with zipfile.ZipFile(path, "w") as archive:
                for one, content in parts.items():
                    archive.writestr(one, bytes(raw) if one == main else content)
    return rng.choice((lambda: load_identity(path), lambda: convert(path, case / "out")))


def graph(case: Path, rng: random.Random, good: Path) -> Read:
    """An ONNX graph of the kinds of nodes that an IR-ResNet has, in no order that would make sense."""
    names = [f"t{n}" for n in range(12)]
    kinds = ("Conv", "BatchNormalization", "PRelu", "Add", "Identity", "Dropout", "Gemm", "Flatten", "Constant")
    nodes = [
        helper.make_node(rng.choice(kinds), rng.choices(["x", *names, "w", "v"], k=rng.randrange(1, 6)), [name])
        for name in rng.choices(names, k=rng.randrange(1, 20))
    ]
    first = helper.make_node("Conv", ["x", "w"], ["t0"], strides=[1, 1], pads=[1, 1, 1, 1])
    circle = [helper.make_node("Identity", [a], [b]) for a, b in (("t0", "t1"), ("t1", "t2"), ("t2", "t1"))]
    by_circle = [first, helper.make_node("PRelu", ["t0", "c"], ["t3"])]
    by_circle += [helper.make_node("Identity", [a], [b]) for a, b in (("c", "d"), ("d", "c"))]
    nodes = rng.choice((nodes, [first, *nodes], [first, *circle], by_circle))
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [1.0] * 108)
    vector = helper.make_tensor("v", TensorProto.FLOAT, [4], [1.0] * 4)
    if rng.random() < 0.3:
        weight.dims[0] = rng.choice((10**12, 0, -1))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 28, 28])]
    made = helper.make_graph(nodes, "g", inputs, inputs, [weight, vector])
    path = case / "a.onnx"
    save_model(helper.make_model(made), str(path))
    if rng.random() < 0.5:
        damaged(path, rng)
    return lambda: load_identity(path)


def run_folder(case: Path, rng: random.Random, good: Path) -> Read:
    folder = Path(shutil.copytree(good / "run", case / "run"))
    file = folder / rng.choice(("model.safetensors", "optimizer.safetensors", "run.json"))
    foreign = folder / rng.choice(("custom_checkpoint_0.pkl", "optimizer.bin", "random_states_0.pkl", file.name))
    rng.choice(
        (
            lambda: damaged(file, rng),
            lambda: (rewritten if file.suffix == ".json" else new_header)(file, rng),
            lambda: torch.save({"a": Runs(case / "ran")}, foreign),
            lambda: foreign.write_bytes(pickle.dumps(Runs(case / "ran"))),
            lambda: (folder / "run.json").unlink(),
        )
    )()
    return lambda: state().load(folder)


def table(case: Path, rng: random.Random, good: Path) -> Read:
    path = Path(shutil.copy(good / "table.csv", case / "table.csv"))
    cells = ("a" * 131_073, "[" * 10**5, "['a.png'", "-" * 10**5 + "1", '"', "\r", "a.png\0", ";" * 10**5, "[1,2]")
    rows = [",".join(rng.choices(("a.png", "file", "references", "1", "", *cells), k=rng.randrange(1, 5)))]
    match rng.randrange(3):
        case 0:
            damaged(path, rng)
        case 1:
            path.write_text("\n".join(["file,person_id,references", *rows]))
        case 2:
            path.write_text("\n".join(["image,refs", *rows]))
    return rng.choice((lambda: read_table(path), lambda: read_people(path)))


def embeddings(case: Path, rng: random.Random, good: Path) -> Read:
    path = Path(shutil.copy(good / "embeddings.npz", case / "embeddings.npz"))
    match rng.randrange(4):
        case 0 | 1:
            damaged(path, rng)
        case 2:
            names = np.array([Runs(case / "ran")], dtype=object)
            np.savez(path, files=names, vectors=np.ones((1, 4), np.float32), stamps=np.ones((1, 2)), embedder="net")
        case 3:
            head = io.BytesIO()
            np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (10**10,)})
            with zipfile.ZipFile(path, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
                for name in ("files", "vectors", "stamps", "embedder"):
                    archive.writestr(f"{name}.npy", head.getvalue() + bytes(1000))
    return lambda: Embeddings.load(path)


KINDS = (net, net, net, checkpoint, checkpoint, checkpoint, schedule, graph, run_folder, run_folder, table, embeddings)
"""Each as often as it is likely to find something."""
