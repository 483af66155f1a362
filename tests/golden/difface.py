"""DifFace: inputs and outputs of the tiny nets at 64 px, and the schedule by its formula."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from limner.methods.difface import DifFacePipeline
from limner.methods.difface_inpainting import DifFaceInpaintPipeline
from limner.methods.options import DifFaceInpaintOptions
from limner.methods.pipeline import Batch
from limner.methods.schedules import difface_schedule
from limner.weights.formats import adm, lama, swinir

from .drawn import Tensors, normal, picture

SIDE = 64
ABAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
"""alpha bar, docs/methods/difface.md, eq. (2); float64."""

EVERY = list(range(0, 1000, 111))
"""The respacing "10", which ends at 999."""

INPAINTED = [("0.0", "0.25"), ("0.0", "0.5"), ("1.0", "0.5")]
"""eta and gamma of the runs on a face with holes."""

SEEDS = {"ddim10.s4.eta0.5": 1001, "ddim10.s4.eta0.0": 1001, "ddim250.s100.eta0.5": 1002, "ddim250.s100.eta0.0": 1002}


def inputs() -> Tensors:
    """What the nets are given, under the names of the authors' recording."""
    noise = {"in.x_t": normal("difface x_t", 1, 3, SIDE, SIDE), "ddpm.10.s4.x_N": normal("ddpm x", 1, 3, SIDE, SIDE)}
    pictures = {
        "in.y0": picture("difface y0", 1, 3, SIDE, SIDE),
        "in.y0_odd_100x116": picture("difface odd", 1, 3, 100, 116),
        "in.y_128x192": picture("difface oblong", 1, 3, 128, 192),
    }
    seeds = {f"restore.{case}.seed": torch.tensor(seed) for case, seed in SEEDS.items()}
    seeds["restore.ddim10.s4.eta0.0.odd.seed"] = torch.tensor(1003)
    steps = {"ddpm.10.s4.step_noise": normal("ddpm steps", 4, 1, 3, SIDE, SIDE)}
    return noise | pictures | seeds | steps | {"in.t": torch.tensor([396])}


@torch.no_grad()
def outputs(folder: Path, given: Tensors) -> Tensors:
    """What the nets make of it."""
    unet = adm.load(folder / "tiny_unet.safetensors", head_channels=16)
    unet.register_to_config(sample_size=SIDE)
    regressor = swinir.load(folder / "tiny_swinir.safetensors")
    pipeline = DifFacePipeline(regressor, unet, difface_schedule()).to("cpu")
    x, y0 = given["in.x_t"], given["in.y0"]
    made = {
        "unet.out": unet(x, given["in.t"]),
        "unet.out_b2": unet(torch.cat([x, -x]), torch.tensor([396, 0])),
        "swinir.out": regressor(y0),
        "swinir.out_128x192": regressor(given["in.y_128x192"]),
        "restore.ddim10.s4.eta0.5.im_hq": regressor(y0),
        "ddpm.10.s4.sample": ancestral(unet, given["ddpm.10.s4.x_N"], given["ddpm.10.s4.step_noise"]),
    }
    for index in (0, 9):
        noise, abar = unet(x, torch.tensor([100 * index]))[:, :3], ABAR[100 * index]
        x0 = (x.double() - (1 - abar) ** 0.5 * noise.double()) / abar**0.5
        made[f"pmv.ddim10.i{index}.pred_noise"] = noise.contiguous()
        made[f"pmv.ddim10.i{index}.pred_xstart"] = x0.clamp(-1, 1).float()

    def restored(picture: str, case: str, steps: int, eta: float) -> torch.Tensor:
        generator = torch.Generator().manual_seed(int(given[f"restore.{case}.seed"]))
        return pipeline(given[picture], start=400, steps=steps, eta=eta, generator=generator).images

    for case in SEEDS:
        steps, eta = (4 if "s4" in case else 100), float(case.split("eta")[1])
        made[f"restore.{case}.sample"] = restored("in.y0", case, steps, eta)
    odd = "ddim10.s4.eta0.0.odd"
    made[f"restore.{odd}.sample"] = restored("in.y0_odd_100x116", odd, 4, 0.0)
    generator = torch.Generator().manual_seed(1001)
    noise = torch.stack([torch.randn(1, 3, SIDE, SIDE, generator=generator) for _ in range(5)])
    first = "restore.ddim10.s4.eta0.5"
    return made | {f"{first}.x_N_noise": noise[0].clone(), f"{first}.step_noise": noise[1:].clone()}


def inpainting_inputs() -> Tensors:
    """What the nets for holes are given: a face with two holes, exactly black, and the mask."""
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 12:30, 20:50], mask[..., 44:, :9] = 1, 1
    seeds = {f"inpaint.ddim10.s4.eta{eta}.g{gamma}.seed": torch.tensor(1005) for eta, gamma in INPAINTED}
    face = picture("difface holes", 1, 3, SIDE, SIDE).clamp(min=0.01)
    return {"in.y0_masked": face * (1 - mask), "inpaint.mask": mask} | seeds


@torch.no_grad()
def inpainting_outputs(folder: Path, given: Tensors) -> Tensors:
    """What the nets for holes make of it."""
    unet = adm.load(folder / "tiny_unet.safetensors", head_channels=16)
    unet.register_to_config(sample_size=SIDE)
    estimator = lama.load(folder / "tiny_lama.safetensors", SIDE)
    pipeline = DifFaceInpaintPipeline(estimator, unet, difface_schedule()).to("cpu")
    face, mask = given["in.y0_masked"], given["inpaint.mask"]
    made = {"lama.out": estimator(face, mask)}
    for eta, gamma in INPAINTED:
        case = f"inpaint.ddim10.s4.eta{eta}.g{gamma}"
        options = DifFaceInpaintOptions(start=400, steps=4, eta=float(eta), guidance=float(gamma))
        generator = torch.Generator().manual_seed(int(given[f"{case}.seed"]))
        batch = Batch(torch.cat([face, mask], dim=1), [], [generator], lambda done: None, 1)
        made[f"{case}.sample"] = pipeline.sample(batch, options).images
        made[f"{case}.mask_back"] = made[f"{case}.sample"] * mask + face * (1 - mask)
    return made


def ancestral(unet: torch.nn.Module, x: torch.Tensor, noises: torch.Tensor) -> torch.Tensor:
    """Four ancestral steps with the learned variance, by the formula of DDPM's posterior in float64."""
    for noise, (t, before) in zip(noises, [(333, 222), (222, 111), (111, 0), (0, None)], strict=True):
        predicted, share = unet(x.float(), torch.tensor([t])).double().chunk(2, dim=1)
        abar, previous = ABAR[t], 1.0 if before is None else ABAR[before]
        beta = 1 - abar / previous
        x0 = ((x - (1 - abar) ** 0.5 * predicted) / abar**0.5).clamp(-1, 1)
        x = previous**0.5 * beta / (1 - abar) * x0 + (abar / previous) ** 0.5 * (1 - previous) / (1 - abar) * x
        if before is not None:
            least, share = np.log(beta * (1 - previous) / (1 - abar)), share / 2 + 0.5
            x = x + (0.5 * (share * np.log(beta) + (1 - share) * least)).exp() * noise
    return x.float()


def schedule(folder: Path) -> None:
    """Timesteps and alpha bar of the respaced chains."""
    spaced = {f"ddim{n}": list(range(0, 1000, 1000 // n)) for n in (250, 100, 50, 25, 20, 10, 5, 4, 2)}
    (folder / "space_timesteps.json").write_text(json.dumps(spaced | {"10": EVERY}), encoding="utf-8")
    kept = np.arange(0, 1000, 4)
    np.savez(folder / "schedule_ddim250.npz", timestep_map=kept, alphas_cumprod=ABAR[kept])
