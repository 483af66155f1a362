"""Recipe: CLR-Face's mask (section 4 of its notes, S5): where in the latent identity guidance helps. All else is
frozen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.evaluate.metrics import psnr
from limner.evaluate.perceptual import estimator_features
from limner.evaluate.report import contact_sheet
from limner.methods.clrface import CLRFacePipeline, guided_timesteps, mask_picture
from limner.methods.identity_guidance import IdentityGuidance
from limner.methods.options import CLRFaceOptions, MaskKind
from limner.methods.pipeline import walk
from limner.methods.schedules import clean_estimate, clrface_schedule
from limner.nets.guidance_mask import PredictedMask
from limner.nets.identity import IdentityNet
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import FixedFaces
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.clrface.prior import load_encoder
from limner.train.recipes.refldm.refldm import load_first_stage
from limner.train.recipes.refldm.vqgan import Difference, l1
from limner.weights.load import load_identity, load_net

SPARSITY = 0.002
"""What an open mask costs the embedded one. A step that the recogniser bears (s of 0.01) wins the loss some
thousandths, and at the decided 0.05 the cost of an open mask would be the larger by far."""


@dataclass
class MaskLoss:
    """One guided update of the estimate at a random guided step of a chain, and what became of the picture:

        perceptual(G(z_0'), x) + |G(z_0') - x| + 0.5 (1 - cos(R2(G(z_0')), R2(x))) + sparsity * mean M

    The guidance's direction is a constant to it. The estimate is the chain's own, from noise on. That of the noised
    truth, which the notes have, is nearer to the truth than the identity recovery network's guess can be, so that any
    guidance harms it and the mask learns to close.

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

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
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
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    prior: str | Path = "mini/clrface-prior",
    irn: str | Path = "mini/clrface-irn",
    judge: str | Path = "mini",
) -> Recipe:
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
    suited: dict[str, Any] = {} if paper else {"sparsity": SPARSITY, "steps": 4}
    schedule = clrface_schedule("epsilon" if paper else "sample")
    mask = PredictedMask(channels, width=64 if paper else 32)
    pipeline = CLRFacePipeline(vqgan, load_encoder(encoder), unet, load_net(irn), mask, load_identity("mini"), schedule)
    return Recipe(
        name="clrface-mask",
        model=mask,
        data=RestorationPairs(faces, size, seed, {"gfpgan": 1} if paper else MIX, grey=0.0 if paper else 0.1),
        loss=MaskLoss(pipeline, estimator_features(), load_identity(judge), **suited),
        steps=20_000 if paper else 60,
        batch=16 if paper else 4,
        lr=1e-4 if paper else 3e-3,
        final_lr=1e-5,
        warmup=10,
        clip=1.0,
        ema=0.999 if paper else 0.95,
        precision="fp32" if paper else "bf16",
        export="fp32" if paper else "fp16",
        validate=Measure(validation, size, 8, pipeline=pipeline),
        preview=Preview(validation, size, 4, pipeline=pipeline),
        seed=seed,
    )


@dataclass(kw_only=True)
class _Guided(FixedFaces):
    """And how to restore them under the mask."""

    pipeline: CLRFacePipeline
    steps: int = 4
    guidance: float = 0.01

    def restore(self, model: nn.Module, lq: np.ndarray, mask: MaskKind) -> tuple[np.ndarray, Tensor]:
        """One face, (S, S, 3) uint8 to the same, and the mean mask."""
        net = getattr(model, "module", model)
        self.pipeline.mask = net
        for part in self.pipeline.components.values():
            if isinstance(part, nn.Module):
                nn.Module.to(part, next(model.parameters()).device)
        out = self.pipeline(to_tensor(lq)[None], steps=self.steps, guidance=self.guidance, mask=mask)
        return to_picture(out.images[0]), out.masks[0]


class Measure(_Guided):
    """PSNR and likeness of severely degraded validation faces under the mask, all of it and none; how open it is."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        figures: dict[str, float] = {}
        pairs = self.pairs("ffhq-ref-severe")
        kinds: tuple[MaskKind, ...] = ("learned", "one", "zero")
        for kind in kinds:
            made = [self.restore(model, lq, kind) for lq, _ in pairs]
            figures[f"psnr {kind}"] = float(np.mean([psnr(a, b) for (a, _), (_, b) in zip(made, pairs, strict=True)]))
            vectors = [
                self.pipeline.identity(torch.stack([to_tensor(a), to_tensor(b)]).to(self.pipeline.identity.device))
                for (a, _), (_, b) in zip(made, pairs, strict=True)
            ]
            figures[f"identity {kind}"] = float(np.mean([float(a @ b) for a, b in vectors]))
            if kind == "learned":
                figures["open"] = float(np.mean([float(mask.mean()) for _, mask in made]))
        return figures


class Preview(_Guided):
    """Input, restorations under no and the learned mask, that mask, and the truth."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = []
        for lq, truth in self.pairs("ffhq-ref-severe"):
            (free, _), (held, mask) = (self.restore(model, lq, kind) for kind in ("zero", "learned"))
            rows.append([lq, free, held, to_picture(mask_picture(mask, self.size)), truth])
        return contact_sheet(rows, ["input", "mask 0", "learned mask", "the mask", "truth"])
