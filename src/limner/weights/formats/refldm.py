"""ReF-LDM's denoiser, `refldm.ckpt`, under its authors' names.

It is what a training class saves: the U-Net, its running average (EMA), the noise schedule, and whatever else training
had: the first stage, up to three times over, nets of losses, a trainer's state. Which of it was left in isn't stated
anywhere. The authors' program takes what its nets have and passes over the rest, and so does this.
"""

import re
from collections.abc import Callable
from pathlib import Path

from limner.errors import WeightsError
from limner.nets.unet import UNet
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.formats.adm import build_adm_unet
from limner.weights.tensors import Tensors, has

RAW, EMA = "model.diffusion_model.", "model_ema.diffusion_model"
BUFFERS = {
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    *("log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"),
    *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"),
    *("lvlb_weights", "logvar", "model_ema.decay", "model_ema.num_updates"),
}
"""The noise schedule, which `schedules.refldm_schedule` makes anew, and the state of the average."""


def detect(tensors: Tensors) -> bool:
    """Whether a U-Net lies here as a training class of latent diffusion saves it (LD-BFR's does, too)."""
    return has(tensors, "model.diffusion_model") or has(tensors, "model_ema")


def load(source: Path | Checkpoint, head_channels: int = 32, sample_size: int = 64) -> UNet:
    """ReF-LDM's denoiser from the authors' file: its running average, or the last weights without one.

    Args:
        source: `refldm.ckpt` or a file with the same names.
        head_channels, sample_size: of the net, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor of the U-Net is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    tensors = denoiser(checkpoint, dotted)
    if not tensors:
        raise WeightsError(f"The weights {checkpoint.path} hold no U-Net of ReF-LDM, neither {EMA}... nor {RAW}...")
    return build_adm_unet(tensors, checkpoint.path, head_channels, sample_size)


def denoiser(checkpoint: Checkpoint, dotted: Callable[[str], str]) -> Tensors:
    """The U-Net's tensors without prefixes, averaged if possible; empty where there is none.

    Args:
        checkpoint: of a training class of latent diffusion.
        dotted: puts back the dots that the running average's names lack.

    Raises:
        WeightsError: its latent is scaled, which would change what the net sees.
    """
    checkpoint.pass_over(BUFFERS)
    scale = checkpoint.tensors.get("scale_factor")
    if scale is not None and (scale != 1).any():
        raise WeightsError(
            f"The weights {checkpoint.path} want latents multiplied by their scale_factor, which limner's pipelines "
            "don't do."
        )
    raw, averaged = checkpoint.below(RAW), checkpoint.below(EMA)
    return {dotted(name): tensor for name, tensor in averaged.items()} or raw


_WORDS = re.compile(
    r"(input_blocks|output_blocks)(\d+)(\d)"
    r"|(middle_block|time_embed|in_layers|emb_layers|out_layers|out)(\d)"
    r"|(skip_connection|proj_out|norm|qkv|op|conv)"
)


def dotted(name: str) -> str:
    """Puts back the dots that the running average's names lack: `input_blocks101in_layers0weight` to
    `input_blocks.10.1.in_layers.0.weight`. Only a block's number has more than one digit."""
    return _WORDS.sub(lambda word: "".join(f"{part}." for part in word.groups() if part), name)
