"""dlib's `.dat`: one is written here, number by number, and read back; whatever else stands in one is refused."""

import importlib
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limner.errors import WeightsError
from limner.nets.dlib_resnet import MEAN_RGB, DlibResNet
from limner.weights.checkpoint import Checkpoint
from limner.weights.formats import dlib


def number(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def numbers(*values: int) -> bytes:
    return b"".join(map(number, values))


def text(value: str) -> bytes:
    return number(len(value)) + value.encode()


def fraction(value: float) -> bytes:
    return numbers(round(value * 2**20), -20)


def tensor(values: np.ndarray, *sizes: int) -> bytes:
    return numbers(2, *sizes) + values.astype("<f4").tobytes()


CLOSE = b"110" + 3 * tensor(np.empty(0), 0, 0, 0, 0)
RATES = 3 * fraction(1) + numbers(0, 11)


def convolution(weight: np.ndarray, bias: np.ndarray, affine: np.ndarray, first: bool, stride: int, pad: int) -> bytes:
    outs, ins, side, _ = weight.shape
    data = text("con_4") + tensor(np.concatenate([weight.ravel(), bias]), weight.size + outs, 1, 1, 1)
    data += numbers(outs, side, side, stride, stride, pad, pad, 1, outs, ins, side, side, 1, 1, outs, 1, 1)
    data += RATES + CLOSE + (number(1) if first else b"")
    return (
        data + text("affine_") + tensor(affine, 2 * outs, 1, 1, 1) + numbers(1, 1, outs, 1, 1, 1, 1, outs, 1, 1, 0)
    ) + CLOSE


class Written:
    """A `.dat` of random weights and what its net is: `found` as convolutions with affine layers of their own."""

    def __init__(self, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.net = DlibResNet()
        self.affine: dict[str, np.ndarray] = {}
        for name, module in self.net.named_modules():
            if isinstance(module, torch.nn.Conv2d):
                outs = module.out_channels
                self.affine[name] = np.concatenate([rng.uniform(0.5, 1.5, outs), rng.normal(0, 0.1, outs)])
        self.data = self.written()

    def conv(self, name: str) -> bytes:
        module = self.net.get_submodule(name)
        assert isinstance(module, torch.nn.Conv2d) and module.bias is not None
        weight, bias = module.weight.detach().numpy(), module.bias.detach().numpy()
        pad = int(module.padding[0])
        return convolution(weight, bias, self.affine[name], name == "stem", module.stride[0], pad)

    def written(self) -> bytes:
        data = number(1) + text("loss_metric_2") + fraction(0.04) + fraction(0.6) + numbers(*[2] * 129, 3)
        data += text("input_rgb_image_sized") + b"".join(map(fraction, MEAN_RGB)) + numbers(150, 150)
        data += self.conv("stem") + text("relu_") + CLOSE + text("max_pool_2") + numbers(3, 3, 2, 2, 0, 0) + CLOSE
        for index, block in enumerate(self.net.blocks):
            data += self.conv(f"blocks.{index}.first") + text("relu_") + CLOSE + self.conv(f"blocks.{index}.second")
            if block.stride > 1:
                data += text("avg_pool_2") + numbers(2, 2, 2, 2, 0, 0) + CLOSE
            data += text("add_prev_") + CLOSE + text("relu_") + CLOSE
        data += text("avg_pool_2") + numbers(0, 0, 1, 1, 0, 0) + CLOSE
        data += text("fc_2") + numbers(128, 256) + tensor(self.net.fc.weight.detach().numpy().T, 256, 128, 1, 1)
        return data + numbers(1, 256, 128, 1, 1, 1, 0, 0, 0, 0, 1) + RATES + CLOSE

    def unfolded(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """A convolution and then its affine layer."""
        scale, shift = (torch.from_numpy(part).float()[:, None, None] for part in np.split(self.affine[name], 2))
        return self.net.get_submodule(name)(x) * scale + shift


@pytest.fixture(scope="module")
def written() -> Written:
    torch.manual_seed(0)
    return Written()


@pytest.fixture
def file(written: Written, tmp_path: Path) -> Path:
    path = tmp_path / dlib.FILE
    path.write_bytes(written.data)
    return path


@torch.inference_mode()
def test_a_net_is_read_as_it_was_written(written: Written, file: Path):
    net = dlib.load(file)
    assert not net.training
    x = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(net.stem(x), written.unfolded("stem", x), rtol=1e-4, atol=1e-5)
    x = torch.rand(1, 32, 16, 16)
    wanted = torch.zeros(1, 64, 8, 8)
    wanted[..., :7, :7] = written.unfolded("blocks.3.second", F.relu(written.unfolded("blocks.3.first", x)))
    wanted[:, :32] += F.avg_pool2d(x, 2)
    torch.testing.assert_close(net.blocks[3](x), F.relu(wanted), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net.fc.weight, written.net.fc.weight, rtol=0, atol=0)


def test_named_tensors_are_read_too(written: Written, file: Path):
    tensors = dlib.load(file).state_dict()
    assert dlib.detect(tensors) and not dlib.detect({"fc.weight": torch.zeros(1)})
    again = dlib.load(Checkpoint(file, tensors))
    torch.testing.assert_close(again.state_dict(), tensors, rtol=0, atol=0)
    with pytest.raises(WeightsError, match="fc.weight is missing"):
        dlib.load(Checkpoint(file, {name: t for name, t in tensors.items() if name != "fc.weight"}))


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


REFUSED = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[:-1],
    "goes on": lambda data: data + b"\0",
    "another loss": lambda data: changed(data, b"loss_metric_2", b"loss_metric_3"),
    "other colours": lambda data: changed(data, fraction(MEAN_RGB[0]), fraction(MEAN_RGB[0] + 1)),
    "another chip": lambda data: changed(data, numbers(150, 150), numbers(151, 151)),
    "another layer": lambda data: changed(data, text("affine_"), text("affinf_")),
    "another stride": lambda data: changed(data, numbers(32, 7, 7, 2, 2), numbers(32, 7, 7, 3, 3)),
    "a huge tensor": lambda data: changed(data, numbers(2, 4736, 1, 1, 1), numbers(2, 4736, 1 << 60, 1, 1)),
    "a tensor of less than nothing": lambda data: changed(data, numbers(2, 4736), numbers(2, -4736)),
    "a number of 100 bytes": lambda data: b"\x64" + data[1:],
    "a fraction beyond all numbers": lambda data: changed(data, fraction(0.04), numbers(1, 1 << 40)),
    "something else": lambda data: b"\x89PNG" + data,
    "too large": lambda data: data + bytes(dlib.MOST_BYTES),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_the_published_net_is_refused(kind: str, written: Written, tmp_path: Path):
    path = tmp_path / "face.dat"
    path.write_bytes(REFUSED[kind](written.data))
    with pytest.raises(
        WeightsError, match=r"face\.dat are not dlib's face recogniser as published .* from byte \d+ on"
    ):
        dlib.load(path)


def test_bytes_at_random_never_do_worse_than_be_refused(written: Written, tmp_path: Path):
    rng = random.Random(0)
    net = DlibResNet()
    for number in range(20):
        data = bytearray(written.data)
        for _ in range(3):  # in the first kilobyte nearly every byte is structure
            data[rng.randrange(350)] = rng.randrange(256)
        path = tmp_path / f"{number}.dat"
        path.write_bytes(data)
        try:
            dlib.read_dat(path, net)
        except WeightsError:
            continue


def test_numbers_that_are_none_are_refused(written: Written, tmp_path: Path):
    path = tmp_path / "face.dat"
    path.write_bytes(changed(written.data, written.net.fc.weight.detach().numpy().T[0].tobytes()[:4], b"\0\0\xc0\x7f"))
    with pytest.raises(WeightsError, match="no finite numbers"):
        dlib.load(path)


def test_a_folder_or_nothing_is_told(tmp_path: Path):
    with pytest.raises(WeightsError, match="Can't read the weights"):
        dlib.load(tmp_path / "none.dat")
    with pytest.raises(WeightsError, match="Can't read the weights"):
        dlib.load(tmp_path)


def test_the_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    models = tmp_path / dlib.PACKAGE / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert dlib.installed() is None or dlib.PACKAGE not in sys.modules
    (models / dlib.FILE).write_bytes(b"here")
    assert dlib.installed() == models / dlib.FILE and dlib.PACKAGE not in sys.modules
