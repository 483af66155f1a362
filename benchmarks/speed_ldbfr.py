"""LD-BFR in its published size at 512 px: what a restored face costs as its authors compute it, and by our path.

    python benchmarks/speed_ldbfr.py [--size 512] [--steps 50] [--fewer 15] [--repeat 3] [--threads N]
        [--weights mini] [--parts speed quality]

One face, random weights, for they don't change the time; branches that start at zero are made to matter, so that the
relative rms errors tell something. "Plain" is fp32 with nothing fused: attention has its full matrix in every net, the
quantiser its whole table of distances, and the restored feature is shuffled anew each step. Against it stand our path
in fp32 and, where the processor computes in it, in bf16; and the shorter chain of another solver. What that chain does
to the picture, random weights can't tell: the part `quality` asks the embedded ones. Peak memory is `run.py`'s to tell.
Goal: 3 times as fast.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor

import published
from limner.degrade.degrade import degrade
from limner.device import Compute, has_bfloat16
from limner.evaluate.metrics.fidelity import psnr
from limner.faces.align import crop, similarity
from limner.faces.find import find_faces
from limner.methods import load
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.schedules import SCHEDULERS, swap
from limner.nets.injection import Injected
from limner.pixels import to_picture, to_tensor
from machine import FAST, PLAIN, conditions, gaussian, interleaved, keeping, relative_error
from plain import nothing_fused

GOAL = 3
T = torch.tensor([499])
PARTS = {
    "feature": "stage A, the feature that is injected",
    "one_step": "stage A with its picture, the one-step restoration",
    "step": "a step",
    "decode": "decoding",
}


def nets(compute: Compute, size: int) -> LDBFRPipeline:
    """With the same weights at every call."""
    made = published.ldbfr(size)
    for net in (made.stage_a, made.unet, made.injection, made.vqgan):
        compute.place(net)
    return made


class Face:
    """One face on its way through the nets, by our path."""

    def __init__(self, nets: LDBFRPipeline, size: int):
        self.nets = nets
        self.picture = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
        self.x = gaussian(1, 3, size // 8, size // 8, seed=2)
        self.shown = gaussian(1, 256, size // 32, size // 32, seed=3)
        self.injected = Injected(nets.injection, self.shown)
        # on codes: between two of them rounding would decide, and nothing but that would be seen in the error
        side, codes = size // 8, len(nets.vqgan.codebook.weight)
        self.latent = nets.vqgan.codes(torch.arange(side**2).reshape(1, side, side) * 7 % codes)

    def feature(self) -> Tensor:
        return self.nets.stage_a(self.picture).feature

    def one_step(self) -> Tensor:
        return self.nets.stage_a.one_step(self.picture)

    def step(self) -> Tensor:
        return self.nets.unet(self.x, T, after_attention=self.injected).float()

    def decode(self) -> Tensor:
        return self.nets.vqgan.decode(self.latent).float()


class PlainFace(Face):
    """The same as its authors compute it."""

    def feature(self) -> Tensor:
        with nothing_fused():
            return super().feature()

    def one_step(self) -> Tensor:
        with nothing_fused():
            return super().one_step()

    def step(self) -> Tensor:
        with nothing_fused():
            return self.nets.injection(self.nets.unet, self.x, T, self.shown)

    def decode(self) -> Tensor:
        with nothing_fused():
            return super().decode()


def paths() -> dict[str, tuple[type[Face], Compute]]:
    """How a face is restored, and by which nets; bf16 only where it isn't emulated."""
    known = {"plain": (PlainFace, PLAIN), "fp32": (Face, PLAIN)}
    return known | ({"bf16": (Face, FAST)} if has_bfloat16("cpu") else {})


def speed(size: int, chain: int, fewer: int, repeat: int) -> None:
    """The parts of one face by each path, and their sums."""
    made = {compute: nets(compute, size) for compute in dict.fromkeys(compute for _, compute in paths().values())}
    faces = {name: kind(made[compute], size) for name, (kind, compute) in paths().items()}
    bring_codes_near(faces)
    seconds: dict[str, dict[str, float]] = {}
    for part, title in PARTS.items():
        found: dict[str, object] = {}
        calls: dict[str, Callable[[], object]] = {name: getattr(face, part) for name, face in faces.items()}
        seconds[part] = took = interleaved(keeping(found, calls), repeat)
        told = [f"plain {took['plain']:.3f} s"]
        for name in list(faces)[1:]:
            error = relative_error(cast(Tensor, found[name]), cast(Tensor, found["plain"]))
            ratio = took["plain"] / took[name]
            told.append(f"{name} {took[name]:.3f} s, {ratio:.2f} times, relative rms error {error:.1e}")
        print(f"{title}: {'; '.join(told)}", flush=True)

    def whole(name: str, steps: int) -> float:
        return seconds["feature"][name] + steps * seconds["step"][name] + seconds["decode"][name]

    print(f"one face, plain, {chain} steps, sum of the parts: {whole('plain', chain):.1f} s")
    for solver, steps in (("ddim", chain), ("dpmsolver++", fewer)):
        for name in list(faces)[1:]:
            total = whole(name, steps)
            ratio = whole("plain", chain) / total
            print(f"  {name}, {steps} steps of {solver}: {total:.1f} s, {ratio:.2f} times (goal {GOAL})", flush=True)


def bring_codes_near(faces: dict[str, Face]) -> None:
    """Gives stage A a code near the feature of each place, as training does. Of random codes many are about as near, so
    that rounding would choose among them."""
    exact = faces["plain"].nets.stage_a.vqgan
    features = exact.encode(faces["plain"].picture * 2 - 1).flatten(2)[0].T[: len(exact.codebook.weight)]
    near = features + 0.3 * features.std(dim=0) * gaussian(*features.shape, seed=4)
    for face in faces.values():
        face.nets.stage_a.vqgan.codebook.weight[: len(near)] = near


def quality(weights: str, chain: int, fewer: int) -> None:
    """How far shorter chains end from the long one, from the same noise, on a face under four severe degradations."""
    from skimage.data import astronaut

    pipeline = load("ldbfr", weights).pipeline_of(LDBFRPipeline)
    photo = np.ascontiguousarray(astronaut()[:288, 72:360])
    truth = crop(photo, similarity(find_faces(photo)[0].landmarks, pipeline.size), pipeline.size)
    spoilt = torch.stack([to_tensor(degrade(truth, "ffhq-ref-severe", np.random.default_rng(i))) for i in range(4)])
    noise = gaussian(len(spoilt), *pipeline.latent_shape, seed=5)
    long: list[np.ndarray] = []
    for solver, steps in (("ddim", chain), *((name, fewer) for name in SCHEDULERS)):
        same = swap(LDBFRPipeline(**pipeline.components), solver)
        restored = [to_picture(one) for one in same(spoilt, steps=steps, noise=noise).images]
        long = long or restored
        away = [psnr(one, other) for one, other in zip(restored, long, strict=True)]
        told = f" from the long chain {np.mean(away):.1f} dB (least {min(away):.1f})," if restored is not long else ""
        fidelity = np.mean([psnr(one, truth) for one in restored])
        print(f"quality, {steps} steps of {solver}:{told} from the truth {fidelity:.2f} dB", flush=True)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the face in px, a multiple of 64")
    parser.add_argument("--steps", type=int, default=50, help="of the long chain")
    parser.add_argument("--fewer", type=int, default=15, help="of the shorter chain")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--weights", default="mini", help="of the part quality: mini, or a folder")
    names = ["speed", "quality"]
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    torch.set_flush_denormal(True)

    print(conditions(), flush=True)
    if not has_bfloat16("cpu"):
        print("bf16 isn't measured: this processor would emulate it, slower than fp32", flush=True)
    parts: dict[str, Callable[[], None]] = {
        "speed": lambda: speed(wish.size, wish.steps, wish.fewer, wish.repeat),
        "quality": lambda: quality(wish.weights, wish.steps, wish.fewer),
    }
    for name in (name for name in names if name in wish.parts):
        parts[name]()
        gc.collect()
    print(conditions())


if __name__ == "__main__":
    main()
