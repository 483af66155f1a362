"""What a timing means nothing without: the machine's speed at this moment, threads, load. Also what several scripts
need: nets with random weights, and how far apart two of their results lie."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from limner.device import Compute, has_bfloat16
from limner.evaluate.report_files.environment import accelerator, processor

Net = TypeVar("Net", bound=nn.Module)

PLAIN = Compute(torch.device("cpu"), torch.float32)
FAST = Compute(torch.device("cpu"), torch.bfloat16)


def conditions() -> str:
    """Processor, card, threads, load and the rate of a plain matrix product, in one line."""
    # emulated bf16 takes half a minute, and nothing is run in it
    dtypes = DTYPES if has_bfloat16("cpu") else {"fp32": torch.float32}
    rates = ", ".join(f"{name} {matmul_rate(dtype):.0f}" for name, dtype in dtypes.items())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{processor()} ({platform.machine()}) x{os.cpu_count()}, GPU {accelerator()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, load {load:.1f}, matmul GFLOP/s: {rates}"
    )


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


Clock = Callable[[], float]


def matmul_rate(dtype: torch.dtype, times: int = 10, device: str = "cpu", clock: Clock = time.perf_counter) -> float:
    """GFLOP/s of a square matrix product, the best of several: a calibration, not a result."""
    side = 1024
    a = torch.randn(side, side).to(device, dtype)
    best = min(timed(lambda: a @ a, clock) for _ in range(times))
    return 2 * side**3 / best / 1e9


def timed(call: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    finish_on_card()
    start = clock()
    call()
    finish_on_card()
    return clock() - start


def finish_on_card() -> None:
    """Waits for a GPU, which works behind the program."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def interleaved(calls: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median seconds of each call. They take turns, so that a busy moment of the machine hits all alike."""
    for call in calls.values():
        call()  # the first call allocates and picks kernels
    seconds = [{name: timed(call) for name, call in calls.items()} for _ in range(repeat)]
    return {name: statistics.median(turn[name] for turn in seconds) for name in calls}


def keeping(found: dict[str, object], calls: Mapping[str, Callable[[], object]]) -> dict[str, Callable[[], object]]:
    """The same calls, but each leaves its result in `found`."""
    return {name: lambda name=name, call=call: found.update({name: call()}) for name, call in calls.items()}


def peak_memory() -> float:
    """Of this process, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def gaussian(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def randomised(make: Callable[[], Net]) -> Net:
    """A net with random weights, in which branches that start at zero matter."""
    torch.manual_seed(0)
    net = make()
    for parameter in net.parameters():
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return net.eval()


def relative_error(found: Tensor, exact: Tensor) -> float:
    """Root mean square of the difference over the spread of the exact result."""
    return float((found.float() - exact).square().mean().sqrt() / exact.std())
