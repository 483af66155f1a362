"""Recipe: CLR-Face's identity recovery network (docs/methods/clrface.md, eq. (8)). Its pictures may be soft; a
recogniser must see the right person in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.nets.recovery import IdentityRecovery
from limner.nets.swinir import SwinIR
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.refldm.vqgan import Difference, l1, root_mse
from limner.train.validation import MEASURED, degraded_faces, likeness, restorations, through
from limner.weights.load import load_identity, load_net

TRAINING = {
    "mini": MiniTraining(steps=250, batch=8, lr=1e-3, final_lr=1e-5, warmup=30, clip=2.0, ema=0.99),
    "paper": Training(steps=200_000, batch=16, accumulate=4, lr=1e-4, final_lr=1e-6),
}


@dataclass
class RecoveryLoss:
    """Reconstruction + 0.5 perceptual + weight * (1 - cos(R(IRN(y)), R(x))).

    Attributes:
        identity: R, frozen.
        weight: of the identity term.
        reconstruction: compares pictures in [-1, 1].
        perceptual: likewise; None for none.
    """

    identity: IdentityNet
    weight: float = 1.0
    reconstruction: Difference = l1
    perceptual: Difference | None = None

    def __post_init__(self) -> None:
        self.identity.eval().requires_grad_(False)

    def __call__(self, model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
        nn.Module.to(self.identity, batch["image"].device)
        recovered, truth = model(batch["lq"]).float(), batch["image"]
        loss = self.reconstruction(recovered * 2 - 1, truth * 2 - 1)
        if self.perceptual:
            loss = loss + 0.5 * self.perceptual(recovered * 2 - 1, truth * 2 - 1)
        with torch.no_grad():
            wanted = self.identity(truth)
        return loss + self.weight * (1 - (self.identity(recovered) * wanted).sum(dim=1)).mean()


def clrface_irn(data: Path, preset: Preset = "mini", seed: int = 0) -> Recipe[ModelMixin]:
    """The identity recovery network's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, after `mini/difface-estimator`, which stays; or `paper`, 512 px, a SwinIR and the
            decided settings, with limner's own recogniser for ArcFace and features of a net of its own for LPIPS.
        seed: of initialisation, data order and degradations.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    identity = load_identity("mini")
    if preset == "paper":
        size, limit = 512, 16
        net, loss = SwinIR(), RecoveryLoss(identity, perceptual=estimator_features())
        pairs = RestorationPairs(faces, size, seed, {"gfpgan": 1})
    else:
        size, limit = 256, 64
        net, loss = mini_recovery(), RecoveryLoss(identity, weight=6.0, reconstruction=root_mse)
        pairs = RestorationPairs(faces, size, seed, MIX, grey=0.1)
    return Recipe(
        name="clrface-irn",
        model=net,
        data=pairs,
        loss=loss,
        training=TRAINING[preset],
        validation=restorations(
            lambda: degraded_faces(validation.first(limit), size, MEASURED),
            through,
            {"psnr": psnr, "identity": likeness(identity)},
            heading="recovered",
        ),
        seed=seed,
    )


def mini_recovery() -> IdentityRecovery:
    """A small net after the embedded estimator, which stays."""
    estimator = load_net("mini/difface-estimator", Estimator)
    net = IdentityRecovery(
        sample_size=256,
        estimator_config={key: value for key, value in estimator.config.items() if not key.startswith("_")},
        borrows={"estimator": "mini/difface-estimator"},
    )
    net.estimator.load_state_dict(estimator.state_dict())
    net.estimator.requires_grad_(False)
    return net
