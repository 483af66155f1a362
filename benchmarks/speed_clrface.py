"""CLR-Face: what a restored face costs, how much of that is the guidance, and what it needs of memory.

    python benchmarks/speed_clrface.py [--size 512] [--steps 50] [--repeat 2] [--threads N] [--weights FOLDER]
        [--only-trained]

In the decided size, with random weights, fp32: the peak memory of one guided step with the decoder's way kept, and with
it computed again (gradient checkpointing); the parts of a face, and their sum. With the embedded weights (or others),
on one spoilt portrait: the default, without guidance, with guidance every other step, and the fast mode, which enters
the chain part-way; what each costs and how far it lies from the truth. Goal: the fast mode 3 times as fast.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

import published
from limner.degrade.degrade import degrade
from limner.evaluate.metrics.fidelity import psnr
from limner.faces.align import crop, similarity
from limner.faces.find import find_faces
from limner.faces.hog import HogIdentity
from limner.methods import load
from limner.methods.clrface import CLRFacePipeline, guided_timesteps
from limner.methods.identity_guidance import IdentityGuidance
from limner.methods.options import CLRFaceOptions
from limner.pixels import to_picture, to_tensor
from machine import conditions, gaussian, interleaved, keeping, peak_memory

GOAL = 3
FAST = {"start": 400, "steps": 4, "guide_every": 2}
"""The fast mode of a chain of 50 steps."""
FAST_EMBEDDED = {"start": 400, "steps": 1, "guidance": 0}
"""That of the embedded weights, whose chain has 2, as docs/methods/clrface.md gives it."""


def trained(weights: str, repeat: int) -> None:
    """Trained weights, one face."""
    from skimage.data import astronaut

    loaded = load("clrface", weights)
    pipeline = loaded.pipeline_of(CLRFacePipeline)
    photo = np.ascontiguousarray(astronaut()[:288, 72:360])
    truth = crop(photo, similarity(find_faces(photo)[0].landmarks, pipeline.size), pipeline.size)
    spoilt = to_tensor(degrade(truth, "ffhq-ref-severe", np.random.default_rng(0)))[None]
    default = asdict(loaded.options) | {"finish": 0}  # it would hide how fast the chain is
    ways: dict[str, dict[str, Any]] = {
        "default": default,
        "no guidance": default | {"guidance": 0},
        "guidance every other step": default | {"guide_every": 2},
        "fast": default | (FAST_EMBEDDED if weights == "mini" else FAST),
    }

    def way(options: dict[str, Any]) -> Callable[[], Tensor]:
        return lambda: loaded(spoilt, **options, generator=torch.Generator().manual_seed(0)).images[0]

    found: dict[str, object] = {}
    took = interleaved(keeping(found, {name: way(options) for name, options in ways.items()}), repeat)
    hog = HogIdentity()
    wanted = hog(to_tensor(truth)[None])
    for name, seconds in took.items():
        image = cast(Tensor, found[name])
        alike = float((hog(image[None]) * wanted).sum())
        print(
            f"{name}: {seconds:.3f} s, {took['default'] / seconds:.2f} times as fast as the default, "
            f"{psnr(to_picture(image), truth):.2f} dB from the truth, HOG {alike:.3f}",
            flush=True,
        )
    share = 1 - took["no guidance"] / took["default"]
    print(f"{share:.0%} of the default is guidance; goal of the fast mode {GOAL} times", flush=True)


class Face:
    """One face on its way through the nets."""

    def __init__(self, pipeline: CLRFacePipeline, size: int):
        self.pipeline = pipeline
        self.picture = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
        self.z = gaussian(1, 3, size // 4, size // 4, seed=2)
        wanted = pipeline.identity(self.picture)
        self.guide = IdentityGuidance(pipeline.vqgan, pipeline.identity, wanted, 0.02, self.mask)

    def mask(self, z0: Tensor, timesteps: Tensor) -> Tensor:
        return self.pipeline.mask(z0, self.z, timesteps)

    def begin(self) -> Tensor:
        """z_d, the recovered picture, its vector and its latent."""
        recovered = self.pipeline.recover(self.picture)
        self.pipeline.identity(recovered)
        return self.pipeline.encode_degraded(self.picture) + self.pipeline.encode(recovered)

    def step(self) -> Tensor:
        return self.pipeline.unet(torch.cat([self.z, self.z], dim=1), torch.tensor([300]))

    def guidance(self) -> Tensor:
        return self.guide.shift(self.z, torch.tensor([300]), torch.tensor(0.5))[0]

    def decode(self) -> Tensor:
        return self.pipeline.vqgan.decode(self.z)


def full(size: int, steps: int, repeat: int) -> None:
    """The parts of one face at full size, and their sum."""
    pipeline = published.clrface(size)
    face = Face(pipeline, size)
    took = interleaved(
        {"begin": face.begin, "step": face.step, "guidance": face.guidance, "decode": face.decode}, repeat
    )
    for part, seconds in took.items():
        print(f"full size, {part}: {seconds:.3f} s", flush=True)
    _, times = pipeline.chain(CLRFaceOptions(steps=steps))
    for told, every in (("every step", 1), ("every other step", 2)):
        guided = len(guided_timesteps(times, 600, every)) * took["guidance"]
        total = took["begin"] + steps * took["step"] + guided + took["decode"]
        print(f"full size, {steps} steps, guidance in {told}: {total:.0f} s, {guided / total:.0%} of it guidance")
    fast, times = FAST["steps"], pipeline.chain(CLRFaceOptions().but(FAST))[1]
    guided = len(guided_timesteps(times, 600, FAST["guide_every"])) * took["guidance"]
    total = took["begin"] + fast * took["step"] + guided + took["decode"]
    print(f"full size, fast ({fast} steps from {FAST['start']}): {total:.0f} s", flush=True)


def memory(size: int, threads: int) -> None:
    """Peak memory of one guided step, in processes of their own."""
    for kept in ("kept", "again"):
        command = [sys.executable, __file__, "--size", str(size), "--threads", str(threads), "--guide", kept]
        peak = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        told = {"kept": "the decoder's way kept", "again": "computed again"}[kept]
        print(f"peak memory of a guided step, {told}: {peak} MB", flush=True)


def one_guided_step(size: int, kept: bool) -> None:
    """Guides once, and prints the peak memory of this process in MB."""
    pipeline = published.clrface(size)
    if kept:
        pipeline.vqgan.disable_gradient_checkpointing()
    Face(pipeline, size).guidance()
    print(f"{peak_memory():.0f}")


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the face in px, a multiple of 64")
    parser.add_argument("--steps", type=int, default=50, help="of the chain at full size")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--weights", default="mini", help="mini, or the folder of a trained pipeline")
    parser.add_argument("--only-trained", action="store_true", help="leave the decided size out")
    parser.add_argument("--guide", help=argparse.SUPPRESS)
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    torch.set_flush_denormal(True)
    if wish.guide:
        return one_guided_step(wish.size, wish.guide == "kept")

    print(conditions(), flush=True)
    if not wish.only_trained:
        memory(wish.size, wish.threads)  # first: a child process is told the peak that its parent had before it
        full(wish.size, wish.steps, wish.repeat)
    trained(wish.weights, wish.repeat)
    print(conditions(), flush=True)


if __name__ == "__main__":
    main()
