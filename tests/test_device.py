import pytest
import torch
from torch import nn

from limner import device
from limner.errors import LimnerError
from limner.nets.vqgan import VQGAN


def test_auto_takes_bf16_only_where_the_hardware_has_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for native, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(device, "has_bfloat16", lambda name, native=native: native)
        assert device.choose() == device.Compute(torch.device("cpu"), dtype)


def test_bf16_nets_lie_channels_last_and_fp32_nets_do_not():
    for dtype, last in ((torch.bfloat16, True), (torch.float32, False)):
        net = device.Compute(torch.device("cpu"), dtype).place(nn.Conv2d(4, 4, 3))
        assert net.weight.dtype == dtype
        assert net.weight.is_contiguous(memory_format=torch.channels_last) is last


def test_a_codebook_stays_exact_in_bf16():
    torch.manual_seed(0)
    net = VQGAN(32, 4, 64, 8, multipliers=(1, 1), depth=1, middle=False, groups=0, normalise_latent=True).eval()
    torch.nn.init.normal_(net.codebook.weight)
    latent = torch.randn(1, 4, 64, 64)
    before, codes = net.nearest(latent), net.codebook.weight.clone()
    placed = device.choose("cpu", "bf16").place(net)
    assert torch.equal(placed.codebook.weight, codes) and placed.latent_std.dtype == torch.float32
    assert placed.encoder.stem.weight.dtype == torch.bfloat16
    assert torch.equal(placed.nearest(latent), before)
    assert placed.decode(placed.encode(torch.rand(1, 3, 32, 32) * 2 - 1)).shape == (1, 3, 32, 32)


def test_batches_are_bounded_by_memory(monkeypatch):
    compute = device.Compute(torch.device("cpu"), torch.float32)
    sizes = []
    for gigabytes in (1, 3, 6, 100):
        monkeypatch.setattr(device, "free_memory", lambda d, g=gigabytes: g * 2**30)
        sizes.append(compute.batch_size(512))
    assert sizes == [1, 1, 3, 4]


def test_memory_that_holds_files_counts_as_free(tmp_path, monkeypatch):
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 100 kB\nMemFree: 2 kB\nMemAvailable: 50 kB\n", encoding="ascii")
    monkeypatch.setattr(device, "MEMORY", told)
    assert device.free_memory(torch.device("cpu")) == 50 * 1024


def test_free_memory_is_told(tmp_path, monkeypatch):
    assert 2**20 < device.free_memory(torch.device("cpu")) < 2**50
    monkeypatch.setattr(device, "MEMORY", tmp_path)
    assert 2**20 < device.free_memory(torch.device("cpu")) < 2**50


def test_threads():
    before = torch.get_num_threads()
    try:
        device.choose("cpu", "fp32", threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_fp32_convolutions_of_a_gpu_are_fp32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert device.choose("cuda", "fp32") == device.Compute(torch.device("cuda"), torch.float32)
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tpu",), "Device 'tpu' with dtype 'auto' is unknown"),
        (("cpu", "int8"), "with dtype 'int8' is unknown"),
        (("cpu", "fp32", 0), "--threads is 0: give at least 1"),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(LimnerError, match=message):
        device.choose(*arguments)


def test_a_missing_device_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(LimnerError, match="no cuda device that torch can use: choose --device auto or cpu"):
        device.choose("cuda")
