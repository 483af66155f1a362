"""Recipe: CLR-Face's identity recovery network (section 3 of its notes, S4). Its pictures may be soft; a recogniser
must see the right person in them."""

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
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.nets.recovery import IdentityRecovery
from limner.nets.swinir import SwinIR
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import MEASURED, FixedFaces
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.refldm.vqgan import Difference, l1, root_mse
from limner.weights.load import load_identity, load_net


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

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        nn.Module.to(self.identity, batch["image"].device)
        recovered, truth = model(batch["lq"]).float(), batch["image"]
        loss = self.reconstruction(recovered * 2 - 1, truth * 2 - 1)
        if self.perceptual:
            loss = loss + 0.5 * self.perceptual(recovered * 2 - 1, truth * 2 - 1)
        with torch.no_grad():
            wanted = self.identity(truth)
        return loss + self.weight * (1 - (self.identity(recovered) * wanted).sum(dim=1)).mean()


def clrface_irn(data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0) -> Recipe:
    """The identity recovery network's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, behind `mini/difface-estimator`, which stays; or `paper`, 512 px, a SwinIR and the
            decided settings, with limner's own recogniser for ArcFace and features of a net of its own for LPIPS.
        seed: of initialisation, data order and degradations.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    identity = load_identity("mini")
    if preset == "paper":
        return Recipe(
            name="clrface-irn",
            model=SwinIR(),
            data=RestorationPairs(faces, 512, seed, {"gfpgan": 1}),
            loss=RecoveryLoss(identity, perceptual=estimator_features()),
            steps=200_000,
            batch=16,
            accumulate=4,
            lr=1e-4,
            final_lr=1e-6,
            validate=Measure(validation, 512, 16, identity=identity),
            preview=Preview(validation, 512, 4, identity=identity),
            seed=seed,
        )
    estimator = cast(Estimator, load_net("mini/difface-estimator"))
    net = IdentityRecovery(
        sample_size=256,
        estimator_config={key: value for key, value in estimator.config.items() if not key.startswith("_")},
        borrows={"estimator": "mini/difface-estimator"},
    )
    net.estimator.load_state_dict(estimator.state_dict())
    net.estimator.requires_grad_(False)
    return Recipe(
        name="clrface-irn",
        model=net,
        data=RestorationPairs(faces, 256, seed, MIX, grey=0.1),
        loss=RecoveryLoss(identity, weight=6.0, reconstruction=root_mse),
        steps=250,
        batch=8,
        lr=1e-3,
        final_lr=1e-5,
        warmup=30,
        betas=(0.9, 0.99),
        clip=2.0,
        ema=0.99,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 64, identity=identity),
        preview=Preview(validation, 256, 4, identity=identity),
        seed=seed,
    )


@dataclass(kw_only=True)
class _Recovering(FixedFaces):
    """And how to recover them."""

    identity: IdentityNet

    def recover(self, model: nn.Module, lq: np.ndarray) -> np.ndarray:
        """One face, (S, S, 3) uint8 to the same."""
        device = next(model.parameters()).device
        return to_picture(model(to_tensor(lq)[None].to(device))[0].float().clamp(0, 1))


class Measure(_Recovering):
    """PSNR of recovered validation faces, and how like the truth they are by the recogniser of the loss."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        figures = {}
        for preset in MEASURED:
            pairs = [(self.recover(model, lq), truth) for lq, truth in self.pairs(preset)]
            figures[f"{preset} psnr"] = float(np.mean([psnr(a, b) for a, b in pairs]))
            device = self.identity.device
            alike = [self.identity(torch.stack([to_tensor(a), to_tensor(b)]).to(device)) for a, b in pairs]
            figures[f"{preset} identity"] = float(np.mean([float(a @ b) for a, b in alike]))
        return figures


class Preview(_Recovering):
    """Input, recovered face and truth of validation faces."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [[lq, self.recover(model, lq), truth] for preset in MEASURED for lq, truth in self.pairs(preset)]
        return contact_sheet(rows, ["input", "recovered", "truth"])
