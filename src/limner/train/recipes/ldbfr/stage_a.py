"""Recipe: LD-BFR's stage A, which restores a face in one pass (docs/methods/ldbfr.md, eq. (5)). The authors' losses
for it are not known; what is here is what their predecessors used, and the decisions are ours.

The codes and the decoder are those of clean faces and stay: only the encoder, slowly, and the dual cross-attention
learn to find them from degraded ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.nets.stage_a import StageA
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss, Adversary
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.ldbfr.injection import MIX
from limner.train.recipes.refldm.vqgan import Difference, l1, root_mse
from limner.train.starting import load_first_stage
from limner.train.validation import MEASURED, degraded_faces, device_of, likeness, restorations
from limner.weights.load import load_identity, load_net

TRAINING = {
    "mini": MiniTraining(steps=550, batch=4, lr=2e-3, final_lr=2e-5, warmup=20, lr_factors={"vqgan.encoder": 0.15}),
    "paper": Training(
        steps=150_000,
        batch=16,
        accumulate=2,
        lr=1e-4,
        final_lr=1e-4,
        lr_factors={"vqgan.encoder": 0.01},
        betas=(0.5, 0.9),
    ),
}


@dataclass
class StageALoss(AdversarialLoss):
    """Reconstruction, likeness, commitment and, from some step on, an adversarial term.

    Attributes:
        reconstruction: compares the restored picture and the truth.
        perceptual: as well, added; None for none.
        identity: a recogniser, frozen, or None.
        identity_weight: of 1 - cos between its vectors of the restored face and of the truth.
        commitment: weight of the squared distance from Y to its codes.
        adversary: the adversarial term. Its weight is found at the pictures, as the decoder is frozen.
    """

    reconstruction: Difference
    perceptual: Difference | None = None
    identity: IdentityNet | None = None
    identity_weight: float = 1.0
    commitment: float = 0.25
    adversary: Adversary = field(default_factory=Adversary)

    def __post_init__(self) -> None:
        if self.identity is not None:
            self.identity.eval().requires_grad_(False)

    def __call__(self, model: StageA, batch: Batch, generator: torch.Generator) -> Tensor:
        truth = batch["image"] * 2 - 1
        out = model(batch["lq"])
        restored = model.decode(out.feature).float()
        loss = self.reconstruction(restored, truth)
        if self.perceptual:
            loss = loss + self.perceptual(restored, truth)
        if self.identity is not None:
            nn.Module.to(self.identity, truth.device)
            with torch.no_grad():
                wanted = self.identity(batch["image"])
            likeness = (self.identity(restored / 2 + 0.5) * wanted).sum(dim=1)
            loss = loss + self.identity_weight * (1 - likeness).mean()
        if self.adversary.active(self.step):
            self.adversary.learn(truth, restored.detach())
            loss = loss + self.adversary.fool(restored, loss)
        self.step += 1
        return loss + self.commitment * (out.codes.detach() - out.lq).square().mean()


def ldbfr_stage_a(
    data: Path, preset: Preset = "mini", seed: int = 0, first_stage: str | Path = "mini/vqgan"
) -> Recipe[StageA]:
    """The recipe of stage A.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, around `mini/vqgan` and after `mini/difface-estimator`; or `paper`, 512 px, the
            published sizes, around a VQGAN of the recipe `ldbfr-dictionary`. Its learning rates are ours but for
            their ratio: 1 for the cross-attention, 0.01 for the encoder, 0 for the rest.
        seed: of initialisation, data order and degradations.
        first_stage: the VQGAN of clean faces: a name of the catalogue, or a folder.

    Raises:
        WeightsError: if the VQGAN is one that stage A can't begin with.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    vqgan = load_first_stage(first_stage)
    identity = load_identity("mini")
    size = 512 if preset == "paper" else 256
    if vqgan.config["sample_size"] != size or vqgan.config["asymmetric"]:
        raise WeightsError(
            f"The preset '{preset}' of ldbfr-stage-a needs a VQGAN for faces of {size} px that come back in their "
            f"size, which {first_stage} isn't: give another by --first-stage (recipe ldbfr-dictionary)."
        )
    if preset == "paper":
        adversary = Adversary(start=10_000)
        loss = StageALoss(l1, estimator_features(), identity, identity_weight=3.0, adversary=adversary)
        net, limit = around(vqgan), 16
        pairs = RestorationPairs(faces, size, seed, {"gfpgan": 1})
    else:
        adversary = Adversary(150, 0.2, PatchDiscriminator(width=32), lr=3e-4)
        loss = StageALoss(root_mse, identity=identity, identity_weight=3.0, adversary=adversary)
        net, limit = after_the_estimator(vqgan, first_stage), 32
        pairs = RestorationPairs(faces, size, seed, MIX, grey=0.1)

    def restored(net: StageA, lq: np.ndarray) -> np.ndarray:
        return to_picture(net.one_step(to_tensor(lq)[None].to(device_of(net)))[0])

    return Recipe(
        name="ldbfr-stage-a",
        model=net,
        data=pairs,
        loss=loss,
        training=TRAINING[preset],
        validation=restorations(
            lambda: degraded_faces(validation.first(limit), size, MEASURED),
            restored,
            {"psnr": psnr, "identity": likeness(load_identity("mini"))},
            heading="stage A",
        ),
        seed=seed,
    )


def after_the_estimator(vqgan: VQGAN, first_stage: str | Path) -> StageA:
    """The small stage A, after the embedded estimator; what it is made of and leaves alone isn't saved again."""
    borrowed = {"estimator": "mini/difface-estimator"}
    if str(first_stage) == "mini/vqgan":
        borrowed["vqgan"] = "mini/vqgan"
    estimator = load_net("mini/difface-estimator", Estimator)
    return around(vqgan, estimator, heads=4, head_channels=16, scaled=True, positions=True, borrows=borrowed)


def around(vqgan: VQGAN, estimator: Estimator | None = None, **settings: Any) -> StageA:
    """A stage A that begins as a VQGAN of clean faces, after an estimator or none; only what learns has gradients."""
    config = {key: value for key, value in vqgan.config.items() if not key.startswith("_") and key != "asymmetric"}
    made = None
    if estimator is not None:
        made = {key: value for key, value in estimator.config.items() if not key.startswith("_")}
    net = StageA(**config, estimator_config=made, **settings)
    net.vqgan.load_state_dict(vqgan.state_dict())
    if estimator is not None and net.estimator is not None:
        net.estimator.load_state_dict(estimator.state_dict())
    net.requires_grad_(False)
    for part in net.trained_parts().values():
        part.requires_grad_(True)
    return net
