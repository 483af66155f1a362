"""Which device, which precision, how many threads, and how many faces at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from limner.errors import LimnerError

Net = TypeVar("Net", bound=nn.Module)
DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "fp32", "bf16")

MOST_FACES = {"cpu": 4, "cuda": 16, "mps": 8}
"""More faces at once would take memory and win little time."""

BYTES_PER_PIXEL = 4_000
"""Room for the activations of the largest net, the published prior, per pixel of one face in fp32."""

MEMORY = Path("/proc/meminfo")
"""Where Linux tells it."""


@dataclass(frozen=True)
class Compute:
    """Where and how nets run.

    Attributes:
        device: a torch device.
        dtype: of weights and activations; schedules and sampling arithmetic stay fp32.
    """

    device: torch.device
    dtype: torch.dtype

    @property
    def precision(self) -> str:
        """`fp32` or `bf16`."""
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"

    def place(self, net: Net) -> Net:
        """Moves a net here. bf16 convolutions want channels_last (twice as fast); in fp32 the plain layout is the
        exact one, because torch's channels_last group norm is off by 2e-4 on large maps.

        What a net names in `_keep_in_fp32_modules`, as diffusers calls it, stays in fp32: of a codebook in bf16, one
        code in a hundred would be another."""
        layout = torch.channels_last if self.dtype == torch.bfloat16 else torch.contiguous_format
        kept = {
            name: tensor.data
            for name, tensor in [*net.named_parameters(), *net.named_buffers()]
            if set(name.split(".")) & set(getattr(net, "_keep_in_fp32_modules", None) or ())
        }
        # Not ModelMixin.to: it warns of layers to keep in fp32 although there are none.
        nn.Module.to(net, self.device, self.dtype)
        net.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stubs know no memory_format
        for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
            if name in kept:
                tensor.data = kept[name].to(self.device)
        return net

    def batch_size(self, face_size: int, sharing: int = 1) -> int:
        """Faces of `face_size` px that go through the nets at once, where so many share half of the free memory."""
        return max(1, min(MOST_FACES[self.device.type], self.room(face_size) // sharing))

    def room(self, face_size: int) -> int:
        """Faces of `face_size` px that half of the free memory holds on their way through the nets."""
        return free_memory(self.device) // 2 // (BYTES_PER_PIXEL * face_size**2)


def choose(device: str = "auto", dtype: str = "auto", threads: int | None = None) -> Compute:
    """Picks where to run.

    Args:
        device: `auto` (cuda, else mps, else cpu), `cpu`, `cuda` or `mps`.
        dtype: `auto` (bf16 where the hardware computes it natively), `fp32` (exact) or `bf16`.
        threads: CPU threads of torch, or None for torch's own choice.

    Raises:
        LimnerError: if the device isn't there or a name is unknown.
    """
    if device not in DEVICES or dtype not in DTYPES:
        raise LimnerError(f"Device '{device}' with dtype '{dtype}' is unknown: {DEVICES} and {DTYPES} are known.")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[device]:
        raise LimnerError(f"This machine has no {device} device that torch can use: choose --device auto or cpu.")
    if threads is not None:
        if threads < 1:
            raise LimnerError(f"--threads is {threads}: give at least 1.")
        use_threads(threads)
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # torch's default would compute fp32 convolutions with 10 bits
    if dtype == "auto":
        dtype = "bf16" if has_bfloat16(device) else "fp32"
    return Compute(torch.device(device), {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype])


def use_threads(threads: int | None) -> None:
    """Makes torch compute with so many CPU threads from here on.

    torch has one number for the whole process, but a thread takes it over only when it first computes: whoever wants a
    number sets it in the thread that is about to compute.

    Args:
        threads: 1 or more; None changes nothing.
    """
    if threads is not None:
        torch.set_num_threads(threads)


@contextmanager
def threads_kept() -> Iterator[None]:
    """Afterwards torch computes with as many CPU threads as before, whatever was set meanwhile."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bf16 natively; elsewhere it is emulated and slower than fp32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return any(getattr(torch.cpu, check, lambda: False)() for check in checks)
    return False


@contextmanager
def frozen_pass() -> Iterator[None]:
    """How frozen nets are asked on the CPU, in measurements and while samples are made: without gradients, and in bf16
    where the processor has it."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
        yield


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had; 4 GB where the system doesn't tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:  # Linux counts as free only what holds no file; after a large folder that is next to nothing
        lines = MEMORY.read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 2**30
