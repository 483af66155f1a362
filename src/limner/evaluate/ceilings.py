"""How far the embedded nets that restore could come, and how far they have; `docs/training.md` goes by it.

    python -m limner.evaluate.ceilings --data FACES [--split val] [--limit 32]

An autoencoder is shown the truth; a regressor faces that it learned from, beside others; a prior its noised truth, one
step at a time; a method that looks at other photographs the truth as such a photograph; guidance the truth's own
identity.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from limner.data.augment import ALIGNED, vary
from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.device import frozen_pass
from limner.evaluate.identity import Recogniser
from limner.evaluate.metrics.detail import detail_ratio
from limner.evaluate.metrics.fidelity import psnr
from limner.faces.hog import HogIdentity
from limner.methods import load
from limner.methods.clrface import CLRFacePipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import clean_estimate, difface_schedule
from limner.nets.estimator import Estimator
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.weights.load import load_identity, load_net

SIZE = 256
TIMESTEPS = 20, 60, 100, 150, 250, 400
AT_ONCE = 8


@dataclass(frozen=True)
class Finding:
    """One line: which net, what it was asked, what came out."""

    net: str
    asked: str
    found: str


@dataclass(frozen=True)
class Pairs:
    """Degraded and true faces, (N, 3, S, S) in [0, 1] and as pictures."""

    lq: Tensor
    truth: Tensor
    pictures: list[np.ndarray]

    @classmethod
    def of(cls, faces: FaceSet, preset: str = "ffhq-ref-severe") -> Pairs:
        made = fixed_pairs(faces, SIZE, preset)
        lq, truth = (torch.stack([to_tensor(pair[side]) for pair in made]) for side in (0, 1))
        return cls(lq, truth, [pair[1] for pair in made])

    def tell(self, restored: Tensor) -> str:
        """PSNR, detail ratio and likeness by both recognisers, means over the faces."""
        made = list(zip(map(to_picture, restored), self.pictures, strict=True))
        decibels, detail = (np.mean([measure(a, b) for a, b in made]) for measure in (psnr, detail_ratio))
        likeness = [
            alike(recogniser, restored, self.truth).mean() for recogniser in (load_identity("mini"), HogIdentity())
        ]
        return f"{decibels:.2f} dB, detail {detail:.2f}, identity {likeness[0]:.3f}, HOG {likeness[1]:.3f}"


def alike(recogniser: Recogniser, a: Tensor, b: Tensor) -> Tensor:
    """Cosine similarity of each pair."""
    first, second = (in_batches(recogniser, one) for one in (a, b))
    return (first * second).sum(dim=1)


def in_batches(net: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    """What a net makes of them, float32."""
    with frozen_pass():
        return torch.cat([net(some).float() for some in pictures.split(AT_ONCE)])


def errors_by_timestep(schedule: DDIMScheduler, clean: Tensor, predict: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Error of the guessed x0 at each timestep, over that of the best constant, the mean."""
    constant = (clean - clean.mean(dim=0)).square().mean().sqrt()
    errors = []
    for timestep in TIMESTEPS:
        abar = schedule.alphas_cumprod[timestep]
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(timestep))
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        with frozen_pass():
            guess = clean_estimate(schedule, predict(noisy, torch.full((len(clean),), timestep)).float(), noisy, abar)
        errors.append(f"{timestep}: {float((guess - clean).square().mean().sqrt() / constant):.3f}")
    return ", ".join(errors)


def estimator(pairs: Pairs, learned: Pairs) -> Iterator[Finding]:
    """Were its data too few, faces that it learned from would fare far better than others."""
    net = load_net("mini/difface-estimator", Estimator)
    for name, some in (("faces it learned from", learned), ("other faces", pairs)):
        yield Finding("difface-estimator", f"{name}, severe, before", some.tell(some.lq))
        yield Finding("difface-estimator", f"{name}, after", some.tell(in_batches(net, some.lq).clamp(0, 1)))


def difface(pairs: Pairs) -> Iterator[Finding]:
    net, schedule = load_net("mini/difface-prior", UNet), difface_schedule("sample")
    yield Finding(
        "difface-prior",
        "x0 error of a look at t, by that of the mean face",
        errors_by_timestep(schedule, pairs.truth * 2 - 1, net),
    )


def first_stages(pairs: Pairs) -> Iterator[Finding]:
    for name in ("vqgan", "clrface-vqgan"):
        net = load_net(f"mini/{name}", VQGAN)
        rebuilt = in_batches(lambda some, net=net: net.decode(net.encode(some * 2 - 1)) / 2 + 0.5, pairs.truth)
        yield Finding(name, "the truth, encoded and decoded", pairs.tell(rebuilt.clamp(0, 1)))


def refldm(pairs: Pairs) -> Iterator[Finding]:
    """The truth itself as reference: what looking at references could give."""
    loaded = load("refldm")
    pipeline = loaded.pipeline_of(RefLDMPipeline)
    vqgan, net, schedule = pipeline.vqgan, pipeline.unet, pipeline.scheduler
    clean, lq = (in_batches(lambda some: vqgan.encode(some * 2 - 1), one) for one in (pairs.truth, pairs.lq))
    errors = errors_by_timestep(schedule, clean, lambda noisy, t: net(torch.cat([noisy, lq], dim=1), t))
    yield Finding("refldm", "x0 error of a look at t, by that of the mean latent", errors)
    varied = [to_tensor(vary(one, ALIGNED, np.random.default_rng(n)))[None] for n, one in enumerate(pairs.pictures)]
    for name, references in (("none", None), ("varied copies", varied), ("the truth", list(pairs.truth[:, None]))):
        yield Finding("refldm", f"severe, references: {name}", pairs.tell(restored_bare(loaded, pairs.lq, references)))


def ldbfr(pairs: Pairs) -> Iterator[Finding]:
    """Stage A, which would be at its first stage's ceiling if its codes were the truth's."""
    stage, vqgan = load_net("mini/ldbfr-stage-a", StageA), load_net("mini/vqgan", VQGAN)
    with frozen_pass():
        true = torch.cat(
            [vqgan.nearest(vqgan.encode(some * 2 - 1) * vqgan.scale) for some in pairs.truth.split(AT_ONCE)]
        )
        found = torch.cat([stage(some).indices for some in pairs.lq.split(AT_ONCE)])
    hit = (
        f"{pairs.tell(in_batches(stage.one_step, pairs.lq))}; codes as the truth's {(found == true).float().mean():.1%}"
    )
    yield Finding("ldbfr-stage-a", "severe", hit)


def clrface(pairs: Pairs) -> Iterator[Finding]:
    """Guided to whom the IRN saw, and to the truth."""
    loaded = load("clrface")
    pipeline = loaded.pipeline_of(CLRFacePipeline)
    net, schedule = pipeline.unet, pipeline.scheduler
    with frozen_pass():
        clean, condition = pipeline.encode(pairs.truth), pipeline.encode_degraded(pairs.lq)
        decoded = pipeline.vqgan.decode(condition).float() / 2 + 0.5
    errors = errors_by_timestep(schedule, clean, lambda noisy, t: net(torch.cat([noisy, condition], dim=1), t))
    yield Finding("clrface-prior", "x0 error of a look at t, by that of the mean latent", errors)
    yield Finding("clrface-encoder", "severe, z_d decoded", pairs.tell(decoded.clamp(0, 1)))
    yield Finding("clrface-irn", "severe", pairs.tell(in_batches(pipeline.recover, pairs.lq)))
    for name, references in (("the IRN's", None), ("the truth's", list(pairs.truth[:, None]))):
        yield Finding(
            "clrface", f"severe, guided to {name} identity", pairs.tell(restored_bare(loaded, pairs.lq, references))
        )


def identity(pairs: Pairs) -> Iterator[Finding]:
    """The same photograph clean and degraded, beside two people's."""
    net = load_identity("mini")
    same, others = (alike(net, pairs.lq, truth) for truth in (pairs.truth, pairs.truth.roll(1, dims=0)))
    yield Finding(
        "identity", "a severely degraded face and itself, a stranger", f"{same.mean():.3f}, {others.mean():.3f}"
    )


def restored_bare(loaded: LoadedMethod, lq: Tensor, references: list[Tensor] | None) -> Tensor:
    """A method with what its weights are best run with, bare: the finish would hide what its own nets give."""
    settings: dict[str, Any] = asdict(loaded.options) | {"finish": 0}
    with frozen_pass():
        out = loaded(
            lq,
            references=references,
            generator=torch.Generator().manual_seed(0),
            batch_size=AT_ONCE,
            **settings,
        )
    return out.images.float()


def measure(data: Path, split: Split = "val", limit: int = 32) -> Iterator[Finding]:
    """All findings, as they come.

    Args:
        data: folder of aligned faces with its tables.
        split: where the faces come from.
        limit: how many of them, evenly spread.
    """
    pairs = Pairs.of(FaceSet.open(data, split).spread(limit))
    yield from estimator(pairs, Pairs.of(FaceSet.open(data, "train").spread(limit)))
    for of in (difface, first_stages, refldm, ldbfr, clrface, identity):
        yield from of(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.ceilings", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--split", choices=get_args(Split), default="val")
    parser.add_argument("--limit", type=int, default=32, help="faces")
    arguments = parser.parse_args()
    if arguments.limit < 2:
        parser.error("--limit takes 2 or more faces: each needs a stranger.")
    for finding in measure(arguments.data, arguments.split, arguments.limit):
        print(f"{finding.net}: {finding.asked}: {finding.found}", flush=True)


if __name__ == "__main__":
    main()
