"""ReF-LDM in its published size at 512 px: what each saving wins, and what a restored face costs.

    python benchmarks/speed_refldm.py [--references 4] [--steps 50] [--repeat 3] [--threads N]
        [--parts steps savings references whole]

Weights are random, for they don't change the time; branches that start at zero are made to matter, so that the relative
rms errors tell something. One face, guidance 1.5 unless said otherwise. "Plain" is fp32 as the authors compute it (see
plain.py). Peak memory is for `run.py` to tell. Goals: a step 1.9 times as fast in fp32 and 5 times in bf16 (error at
most 2e-2); a face with 50 steps and 4 references in at most 30 s on two cores with bf16 matrix units.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable

import torch
from torch import Tensor

import plain
from limner.device import Compute
from limner.nets.cachekv import ReferenceCache
from limner.nets.vqgan import VQGAN
from limner.train.recipes.refldm.refldm import published_unet
from machine import (
    FAST,
    PLAIN,
    conditions,
    gaussian,
    interleaved,
    keeping,
    randomised,
    relative_error,
    timed,
)

T = torch.tensor([499])


class Face:
    """One face on its way through the U-Net, by our path."""

    def __init__(self, compute: Compute, count: int):
        self.net = compute.place(randomised(published_unet))
        self.x = gaussian(1, 16, 64, 64, seed=1).to(compute.dtype)
        self.references = gaussian(1, count, 8, 64, 64, seed=2).to(compute.dtype)
        self.cache = self.read()
        self.zeros = self.net.read_references(self.references[:, :1] * 0, stands_for=count)

    def read(self) -> ReferenceCache:
        return self.net.read_references(self.references)

    def step(self) -> Tensor:
        return self.net(self.x, T, [self.zeros, self.cache])


class PlainFace(Face):
    """The same as its authors compute it."""

    def __init__(self, count: int):
        super().__init__(PLAIN, count)

    def read(self) -> ReferenceCache:
        return plain.read(self.net, self.references[0])

    def step(self) -> Tensor:
        return plain.step(self.net, self.x, T, self.cache)


class Coding:
    """The VQGAN's share of one face."""

    def __init__(self, compute: Compute, count: int):
        self.vqgan = compute.place(randomised(VQGAN))
        torch.nn.init.normal_(self.vqgan.codebook.weight)  # as far apart as the latent's positions
        self.picture = gaussian(1, 3, 512, 512, seed=3).clamp(-1, 1)
        self.others = gaussian(count, 3, 512, 512, seed=4).clamp(-1, 1)
        self.latent = gaussian(1, 8, 64, 64, seed=5)

    def encode(self) -> Tensor:
        return self.vqgan.encode(self.picture).float()

    def separate(self) -> Tensor:
        """Each reference alone."""
        return torch.cat([self.vqgan.encode(one[None]) for one in self.others]).float()

    def wide(self) -> Tensor:
        """All references side by side in one picture, as published."""
        wide = torch.cat(list(self.others), dim=2)[None]
        return torch.cat(self.vqgan.encode(wide).chunk(len(self.others), dim=3)).float()

    def decode(self) -> Tensor:
        return self.vqgan.decode(self.latent).float()


def steps(count: int, repeat: int) -> None:
    """A step of the chain, and the first one, which reads the references, against the plain path."""
    exact, fp32, bf16 = PlainFace(count), Face(PLAIN, count), Face(FAST, count)
    seconds = interleaved({"plain": exact.step, "fp32": fp32.step, "bf16": bf16.step}, repeat)
    reading = interleaved({"fp32": fp32.read, "bf16": bf16.read}, repeat) | {"plain": timed(exact.read)}
    truth = exact.step()
    for name, face, goal in (("fp32", fp32, 1.9), ("bf16", bf16, 5.0)):
        first, ours = (reading[path] + seconds[path] for path in ("plain", name))
        print(
            f"a step, {count} references: plain {seconds['plain']:.3f} s, {name} {seconds[name]:.3f} s, "
            f"{seconds['plain'] / seconds[name]:.2f} times (goal {goal}), "
            f"relative rms error {relative_error(face.step(), truth):.1e}; "
            f"the first step: plain {first:.3f} s, {name} {ours:.3f} s, {first / ours:.2f} times",
            flush=True,
        )


def savings(count: int, repeat: int) -> None:
    """Each exact saving alone: our path in fp32 with and without it."""
    face = Face(PLAIN, count)
    net, x, zeros = face.net, face.x, face.references * 0

    def einsum() -> Tensor:
        with plain.einsum_attention():
            return face.step()

    def whole_pass() -> ReferenceCache:
        with plain.whole_reference_pass():
            return face.read()

    many = net.read_references(zeros)
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "fused attention, a step": (einsum, face.step),
        f"one zero reference for {count}, a step": (lambda: net(x, T, [many, face.cache]), face.step),
        "halves share what is before the first attention, a step": (
            lambda: torch.cat([net(x, T, face.zeros), net(x, T, face.cache)]),
            face.step,
        ),
        "no tail, reading": (whole_pass, face.read),
        "references in one batch, reading": (lambda: plain.read_one_by_one(net, face.references), face.read),
        "zeros read once per model, reading": (lambda: (face.read(), net.read_references(zeros[:, :1])), face.read),
    }
    for name, (without, with_it) in pairs.items():
        found: dict[str, object] = {}
        seconds = interleaved(keeping(found, {"without": without, "with": with_it}), repeat)
        error = relative_error(_flat(found["with"]), _flat(found["without"]))
        print(
            f"{name}: without {seconds['without']:.3f} s, with {seconds['with']:.3f} s, "
            f"{seconds['without'] / seconds['with']:.2f} times, relative rms error {error:.1e}",
            flush=True,
        )


def _flat(result: object) -> Tensor:
    """A prediction, or all keys and values of a cache (of two the first), as one vector."""
    if isinstance(result, Tensor):
        return result.flatten()
    cache = result[0] if isinstance(result, tuple) else result
    assert isinstance(cache, ReferenceCache)
    return torch.cat([part.flatten() for pair in cache.layers for part in pair])


def references(repeat: int) -> None:
    """What another reference costs, in bf16."""
    counts = (1, 2, 4, 8)
    face = Face(FAST, max(counts))
    caches = {n: face.net.read_references(face.references[:, :n]) for n in counts}
    reading = interleaved(
        {str(n): lambda n=n: face.net.read_references(face.references[:, :n]) for n in counts}, repeat
    )
    calls = {str(n): lambda n=n: face.net(face.x, T, [face.zeros, caches[n]]) for n in counts}
    seconds = interleaved({"0": lambda: face.net(face.x, T), **calls}, repeat)
    print(f"0 references (no guidance): a step {seconds['0']:.3f} s")
    for n in counts:
        more = (
            "" if n == 1 else f" ({(seconds[str(n)] - seconds['1']) / (n - 1) * 1000:.0f} ms for each behind the first)"
        )
        size = caches[n].nbytes / 1e6
        print(f"{n} references: a step {seconds[str(n)]:.3f} s{more}; reading {reading[str(n)]:.3f} s, {size:.0f} MB")


def whole(count: int, chain: int, repeat: int) -> None:
    """The parts of one face, and their sum."""
    exact: dict[str, object] = {}
    for name, goal in (("plain", 150), ("bf16", 30)):
        coding = Coding(PLAIN if name == "plain" else FAST, count)
        parts = {"encode": coding.encode, "separate": coding.separate, "wide": coding.wide, "decode": coding.decode}
        found: dict[str, object] = {}
        parts = keeping(found, parts)
        # fp32 is slow enough that its first run says what it costs
        cost = {part: timed(call) for part, call in parts.items()} if name == "plain" else interleaved(parts, repeat)
        exact = exact or found
        errors = ", ".join(f"{part} {relative_error(_flat(found[part]), _flat(exact[part])):.1e}" for part in found)
        del coding, parts
        gc.collect()
        face = PlainFace(count) if name == "plain" else Face(FAST, count)
        cost |= interleaved({"step": face.step, "read": face.read}, 1 if name == "plain" else repeat)
        told = ", ".join(f"{part} {seconds:.2f}" for part, seconds in cost.items())
        print(f"{name}: {told} s; relative rms error of {errors}")
        for encoding in ("separate", "wide"):
            total = cost["encode"] + cost[encoding] + cost["read"] + chain * cost["step"] + cost["decode"]
            print(
                f"  one face, {chain} steps, {count} references {encoding}: {total:.1f} s "
                + (f"(goal {goal})" if name == "bf16" else f"(the authors' own code on an idle machine: {goal}, wide)"),
                flush=True,
            )


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", type=int, default=4)
    parser.add_argument("--steps", type=int, default=50, help="of the chain, in the sum")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    names = ["steps", "savings", "references", "whole"]
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    torch.set_flush_denormal(True)

    print(conditions(), flush=True)
    parts: dict[str, Callable[[], None]] = {
        "steps": lambda: steps(wish.references, wish.repeat),
        "savings": lambda: savings(wish.references, wish.repeat),
        "references": lambda: references(wish.repeat),
        "whole": lambda: whole(wish.references, wish.steps, wish.repeat),
    }
    for name in (name for name in names if name in wish.parts):
        parts[name]()
        gc.collect()
    print(conditions())


if __name__ == "__main__":
    main()
