"""Recipe: CLR-Face's mask (docs/methods/clrface.md, eq. (16)): where in the latent identity guidance helps. All else
is frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import estimator_features
from limner.methods.clrface import CLRFacePipeline, guided_timesteps, mask_picture
from limner.methods.identity_guidance import IdentityGuidance
from limner.methods.options import CLRFaceOptions, MaskKind
from limner.methods.pipeline import walk
from limner.methods.schedules import clean_estimate, clrface_schedule
from limner.nets.guidance_mask import PredictedMask, StaticMask
from limner.nets.identity import IdentityNet
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.clrface.prior import load_encoder
from limner.train.recipes.refldm.vqgan import Difference, l1
from limner.train.starting import load_first_stage
from limner.train.validation import Pair, Validation, likeness, mean, severely_degraded_faces
from limner.weights.load import load_identity, load_net

SPARSITY = 0.002
"""What an open mask costs the embedded one. A step that the recogniser bears (s of 0.01) wins the loss some
thousandths, and at the decided 0.05 the cost of an open mask would be the larger by far."""
STEPS, GUIDANCE = 4, 0.01
"""Of the chains in which the embedded mask is trained and validated."""
KINDS: tuple[MaskKind, ...] = ("learned", "one", "zero")
TRAINING = {
    "mini": MiniTraining(steps=60, batch=4, lr=3e-3, final_lr=1e-5, warmup=10, betas=(0.9, 0.999), clip=1.0, ema=0.95),
    "paper": Training(steps=20_000, batch=16, lr=1e-4, final_lr=1e-5, warmup=10, clip=1.0, ema=0.999),
}
Mask = PredictedMask | StaticMask


@dataclass
class MaskLoss:
    """One guided update of the estimate at a random guided step of a chain, and what became of the picture:

        perceptual(G(z_0'), x) + |G(z_0') - x| + 0.5 (1 - cos(R2(G(z_0')), R2(x))) + sparsity * mean M

    The guidance's direction is a constant to it. The estimate is the chain's own, from noise on. That of the noised
    truth would be nearer to the truth than the identity recovery network's guess can be, so that any guidance would
    harm it and the mask would learn to close.

    Attributes:
        pipeline: all nets but the mask; frozen.
        perceptual: compares pictures in [-1, 1].
        judge: R2, crops in [0, 1] to unit vectors, frozen; better another one than guides.
        scale: s is drawn up to this. Much larger ones overshoot and make a face less like anybody, and the mask closes.
        identity: weight of the identity term.
        sparsity: what an open mask costs.
        steps: of the chain.
    """

    pipeline: CLRFacePipeline
    perceptual: Difference
    judge: IdentityNet
    scale: float = 0.02
    identity: float = 0.5
    sparsity: float = 0.05
    steps: int = 50

    def __post_init__(self) -> None:
        for part in (*self.parts(), self.judge):
            part.eval().requires_grad_(False)

    def parts(self) -> tuple[nn.Module, ...]:
        """What the pipeline's guided update needs."""
        made = self.pipeline
        return made.vqgan, made.encoder, made.unet, made.irn, made.identity

    def __call__(self, model: Mask, batch: Batch, generator: torch.Generator) -> Tensor:
        made, truth = self.pipeline, batch["image"]
        for part in (*self.parts(), self.judge):
            nn.Module.to(part, truth.device)
        with torch.no_grad():
            condition, recovered = made.encode_degraded(batch["lq"]), made.recover(batch["lq"])
            options = CLRFaceOptions(steps=self.steps)
            scheduler, chain = made.chain(options)
            guided = guided_timesteps(chain, options.guide_below, options.guide_every)
            able = [place for place, t in enumerate(chain.tolist()) if t in guided]
            place = able[int(torch.randint(0, len(able), (), generator=generator))]
            noise = torch.randn(condition.shape, generator=generator).to(condition)
            unguided = partial(made.predict, condition)
            noisy = walk(noise, scheduler, chain[:place], unguided, 0.0, [])
            times = torch.full((len(truth),), int(chain[place]), device=truth.device)
            abar = scheduler.alphas_cumprod[chain[place]].to(truth.device)
            predicted = made.predict(condition, noisy, times)
            z0 = clean_estimate(scheduler, predicted, noisy, abar)
            seen, wanted, looked_for = made.encode(recovered), made.identity(recovered), self.judge(truth)
        scale = self.scale * float(torch.rand((), generator=generator))
        guide = IdentityGuidance(made.vqgan, made.identity, wanted, scale, lambda z0, t: model(z0, seen, t))
        shift, mask = guide.shift(z0, times, abar)
        picture = made.vqgan.decode(z0 - shift).float()
        truth = truth * 2 - 1
        unlike = (1 - (self.judge(picture / 2 + 0.5) * looked_for).sum(dim=1)).mean()
        loss = self.perceptual(picture, truth) + l1(picture, truth) + self.identity * unlike
        return loss + self.sparsity * mask.mean()


def clrface_mask(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    prior: str | Path = "mini/clrface-prior",
    irn: str | Path = "mini/clrface-irn",
    judge: str | Path = "mini",
) -> Recipe[PredictedMask]:
    """The mask's recipe, of variant B, which is found in the face itself.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px; or `paper`, 512 px and 20,000 steps (limner's choice).
        seed: of initialisation, data order, degradations and noise.
        first_stage, encoder, prior, irn: what the other recipes of CLR-Face left: names of the catalogue or folders.
        judge: the recogniser of the loss, as `load_identity` takes it. `mini` also guides; one of your own
            (`limner train identity --seed 1`) sees through what merely pleases the first.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    torch.manual_seed(seed)
    vqgan, unet = load_first_stage(first_stage), load_net(prior)
    if not isinstance(unet, UNet):
        raise WeightsError(f"{prior} holds another net than a UNet: see `limner train clrface-prior`.")
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size, channels = int(vqgan.config["sample_size"]), int(vqgan.config["latent_channels"])
    paper = preset == "paper"
    schedule = clrface_schedule("epsilon" if paper else "sample")
    mask = PredictedMask(channels, width=64 if paper else 32)
    pipeline = CLRFacePipeline(vqgan, load_encoder(encoder), unet, load_net(irn), mask, load_identity("mini"), schedule)
    loss = MaskLoss(pipeline, estimator_features(), load_identity(judge))
    return Recipe(
        name="clrface-mask",
        model=mask,
        data=RestorationPairs(faces, size, seed, {"gfpgan": 1} if paper else MIX, grey=0.0 if paper else 0.1),
        loss=loss if paper else replace(loss, sparsity=SPARSITY, steps=STEPS),
        training=TRAINING[preset],
        validation=Validation[PredictedMask, Pair, dict[MaskKind, Guided]](
            cases=lambda: severely_degraded_faces(validation.first(8), size),
            attempt=lambda net, pair: under_masks(pipeline, net, pair.lq),
            figures=lambda trials: figures_of_masks(trials, pipeline.identity),
            row=lambda pair, guided: {
                "input": pair.lq,
                "mask 0": guided["zero"].picture,
                "learned mask": guided["learned"].picture,
                "the mask": to_picture(mask_picture(guided["learned"].mask, size)),
                "truth": pair.truth,
            },
        ),
        seed=seed,
    )


class Guided(NamedTuple):
    """A restoration, (S, S, 3) uint8, and the mean mask that it was guided under."""

    picture: np.ndarray
    mask: Tensor


def under_masks(pipeline: CLRFacePipeline, net: PredictedMask, lq: np.ndarray) -> dict[MaskKind, Guided]:
    """One degraded face restored under each kind of mask."""
    pipeline.mask = net
    for part in pipeline.components.values():
        if isinstance(part, nn.Module):
            nn.Module.to(part, net.device)
    made = {}
    for kind in KINDS:
        out = pipeline(to_tensor(lq)[None], steps=STEPS, guidance=GUIDANCE, mask=kind)
        made[kind] = Guided(to_picture(out.images[0]), out.masks[0])
    return made


def figures_of_masks(
    trials: Sequence[tuple[Pair, dict[MaskKind, Guided]]], recogniser: IdentityNet
) -> dict[str, float]:
    """PSNR and likeness under the learned mask, all of it and none; how open the learned one is."""
    figures: dict[str, float] = {}
    alike = likeness(recogniser)
    for kind in KINDS:
        figures[f"psnr {kind}"] = mean(psnr(guided[kind].picture, pair.truth) for pair, guided in trials)
        figures[f"identity {kind}"] = mean(alike(guided[kind].picture, pair.truth) for pair, guided in trials)
        if kind == "learned":
            figures["open"] = mean(float(guided[kind].mask.mean()) for _, guided in trials)
    return figures
