"""LD-BFR: inputs and outputs of the tiny nets for faces of 32 px, and the schedule by its formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from limner.nets.attention import Attention
from limner.nets.dca import DualCrossAttention
from limner.nets.injection import Injected
from limner.weights.formats.ldbfr import LDBFRNets, build_injected_unet, build_stage_a, build_target

from . import full_width
from .drawn import Shape, Tensors, normal, picture, weights

FACE, GRID, FEATURE = 32, 16, 4
ABAR = np.cumprod(1 - np.linspace(0.0015**0.5, 0.0195**0.5, 1000) ** 2)
"""alpha bar, docs/methods/ldbfr.md; float64."""

LAYERS = {"enc_r2": 0, "enc_r2_second": 1, "enc_r4": 2, "dec_r4": 10, "dec_r2": 13}
"""Behind which attention layers the recorded blocks stand."""


def schedule(folder: Path) -> None:
    tensors = {"alphas_cumprod": torch.from_numpy(ABAR).float()}
    for steps in (4, 50, 200):
        times = [t + 1 for t in range(0, 1000, 1000 // steps)]
        tensors[f"s{steps}.timesteps"] = torch.tensor(times)
        tensors[f"s{steps}.alphas_prev"] = torch.from_numpy(np.concatenate([ABAR[:1], ABAR[times[:-1]]]))
    save_file(tensors, folder / "schedule.safetensors")


def inputs() -> dict[str, Tensors]:
    """What the nets are given, by the files of the authors' recording, under its names."""
    stage_a = {
        "in.lq": picture("ldbfr lq", 2, 3, FACE, FACE) * 2 - 1,
        "rect.in.lq": picture("ldbfr oblong", 1, 3, FACE, FACE * 3 // 2) * 2 - 1,
    }
    latents = {name: normal(f"ldbfr {name}", 2, 3, GRID, GRID) for name in ("in.z_t", "loss.in.noise", "loss.in.z0")}
    unet = latents | {
        "in.F": 0.5 * normal("ldbfr F", 2, 64, FEATURE, FEATURE),
        "in.t": torch.tensor([499, 20]),
        "loss.in.t": torch.tensor([700, 100]),
    }
    for name, layer in LAYERS.items():
        wide, side = (64, GRID // 4) if "r4" in name else (32, GRID // 2)
        unet[f"block.{name}.in.x"] = normal(f"ldbfr block {layer}", 2, wide, side, side)
    run = {
        "ddim.in.x_T": normal("ldbfr x_T", 2, 3, GRID, GRID),
        "ddim.s4.eta1.noise_steps": normal("ldbfr steps", 4, 2, 3, GRID, GRID),
        "dca256.in.X": 0.35 * normal("dca X", 1, 256, 6, 6),
        "dca256.in.Y": 0.35 * normal("dca Y", 1, 256, 6, 6),
    }
    wide = {
        f"{name}.in.x": normal(f"wide {name}", 1, channels, 16 // 2**level, 16 // 2**level)
        for name, (channels, level) in full_width.BLOCKS.items()
    }
    return {
        "tiny_stage_a_io": stage_a,
        "tiny_unet_io": unet,
        "tiny_ddim_io": run,
        "tiny_target_first_stage_io": {"in.gt": picture("ldbfr gt", 1, 3, 2 * FACE, 2 * FACE) * 2 - 1},
        "fullwidth_blocks_io": wide | {"in.F": 0.5 * normal("wide F", 1, 256, 4, 4)},
    }


def cross_attention(folder: Path) -> None:
    """Weights of one dual cross-attention of the published size."""
    shapes: dict[str, Shape] = {}
    for layer in ("q", "k", "v", "proj_out"):
        shapes |= {f"mid_Cross.{layer}.weight": (256, 256, 1, 1), f"mid_Cross.{layer}.bias": (256,)}
    tensors = {name: tensor.float() for name, tensor in weights(shapes, "dca").items()}
    save_file(tensors, folder / "dca256.safetensors")


def cross_attention_of(folder: Path) -> DualCrossAttention:
    """The one of the published size, filled."""
    net, ours = DualCrossAttention(), {"q": "query", "k": "key", "v": "value", "proj_out": "out"}
    tensors = {tuple(name.split(".")[-2:]): t for name, t in load_file(folder / "dca256.safetensors").items()}
    net.load_state_dict({f"{ours[layer]}.{kind}": tensor for (layer, kind), tensor in tensors.items()})
    return net


def tiny(folder: Path, face: int = 64) -> LDBFRNets:
    """The tiny nets from their five files.

    Args:
        folder: the one with the files.
        face: side of the faces that they are said to be made for, which no shape tells: of the latents half of it, of
            the pictures of the autoencoder twice.
    """

    def tensors(*files: str) -> Tensors:
        return {name: t for file in files for name, t in load_file(folder / f"tiny_{file}.safetensors").items()}

    unet, injection = build_injected_unet(
        tensors("unet_base_1", "unet_base_2", "unet_cross"), folder, 64, 16, face // 2
    )
    stage_a = build_stage_a(tensors("stage_a"), folder, sample_size=face)
    vqgan = build_target(tensors("target_first_stage"), folder, sample_size=2 * face)
    return LDBFRNets(stage_a, unet, injection, vqgan)


@torch.no_grad()
def outputs(folder: Path, given: dict[str, Tensors]) -> dict[str, Tensors]:
    """What the nets make of it, by the files of the authors' recording."""
    nets = tiny(folder, FACE)
    stage_a = first_stage(nets, given["tiny_stage_a_io"])
    run = chains(nets, given["tiny_ddim_io"], stage_a["F"])
    cross = cross_attention_of(folder)
    lq, codes = (given["tiny_ddim_io"][f"dca256.in.{name}"] for name in "YX")
    run |= {"dca256.X_prime": cross.mix_channels(lq, codes), "dca256.F": cross(lq, codes)}
    target, gt = nets.vqgan, given["tiny_target_first_stage_io"]["in.gt"]
    z0, walked = target.encode(gt), run["ddim.s4.eta0.z"][:1].clone()
    decoded = {
        "z0": z0,
        "indices": target.nearest(z0),
        "image": target.decode(z0),
        "image_not_quantised": target.decode(z0, quantise=False),
        "ddim_z_first": walked,
        "ddim_indices": target.nearest(walked),
        "ddim_image": target.decode(walked),
    }
    wide = given["fullwidth_blocks_io"]
    blocks = {f"{name}.out": full_width.block(name)(wide[f"{name}.in.x"], wide["in.F"]) for name in full_width.BLOCKS}
    return {
        "tiny_stage_a_io": stage_a,
        "tiny_unet_io": predictions(nets, given["tiny_unet_io"]),
        "tiny_ddim_io": run,
        "tiny_target_first_stage_io": decoded,
        "fullwidth_blocks_io": blocks,
    }


def first_stage(nets: LDBFRNets, given: Tensors) -> Tensors:
    """Features and pictures of stage A, of square and oblong faces."""
    net, made = nets.stage_a, {}
    for form in ("", "rect."):
        lq = given[f"{form}in.lq"]
        out = net(lq / 2 + 0.5)
        found = {"indices": out.indices, "enc": net.vqgan.encoder(lq), "Y": out.lq, "X": out.codes, "F": out.feature}
        found["channel_affinity"] = net.cross.affinity(out.lq)
        found["X_prime"] = net.cross.mix_channels(out.lq, out.codes)
        made |= {form + name: tensor for name, tensor in found.items()}
    made["image"] = net.decode(made["F"])
    made["image_requantised"] = net.decode(made["F"], quantise=True)
    return made | {"F_requantised_indices": net.vqgan.nearest(made["F"])}


def predictions(nets: LDBFRNets, given: Tensors) -> Tensors:
    """The injected U-Net's noise, its loss, the condition of each level, and single blocks."""
    _, unet, injection, _ = nets
    x, t, feature = given["in.z_t"], given["in.t"], given["in.F"]
    abar = torch.from_numpy(ABAR)[given["loss.in.t"]].reshape(-1, 1, 1, 1)
    drawn = given["loss.in.noise"]
    noisy = (abar.sqrt() * given["loss.in.z0"] + (1 - abar).sqrt() * drawn).float()
    predicted = injection(unet, noisy, given["loss.in.t"], feature)
    made = {
        "eps": injection(unet, x, t, feature),
        "eps_other_F": injection(unet, x, t, feature.flip(0)),
        "loss.z_t": noisy,
        "loss.eps": predicted,
        "loss.value": (predicted - drawn).square().mean(),
        "cond.r2": torch.nn.functional.pixel_shuffle(feature, 2),
        "cond.r4": feature.clone(),
    }
    attention, injected = [part for part in unet.modules() if isinstance(part, Attention)], Injected(injection, feature)
    for name, layer in LAYERS.items():
        made[f"block.{name}.u"] = attention[layer](given[f"block.{name}.in.x"])
        made[f"block.{name}.out"] = injected(layer, made[f"block.{name}.u"])
    return made


def chains(nets: LDBFRNets, given: Tensors, feature: torch.Tensor) -> Tensors:
    """Four steps of DDIM by its formula in float64 around the net's predictions: eta 0 and 1, and estimates snapped to
    codes (docs/methods/ldbfr.md, eq. (13) to (15))."""
    times, injected = [751, 501, 251, 1], Injected(nets.injection, feature)
    made: Tensors = {"ddim.in.F": feature}
    for name, eta, snap in (("eta0", 0.0, False), ("eta1", 1.0, False), ("eta0.snap", 0.0, True)):
        x, steps = given["ddim.in.x_T"].double(), []
        for place, t in enumerate(times):
            abar, before = ABAR[t], ABAR[times[place + 1]] if place < 3 else ABAR[0]
            predicted = nets.unet(x.float(), torch.tensor([t, t]), after_attention=injected).double()
            z0 = (x - (1 - abar) ** 0.5 * predicted) / abar**0.5
            if snap:
                z0 = nets.vqgan.quantise(z0.float())[0].double()
            sigma = eta * ((1 - before) / (1 - abar) * (1 - abar / before)) ** 0.5
            x = before**0.5 * z0 + (1 - before - sigma**2) ** 0.5 * predicted
            x = x + sigma * given["ddim.s4.eta1.noise_steps"][place]
            steps.append(x.float())
        made |= {f"ddim.s4.{name}.z": x.float(), f"ddim.s4.{name}.x_steps": torch.stack(steps)}
    return made
