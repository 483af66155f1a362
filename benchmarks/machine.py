"""What a timing means nothing without: the machine's speed at this moment, threads, load."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping

import torch


def conditions() -> str:
    """Processor, threads, load and the rate of a plain matrix product, in one line."""
    rates = ", ".join(f"{name} {matmul_rate(dtype):.0f}" for name, dtype in DTYPES.items())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{platform.machine()} x{os.cpu_count()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, load {load:.1f}, matmul GFLOP/s: {rates}"
    )


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def matmul_rate(dtype: torch.dtype, side: int = 1024) -> float:
    """GFLOP/s of a square matrix product, the best of ten: a calibration, not a result."""
    a = torch.randn(side, side).to(dtype)
    best = min(timed(lambda: a @ a) for _ in range(10))
    return 2 * side**3 / best / 1e9


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median seconds of each call. They take turns, so that a busy moment of the machine hits all alike."""
    for call in calls.values():
        call()  # the first call allocates and picks kernels
    seconds = [{name: timed(call) for name, call in calls.items()} for _ in range(repeat)]
    return {name: statistics.median(turn[name] for turn in seconds) for name in calls}
