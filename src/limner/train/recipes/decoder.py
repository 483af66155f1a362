"""Recipes: the decoder of a first stage alone, tuned for sharpness (Esser et al. 2021).

Encoder and codes stay as they are, to the bit, so that every net trained in the latent keeps its meaning. What a
method gives is smoother than the latent of a photograph; a decoder that has seen only the latter would decode it
smoothly. So half of the latents are restorations, and the same sharpness is asked of both. Layers at the picture's own
size are added (`nets/tail.py`), and judged by what a net that has seen the world sees in them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs, fixed_pairs
from limner.device import frozen_pass
from limner.evaluate.metrics.detail import detail_ratio
from limner.evaluate.metrics.fidelity import psnr
from limner.methods.clrface import CLRFACE, CLRFacePipeline
from limner.methods.refldm import REFLDM, RefLDMPipeline
from limner.methods.schedules import clrface_schedule, refldm_schedule
from limner.nets.guidance_mask import StaticMask
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.clrface.prior import load_encoder
from limner.train.starting import load_first_stage
from limner.train.validation import SEVERE, Validation, mean
from limner.weights.load import load_identity, load_net

Restorer = Callable[[Tensor, torch.Generator], Tensor]
"""Degraded faces (B, 3, S, S) in [0, 1] and a generator of noise, to latents as `VQGAN.encode` gives them."""

EPOCHS = 2
"""Passes over the faces after which the same degradations, and so the same latents, come again."""
QUARTER = 4
"""`patch_size` of the embedded nets."""
TAIL = (48, 24)
TRAINING = {
    "mini": MiniTraining(steps=4_000, batch=8, lr=3e-4, final_lr=2e-5, warmup=50, betas=(0.5, 0.99)),
    "paper": Training(steps=20_000, batch=16, lr=1e-4, final_lr=1e-5, warmup=50, betas=(0.5, 0.9), clip=5.0, ema=0.998),
}


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
    """4 |x^ - x| + perceptual(x^, x) + adversarial term, for clean faces and restored ones alike.

    Attributes:
        adversary: the other two terms.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: VQGAN, batch: Batch, generator: torch.Generator) -> Tensor:
        truth = batch["image"] * 2 - 1
        made = model.decode(batch["latent"]).float()
        loss = 4 * (made - truth).abs().mean() / 2  # in units where pixels lie in [0, 1]
        loss = loss + self.adversary(made, truth, self.step, generator)
        self.step += 1
        return loss


def vqgan_decoder(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    stage_a: str | Path = "mini/ldbfr-stage-a",
    prior: str | Path = "mini/refldm",
) -> Recipe[VQGAN]:
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
    stage, unet = load_net(stage_a, StageA), load_net(prior, UNet)
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
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    prior: str | Path = "mini/clrface-prior",
) -> Recipe[VQGAN]:
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
    nets = load_first_stage(first_stage), load_encoder(encoder), load_net(prior, UNet)
    schedule = clrface_schedule("epsilon" if paper else "sample")
    # nothing guides here, so that the identity recovery network and the mask are never asked
    pipeline = CLRFacePipeline(*nets, load_net("mini/clrface-irn"), StaticMask(3), load_identity("mini"), schedule)
    steps = 50 if paper else CLRFACE.mini.steps

    def by_clrface(lq: Tensor, generator: torch.Generator) -> Tensor:
        return pipeline(lq, steps=steps, guidance=0.0, generator=generator).latents

    return _recipe("clrface-decoder", vqgan, {"clrface": by_clrface}, data, preset, seed)


def _recipe(
    name: str, vqgan: VQGAN, restorers: Mapping[str, Restorer], data: Path, preset: Preset, seed: int
) -> Recipe[VQGAN]:
    torch.manual_seed(seed)
    frozen = frozen_copy(vqgan)
    net = with_tail(vqgan)
    net.requires_grad_(False)
    for part in (net.decoder, net.from_latent, net.tail):
        if part is not None:
            part.requires_grad_(True)
    size = int(net.config["sample_size"])
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    return Recipe(
        name=name,
        model=net,
        data=Latents(RestorationPairs(faces, size, seed, MIX, grey=0.1), frozen, restorers, size // net.factor // 2),
        loss=SharpLoss(projected(faces, size)),
        training=TRAINING[preset],
        validation=Validation(
            cases=lambda: {"": faces_as_latents(validation.first(24), size, frozen, restorers)},
            attempt=decoded,
            figures=psnr_and_detail,
            row=lambda face, pictures: {
                "input": face.lq,
                "clean, rebuilt": pictures["clean"],
                **{name: pictures[name] for name in restorers},
                "truth": face.truth,
            },
            shown=6,
        ),
        seed=seed,
    )


def with_tail(vqgan: VQGAN) -> VQGAN:
    """The net with layers at full size, which at first change nothing, where its decoder ends at a quarter of it; one
    that has them, or a published one, as it is."""
    if vqgan.tail is not None or vqgan.patch_size != QUARTER:
        return vqgan
    own = {name: value for name, value in vqgan.config.items() if not name.startswith("_")}
    grown = VQGAN(**{**own, "tail_widths": TAIL})
    grown.load_state_dict(vqgan.state_dict(), strict=False)
    return grown


def frozen_copy(vqgan: VQGAN) -> VQGAN:
    """A frozen twin, which goes on encoding as before."""
    return copy.deepcopy(vqgan).eval().requires_grad_(False)


class FaceAsLatents(NamedTuple):
    """A validation face, severely degraded and true, (S, S, 3) uint8 each, and latents (1, C, h, w) by name: of the
    true one, and what each restorer makes of the degraded one."""

    lq: np.ndarray
    truth: np.ndarray
    latents: dict[str, Tensor]


def faces_as_latents(faces: FaceSet, size: int, vqgan: VQGAN, restorers: Mapping[str, Restorer]) -> list[FaceAsLatents]:
    """All faces; each is spoiled and restored alike in every run.

    Args:
        faces: of the validation split.
        size: side in pixels.
        vqgan: whose encoder makes the latents of the true faces.
        restorers: of the degraded ones.
    """
    made = []
    for number, (lq, truth) in enumerate(fixed_pairs(faces, size, SEVERE)):
        with frozen_pass():
            latents = {"clean": vqgan.encode(to_tensor(truth)[None] * 2 - 1).float()}
            for name, restorer in restorers.items():
                latents[name] = restorer(to_tensor(lq)[None], torch.Generator().manual_seed(number))
        made.append(FaceAsLatents(lq, truth, latents))
    return made


def decoded(net: VQGAN, face: FaceAsLatents) -> dict[str, np.ndarray]:
    """What the decoder makes of each latent of a face."""
    return {name: to_picture(net.decode(one.to(net.device))[0].float() / 2 + 0.5) for name, one in face.latents.items()}


def psnr_and_detail(trials: Sequence[tuple[FaceAsLatents, dict[str, np.ndarray]]]) -> dict[str, float]:
    """PSNR and detail ratio by the name of the latents."""
    figures = {}
    for name in trials[0][1]:
        figures[f"{name} psnr"] = mean(psnr(pictures[name], face.truth) for face, pictures in trials)
        figures[f"{name} detail"] = mean(detail_ratio(pictures[name], face.truth) for face, pictures in trials)
    return figures
