"""Recipe: CLR-Face's E_d, the twin of the first stage's encoder that reads degraded faces (docs/methods/clrface.md,
eq. (3))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.estimator import Estimator
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.refldm.vqgan import Difference
from limner.train.starting import load_first_stage
from limner.train.validation import MEASURED, degraded_faces, restorations
from limner.weights.load import load_net

MIX = {"ffhq-ref-severe": 5, "ffhq-ref-moderate": 3, "gfpgan": 2}
"""Degradations that CLR-Face's embedded nets learn from, and how often each is drawn."""
TRAINING = {
    "mini": MiniTraining(steps=250, batch=8, lr=5e-4, final_lr=5e-6, warmup=30, clip=1.0, ema=0.99),
    "paper": Training(steps=100_000, batch=16, accumulate=2, lr=1e-4, final_lr=1e-4),
}


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

    def __call__(self, model: DegradedEncoder, batch: Batch, generator: torch.Generator) -> Tensor:
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
    data: Path, preset: Preset = "mini", seed: int = 0, first_stage: str | Path = "mini/clrface-vqgan"
) -> Recipe[DegradedEncoder]:
    """The twin's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, after `mini/difface-estimator`, which stays; or `paper`, 512 px and the decided
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
        net, loss, limit = DegradedEncoder.for_vqgan(vqgan), TwinLoss(vqgan, estimator_features()), 16
        pairs = RestorationPairs(faces, size, seed, {"gfpgan": 1})
    else:
        estimator = load_net("mini/difface-estimator", Estimator)
        net = DegradedEncoder.for_vqgan(vqgan, estimator, {"estimator": "mini/difface-estimator"})
        loss, limit = TwinLoss(vqgan), 32
        pairs = RestorationPairs(faces, size, seed, MIX, grey=0.1)

    def restored(net: DegradedEncoder, lq: np.ndarray) -> np.ndarray:
        return seen_and_decoded(net, vqgan, lq)

    return Recipe(
        name="clrface-encoder",
        model=net,
        data=pairs,
        loss=loss,
        training=TRAINING[preset],
        validation=restorations(
            lambda: degraded_faces(validation.first(limit), size, MEASURED),
            restored,
            {"psnr": psnr},
            heading="z_d",
        ),
        seed=seed,
    )


def seen_and_decoded(net: DegradedEncoder, vqgan: VQGAN, lq: np.ndarray) -> np.ndarray:
    """One degraded face, (S, S, 3) uint8, to its z_d, decoded."""
    nn.Module.to(vqgan, net.device)
    found = net(to_tensor(lq)[None].to(net.device)).float() / vqgan.scale
    return to_picture(vqgan.decode(found)[0].float() / 2 + 0.5)
