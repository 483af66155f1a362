"""DifFace's two published networks: plain fp32 against limner's fast path (bf16, channels_last).

    python benchmarks/speed_difface.py [--size 512] [--repeat 7] [--threads N] [--nets unet swinir]

Weights are random, for they don't change the time; branches that start at zero are made to matter, so
that the relative rms error between the two paths tells something. Goals: U-Net 3 times, SwinIR 2 times.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from limner.device import Compute
from limner.nets.swinir import SwinIR
from limner.nets.unet import UNet
from machine import FAST, PLAIN, conditions, interleaved, randomised, relative_error

GOALS = {"unet": 3.0, "swinir": 2.0}


def unet(compute: Compute, size: int) -> Callable[[], Tensor]:
    """One step of the prior on one face."""
    net = compute.place(randomised(UNet))
    noisy = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1)).to(compute.dtype)
    return lambda: net(noisy, torch.tensor([396]))


def swinir(compute: Compute, size: int) -> Callable[[], Tensor]:
    """The regressor on one face."""
    net = compute.place(randomised(SwinIR))
    face = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    return lambda: net(face)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the face in px, a multiple of 64")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--nets", nargs="+", choices=GOALS, default=list(GOALS))
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    torch.set_flush_denormal(True)

    print(conditions())
    for name in wish.nets:
        make = {"unet": unet, "swinir": swinir}[name]
        calls = {"fp32": make(PLAIN, wish.size), "bf16": make(FAST, wish.size)}
        error = relative_error(calls["bf16"](), calls["fp32"]())
        seconds = interleaved(calls, wish.repeat)
        ratio = seconds["fp32"] / seconds["bf16"]
        print(
            f"{name} {wish.size} px, medians of {wish.repeat}: fp32 {seconds['fp32']:.3f} s, "
            f"bf16 channels_last {seconds['bf16']:.3f} s, {ratio:.2f} times (goal {GOALS[name]:.0f}), "
            f"relative rms error {error:.1e}"
        )
    print(conditions())


if __name__ == "__main__":
    main()
