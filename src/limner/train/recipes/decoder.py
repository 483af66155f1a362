"""Recipes: the decoder of a first stage alone, tuned for sharpness (Esser et al. 2021).

Encoder and codes stay as they are, to the bit, so that every net trained in the latent keeps its meaning. What a
method gives is smoother than the latent of a photograph; a decoder that has seen only the latter would decode it
smoothly. So half of the latents are restorations, and the discriminator asks the same sharpness of both; what the
estimator's own layers see in a face holds that sharpness to its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs, fixed_pairs
from limner.device import frozen_pass
from limner.evaluate.metrics import detail_ratio, psnr
from limner.evaluate.perceptual import estimator_features
from limner.evaluate.report import contact_sheet
from limner.methods.clrface import CLRFACE, CLRFacePipeline
from limner.methods.refldm import REFLDM, RefLDMPipeline
from limner.methods.schedules import clrface_schedule, refldm_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.guidance_mask import StaticMask
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss, Adversary
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.clrface.prior import load_encoder
from limner.train.recipes.refldm.refldm import load_first_stage
from limner.train.recipes.refldm.vqgan import Difference, l1, root_mse
from limner.weights.load import load_identity, load_net

Restorer = Callable[[Tensor, torch.Generator], Tensor]
"""Degraded faces (B, 3, S, S) in [0, 1] and a generator of noise, to latents as `VQGAN.encode` gives them."""

EPOCHS = 2
"""Passes over the faces after which the same degradations, and so the same latents, come again."""


class Latents:
    """An endless stream of windows of latents with the picture that each should become.

    Sample n is {"latent": (C, w, w), "image": (3, W, W) in [0, 1]}. Half are latents of clean faces, the others what a
    restorer makes of degraded ones. A latent is made once and kept.

    Args:
        pairs: degraded and clean faces.
        vqgan: whose encoder makes the latents of clean faces; frozen.
        restorers: drawn with equal chances.
        window: w.
    """

    def __init__(self, pairs: RestorationPairs, vqgan: VQGAN, restorers: Mapping[str, Restorer], window: int):
        self.pairs, self.vqgan, self.restorers, self.window = pairs, vqgan, restorers, window
        self._kept: dict[int, Tensor] = {}

    def __getitem__(self, n: int) -> Batch:
        same = n % (EPOCHS * len(self.pairs.faces))
        pair, _, generator = self.pairs.pair(same)
        kind, seed = generator.random(), int(generator.integers(2**31))
        latent = self._latent(same, pair, kind, seed)
        window, times = self.window, self.vqgan.factor
        places = latent.shape[-1] - window + 1
        y, x = np.random.default_rng((self.pairs.seed, 2, n)).integers(0, places, 2).tolist()
        cut = pair["image"][:, y * times : (y + window) * times, x * times : (x + window) * times]
        seen = latent[:, y : y + window, x : x + window].float()
        return {"latent": seen, "image": cut}

    def _latent(self, key: int, pair: Batch, kind: float, seed: int) -> Tensor:
        if key not in self._kept:
            with frozen_pass():
                if kind < 0.5:
                    made = self.vqgan.encode(pair["image"][None] * 2 - 1)
                else:
                    names = list(self.restorers)
                    restorer = self.restorers[names[int((kind - 0.5) * 2 * len(names))]]
                    made = restorer(pair["lq"][None], torch.Generator().manual_seed(seed))
            self._kept[key] = made[0].to(torch.float16)
        return self._kept[key]


@dataclass
class SharpLoss(AdversarialLoss):
    """Reconstruction + perceptual + adversarial term, for clean faces and restored ones alike.

    Attributes:
        reconstruction: compares pictures in [-1, 1].
        adversary: the adversarial term; its discriminator learns from the first step on.
        perceptual: compares pictures likewise; None for none.
    """

    reconstruction: Difference
    adversary: Adversary
    perceptual: Difference | None = None

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        net = cast(VQGAN, getattr(model, "module", model))
        truth = batch["image"] * 2 - 1
        made = net.decode(batch["latent"]).float()
        loss = self.reconstruction(made, truth)
        if self.perceptual:
            loss = loss + self.perceptual(made, truth)
        self.adversary.learn(truth, made.detach())
        if self.adversary.active(self.step):
            loss = loss + self.adversary.fool(made, loss, at=net.decoder.head.weight)
        self.step += 1
        return loss


def vqgan_decoder(
    data: Path,
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    stage_a: str | Path = "mini/ldbfr-stage-a",
    prior: str | Path = "mini/refldm",
) -> Recipe:
    """The decoder that ReF-LDM and LD-BFR share, on their restorations and on clean faces.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`; or `paper`, limner's choice of settings for the published sizes.
        seed: of data order, degradations and noise.
        first_stage: the VQGAN that is tuned: a name of the catalogue, or a folder.
        stage_a, prior: what restores: LD-BFR's stage A and ReF-LDM's U-Net.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    vqgan = load_first_stage(first_stage)
    paper = preset == "paper"
    stage, unet = cast(StageA, load_net(stage_a)), cast(UNet, load_net(prior))
    pipeline = RefLDMPipeline(load_first_stage(first_stage), unet, refldm_schedule("epsilon" if paper else "sample"))
    steps = 50 if paper else REFLDM.mini.steps

    def by_refldm(lq: Tensor, generator: torch.Generator) -> Tensor:
        return pipeline(lq, steps=steps, timestep_spacing="trailing", generator=generator).latents

    def by_stage_a(lq: Tensor, generator: torch.Generator) -> Tensor:
        return stage(lq).feature

    restorers: dict[str, Restorer] = {"refldm": by_refldm, "stage A": by_stage_a}
    return _recipe("vqgan-decoder", vqgan, restorers, data, preset, seed)


def clrface_decoder(
    data: Path,
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    prior: str | Path = "mini/clrface-prior",
) -> Recipe:
    """CLR-Face's decoder, on its unguided restorations and on clean faces.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`; or `paper`, limner's choice of settings for the decided sizes.
        seed: of data order, degradations and noise.
        first_stage: the VQGAN that is tuned: a name of the catalogue, or a folder.
        encoder, prior: what restores: the twin encoder and the score network.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    vqgan = load_first_stage(first_stage)
    paper = preset == "paper"
    nets = load_first_stage(first_stage), load_encoder(encoder), cast(UNet, load_net(prior))
    schedule = clrface_schedule("epsilon" if paper else "sample")
    # nothing guides here, so that the identity recovery network and the mask are never asked
    pipeline = CLRFacePipeline(*nets, load_net("mini/clrface-irn"), StaticMask(3), load_identity("mini"), schedule)
    steps = 50 if paper else CLRFACE.mini.steps

    def by_clrface(lq: Tensor, generator: torch.Generator) -> Tensor:
        return pipeline(lq, steps=steps, guidance=0.0, generator=generator).latents

    return _recipe("clrface-decoder", vqgan, {"clrface": by_clrface}, data, preset, seed)


def _recipe(name: str, vqgan: VQGAN, restorers: Mapping[str, Restorer], data: Path, preset: str, seed: int) -> Recipe:
    torch.manual_seed(seed)
    frozen = load_copy(vqgan)
    vqgan.requires_grad_(False)
    vqgan.decoder.requires_grad_(True)
    vqgan.from_latent.requires_grad_(True)
    size = int(vqgan.config["sample_size"])
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    paper = preset == "paper"
    discriminator = PatchDiscriminator(width=64 if paper else 32)
    adversary = Adversary(100, 0.8, discriminator, lr=2e-4, r1=2.0)
    loss = SharpLoss(l1 if paper else root_mse, adversary, estimator_features())
    measured = Restored(validation, size, 24, frozen, restorers)
    return Recipe(
        name=name,
        model=vqgan,
        data=Latents(RestorationPairs(faces, size, seed, MIX, grey=0.1), frozen, restorers, size // vqgan.factor // 2),
        loss=loss,
        memory=loss,
        steps=20_000 if paper else 1_500,
        batch=16 if paper else 8,
        lr=1e-4 if paper else 4e-4,
        final_lr=1e-5,
        warmup=50,
        betas=(0.5, 0.9) if paper else (0.9, 0.99),
        clip=5.0,
        ema=0.998,
        precision="fp32" if paper else "bf16",
        export="fp32" if paper else "fp16",
        validate=measured,
        preview=measured.sheet,
        seed=seed,
    )


def load_copy(vqgan: VQGAN) -> VQGAN:
    """A frozen twin, which goes on encoding as before."""
    twin = cast(VQGAN, VQGAN.from_config(vqgan.config))
    twin.load_state_dict(vqgan.state_dict())
    return twin.eval().requires_grad_(False)


@dataclass
class Restored:
    """Validation faces as latents: clean ones, and what each restorer makes of severely degraded ones.

    Attributes:
        faces: of the validation split.
        size: side in pixels.
        limit: how many.
        vqgan: whose encoder makes the latents of clean faces.
        restorers: of the degraded ones.
    """

    faces: FaceSet
    size: int
    limit: int
    vqgan: VQGAN
    restorers: Mapping[str, Restorer]
    made: list[tuple[np.ndarray, np.ndarray, dict[str, Tensor]]] = field(default_factory=list)

    def rows(self) -> list[tuple[np.ndarray, np.ndarray, dict[str, Tensor]]]:
        """(degraded, clean, latents by name) of each face."""
        if not self.made:
            for number, (lq, truth) in enumerate(
                fixed_pairs(self.faces.first(self.limit), self.size, "ffhq-ref-severe")
            ):
                with frozen_pass():
                    latents = {"clean": self.vqgan.encode(to_tensor(truth)[None] * 2 - 1).float()}
                    for name, restorer in self.restorers.items():
                        latents[name] = restorer(to_tensor(lq)[None], torch.Generator().manual_seed(number))
                self.made.append((lq, truth, latents))
        return self.made

    def pictures(self, model: nn.Module) -> list[dict[str, np.ndarray]]:
        """What the decoder makes of the latents of each face."""
        net = cast(VQGAN, getattr(model, "module", model))
        return [
            {name: to_picture(net.decode(one.to(net.device))[0].float() / 2 + 0.5) for name, one in latents.items()}
            for _, _, latents in self.rows()
        ]

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """PSNR and detail ratio by name."""
        decoded, figures = self.pictures(model), {}
        for name in ("clean", *self.restorers):
            pairs = [(one[name], truth) for one, (_, truth, _) in zip(decoded, self.rows(), strict=True)]
            figures[f"{name} psnr"] = float(np.mean([psnr(a, b) for a, b in pairs]))
            figures[f"{name} detail"] = float(np.mean([detail_ratio(a, b) for a, b in pairs]))
        return figures

    def sheet(self, model: nn.Module) -> np.ndarray:
        """A contact sheet of the first faces."""
        rows = [
            [lq, *one.values(), truth] for one, (lq, truth, _) in zip(self.pictures(model), self.rows(), strict=True)
        ]
        return contact_sheet(rows[:6], ["input", "clean, rebuilt", *self.restorers, "truth"])
