"""Recipe: CLR-Face's E_d, the twin of the first stage's encoder that reads degraded faces (section 3 of its
notes, S2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.evaluate.metrics import psnr
from limner.evaluate.perceptual import estimator_features
from limner.evaluate.report import contact_sheet
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.estimator import Estimator
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import MEASURED, FixedFaces
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.refldm.refldm import load_first_stage
from limner.train.recipes.refldm.vqgan import Difference
from limner.weights.load import load_net

MIX = {"ffhq-ref-severe": 5, "ffhq-ref-moderate": 3, "gfpgan": 2}
"""Degradations that CLR-Face's embedded nets learn from, and how often each is drawn."""


@dataclass
class TwinLoss:
    """mean |z_d - E(x)| + 0.25 mean (z_d - q(E(x)))^2 + weight * perceptual(G(q(z_d)), x), in deviations of the latent.

    Attributes:
        vqgan: E, q and G, frozen.
        perceptual: compares pictures in [-1, 1]; None for none.
        weight: of it.
    """

    vqgan: VQGAN
    perceptual: Difference | None = None
    weight: float = 0.1

    def __post_init__(self) -> None:
        self.vqgan.eval().requires_grad_(False)

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        truth = batch["image"] * 2 - 1
        nn.Module.to(self.vqgan, truth.device)
        scale = self.vqgan.scale
        with torch.no_grad():
            clean = self.vqgan.encode(truth).float()
            codes = self.vqgan.quantise(clean * scale)[0] / scale
        found = model(batch["lq"]).float() / scale
        loss = (found - clean).abs().mean() + 0.25 * (found - codes).square().mean()
        if self.perceptual:
            loss = loss + self.weight * self.perceptual(self.vqgan.decode(found).float(), truth)
        return loss


def clrface_encoder(
    data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0, first_stage: str | Path = "mini/clrface-vqgan"
) -> Recipe:
    """The twin's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, behind `mini/difface-estimator`, which stays; or `paper`, 512 px and the decided
            settings, with features of a net of limner's own in place of LPIPS.
        seed: of data order and degradations.
        first_stage: the VQGAN, a name of the catalogue or a folder (recipe `clrface-vqgan`).

    Raises:
        WeightsError: if there is no such VQGAN.
    """
    torch.manual_seed(seed)
    vqgan = load_first_stage(first_stage)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size = int(vqgan.config["sample_size"])
    if preset == "paper":
        return Recipe(
            name="clrface-encoder",
            model=DegradedEncoder.beside(vqgan),
            data=RestorationPairs(faces, size, seed, {"gfpgan": 1}),
            loss=TwinLoss(vqgan, estimator_features()),
            steps=100_000,
            batch=16,
            accumulate=2,
            lr=1e-4,
            final_lr=1e-4,
            validate=Measure(validation, size, 16, vqgan=vqgan),
            preview=Preview(validation, size, 4, vqgan=vqgan),
            seed=seed,
        )
    estimator = cast(Estimator, load_net("mini/difface-estimator"))
    return Recipe(
        name="clrface-encoder",
        model=DegradedEncoder.beside(vqgan, estimator, {"estimator": "mini/difface-estimator"}),
        data=RestorationPairs(faces, size, seed, MIX, grey=0.1),
        loss=TwinLoss(vqgan),
        steps=250,
        batch=8,
        lr=5e-4,
        final_lr=5e-6,
        warmup=30,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.99,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, size, 32, vqgan=vqgan),
        preview=Preview(validation, size, 4, vqgan=vqgan),
        seed=seed,
    )


@dataclass(kw_only=True)
class _Decoding(FixedFaces):
    """And how to see what the twin makes of them."""

    vqgan: VQGAN

    def restore(self, model: nn.Module, lq: np.ndarray) -> np.ndarray:
        """One face, (S, S, 3) uint8 to the same: its z_d, decoded."""
        net = cast(DegradedEncoder, getattr(model, "module", model))
        nn.Module.to(self.vqgan, net.device)
        found = net(to_tensor(lq)[None].to(net.device)).float() / self.vqgan.scale
        return to_picture(self.vqgan.decode(found)[0].float() / 2 + 0.5)


class Measure(_Decoding):
    """PSNR of z_d, decoded, on degraded validation faces."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        return {
            f"{preset} psnr": float(np.mean([psnr(self.restore(model, lq), truth) for lq, truth in self.pairs(preset)]))
            for preset in MEASURED
        }


class Preview(_Decoding):
    """Input, z_d decoded, and truth of validation faces."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [[lq, self.restore(model, lq), truth] for preset in MEASURED for lq, truth in self.pairs(preset)]
        return contact_sheet(rows, ["input", "z_d", "truth"])
