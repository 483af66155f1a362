"""ReF-LDM: inputs and outputs of the tiny nets at 32 px, and the schedule by its formula."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import refldm_schedule
from limner.nets.unet import UNet
from limner.weights.checkpoint import Checkpoint
from limner.weights.formats import refldm, vqgan

from .drawn import Tensors, normal, picture

SIDE, GRID = 32, 16
ABAR = np.cumprod(1 - np.linspace(0.0015**0.5, 0.0155**0.5, 1000) ** 2)
"""alpha bar, docs/methods/refldm.md; float64."""

SPACINGS = {"uniform": "leading", "uniform_trailing": "trailing"}
RUNS = [
    (spacing, steps, guidance, count)
    for spacing in SPACINGS
    for steps, counts in ((5, (2, 3)), (10, (2,)))
    for guidance in (1.0, 1.5)
    for count in counts
]


def uniform(steps: int) -> list[int]:
    """Timesteps of the authors' spacing `uniform`; of steps that don't divide 1000 there are more than asked for."""
    return [t + 1 for t in range(0, 1000, 1000 // steps)]


def trailing(steps: int) -> list[int]:
    """Timesteps of their spacing `uniform_trailing`, which ends at 999."""
    return list(range(999, -1, -(1000 // steps)))[::-1]


def schedule(folder: Path) -> None:
    counts = (1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100, 200, 250)
    times = {f"uniform.{n}": uniform(n) for n in counts} | {f"uniform_trailing.{n}": trailing(n) for n in counts}
    (folder / "ddim_timesteps.json").write_text(json.dumps(times), encoding="utf-8")


def inputs() -> Tensors:
    """What the nets are given, under the names of the authors' recording."""
    three = torch.cat([picture(f"refldm reference {n}", 1, 3, SIDE, SIDE) for n in range(3)], dim=3) * 2 - 1
    x_t = normal("refldm x_t", 1, 4, GRID, GRID)
    given = {
        "in.lq_image": picture("refldm lq", 1, 3, SIDE, SIDE) * 2 - 1,
        "in.ref_image_2": three[..., : 2 * SIDE].contiguous(),
        "in.ref_image_3": three,
        "in.x_T": normal("refldm x_T", 1, 4, GRID, GRID),
        "in.x_t": x_t,
        "in.x_t_b2": torch.cat([x_t, normal("refldm second", 1, 4, GRID, GRID)]),
        "in.t": torch.tensor([499]),
        "buffers.alphas_cumprod": torch.from_numpy(ABAR).float(),
    }
    for spacing, times in (("uniform", uniform(10)), ("uniform_trailing", trailing(10))):
        before = np.concatenate([ABAR[:1], ABAR[times[:-1]]])
        given[f"sched.{spacing}.S10.timesteps"] = torch.tensor(times)
        given[f"sched.{spacing}.S10.alphas_prev"] = torch.from_numpy(before)
    return given


@torch.no_grad()
def outputs(folder: Path, given: Tensors) -> Tensors:
    """What the nets make of it."""
    first_stage = vqgan.load(folder / "tiny_vqgan.safetensors", sample_size=SIDE)
    tensors = load_file(folder / "tiny_refldm.safetensors")
    raw = {name: tensor for name, tensor in tensors.items() if not name.startswith("model_ema.")}
    unets = {
        kind: refldm.load(Checkpoint(Path("refldm.ckpt"), some), head_channels=16, sample_size=GRID)
        for kind, some in (("unet", raw), ("unet_ema", tensors))
    }
    lq = first_stage.encode(given["in.lq_image"])
    codes, indices = first_stage.quantise(lq)
    made = {
        "vq.encode_lq_prequant": lq,
        "vq.encode_ref_2_wide": first_stage.encode(given["in.ref_image_2"]),
        "vq.encode_ref_3_wide": first_stage.encode(given["in.ref_image_3"]),
        "vq.encode_ref_each": first_stage.encode(torch.cat(given["in.ref_image_3"].chunk(3, dim=3))),
        "vq.indices_lq": indices.flatten(),
        "vq.quantized_lq": codes,
        "vq.decode_quantized_lq": first_stage.decode(lq),
        "vq.decode_noquant_lq": first_stage.decode(lq, quantise=False),
    }
    for kind, unet in unets.items():
        made |= predictions(kind, unet, given, made)
    pipeline = RefLDMPipeline(first_stage, unets["unet_ema"], refldm_schedule(), encoding="wide")
    for run in RUNS:
        made |= restored(pipeline, given, *run)
    name = "ddim_eta0.5_seed7"
    noisy = restored(pipeline, given, "uniform_trailing", 5, 1.0, 2, eta=0.5)
    made[f"{name}.uniform_trailing.S5.cfg1.0.ref2.latent"] = next(iter(noisy.values()))
    generator = torch.Generator().manual_seed(7)
    draws = [torch.randn(1, 4, GRID, GRID, generator=generator) for _ in range(5)]
    return made | {f"{name}.noise": torch.stack(draws)}


def predictions(kind: str, unet: UNet, given: Tensors, latents: Tensors) -> Tensors:
    """Noise with and without references, what the references leave in the attention, and guidance's batch."""
    lq, t = latents["vq.encode_lq_prequant"], given["in.t"]
    x, made = torch.cat([given["in.x_t"], lq], dim=1), {}
    made[f"{kind}.eps_noref"] = unet(x, t)
    stacked = {n: torch.stack(latents[f"vq.encode_ref_{n}_wide"].chunk(n, dim=3), dim=1) for n in (2, 3)}
    for count, references in stacked.items():
        cache = unet.read_references(references)
        made[f"{kind}.eps_ref{count}_save"] = unet(x, t, cache)
        made[f"{kind}.eps_ref{count}_use_t499"] = unet(x, t, cache)
        made[f"{kind}.eps_ref{count}_use_t399"] = unet(x, t - 100, cache)
    if kind == "unet":
        layers = unet.read_references(stacked[2]).layers
        for block, place in (("input_blocks.3.1", 1), ("output_blocks.3.1", 6)):
            keys, values = layers[place]
            made[f"unet.cache.{block}.attention.k0"] = keys[0].chunk(2, dim=1)[0].mT.contiguous()
            made[f"unet.cache.{block}.attention.v1"] = values[0].chunk(2, dim=1)[1].mT.contiguous()
        both = torch.cat([given["in.x_t_b2"], lq.expand(2, -1, -1, -1)], dim=1)
        cache = unet.read_references(torch.cat([stacked[2] * 0, stacked[2]]))
        made["unet.eps_b2_cfg_ref2_save"] = unet(both, t.expand(2), cache)
    return made


def restored(
    pipeline: RefLDMPipeline, given: Tensors, spacing: str, steps: int, guidance: float, count: int, eta: float = 0.0
) -> Tensors:
    """Latent and, of two references, picture of one run."""
    out = pipeline(
        given["in.lq_image"] / 2 + 0.5,
        references=[torch.cat(given[f"in.ref_image_{count}"].chunk(count, dim=3)) / 2 + 0.5],
        guidance=guidance,
        steps=steps,
        timestep_spacing=SPACINGS[spacing],
        eta=eta,
        noise=given["in.x_T"],
        generator=torch.Generator().manual_seed(7),
    )
    name = f"ddim.{spacing}.S{steps}.cfg{guidance}.ref{count}"
    made = {f"{name}.latent": out.latents}
    if count == 2:
        made[f"{name}.image"] = out.images
    if (spacing, steps, guidance, count) == ("uniform_trailing", 5, 1.5, 2):
        made[f"{name}.image_noquant"] = pipeline.vqgan.decode(out.latents, quantise=False)
    return made
