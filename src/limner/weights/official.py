"""The checkpoints that authors published, read into this project's nets.

Tables of names are all that stands between them, in `formats/adm.py` (U-Nets of DifFace and, below their prefixes, of
ReF-LDM and LD-BFR), `formats/swinir.py` (DifFace), `formats/refldm.py` and `formats/ldbfr.py`. The sizes of a net
are read off its tensors' shapes.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from torch import nn

from limner.errors import WeightsError
from limner.weights import catalogue
from limner.weights.formats.adm import load_difface_unet
from limner.weights.formats.ldbfr import is_ldbfr_checkpoint, load_ldbfr_checkpoint
from limner.weights.formats.refldm import load_refldm_unet, load_refldm_vqgan
from limner.weights.formats.swinir import load_swinir
from limner.weights.tensors import Tensors, has, read_tensors

LOADERS: dict[str, Callable[[Path], nn.Module]] = {
    "difface-unet": load_difface_unet,
    "swinir": load_swinir,
    "refldm-unet": load_refldm_unet,
    "refldm-vqgan": load_refldm_vqgan,
}
"""What reads a file that holds one net."""


def kind_of(tensors: Tensors, path: Path) -> str:
    """Which of `LOADERS` reads a file, or `ldbfr` for LD-BFR's four nets in one, judged by its names."""
    if is_ldbfr_checkpoint(tensors):
        return "ldbfr"
    if "input_blocks.0.0.weight" in tensors:
        return "difface-unet"
    if "conv_first.1.weight" in tensors:
        return "swinir"
    if has(tensors, "model.diffusion_model") or has(tensors, "model_ema"):
        return "refldm-unet"
    if "quantize.embedding.weight" in tensors:
        return "refldm-vqgan"
    raise WeightsError(
        f"The weights {path} are of no kind that limner can convert (DifFace's U-Net and its SwinIR, ReF-LDM's U-Net "
        f"and its VQGAN, LD-BFR's nets in one file): their first tensor is called {next(iter(tensors), 'nothing')}."
    )


def convert(path: Path, out: Path) -> Path:
    """Turns a published file into a folder of ours: config.json, safetensors and a card with the licence.

    A checkpoint of LD-BFR's trainer becomes a folder of such folders, `stage_a`, `unet`, `injection` and `vqgan`, and
    the `scheduler` beside them.

    Args:
        path: the authors' file.
        out: the folder to make. For `DifFacePipeline`, call it `unet` or `estimator` inside a common folder; for
            `RefLDMPipeline`, `unet` or `vqgan`.

    Raises:
        WeightsError: the file can't be read strictly, or `out` exists.
    """
    if out.exists():
        raise WeightsError(f"Can't convert {path} into {out}, which exists: name a new folder.")
    kind = kind_of(read_tensors(path), path)
    nets: dict[str, nn.Module]
    nets = load_ldbfr_checkpoint(path)._asdict() if kind == "ldbfr" else {"": LOADERS[kind](path)}
    sha256 = catalogue.sha256(path)
    unfinished = out.with_name(out.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder, net in nets.items():
        net.save_pretrained(unfinished / folder)  # type: ignore[operator]
        (unfinished / folder / "README.md").write_text(_card(net, path, sha256), encoding="utf-8")
    if kind == "ldbfr":
        from limner.methods.schedules import ldbfr_schedule  # brings in diffusers' pipelines

        ldbfr_schedule().save_pretrained(unfinished / "scheduler")
    os.replace(unfinished, out)
    return out


def _card(net: nn.Module, path: Path, sha256: str) -> str:
    known = [w for w in catalogue.WEIGHTS if isinstance(w, catalogue.Published) and w.file == path.name]
    licence = known[0].licence if known else f"as {path.name}"
    source = known[0].url if known else path.name
    return (
        f"---\nlicense: other\nlicense_name: {licence}\n---\n\n# {type(net).__name__}\n\n"
        f"Converted from {source} (sha256 {sha256}). Its licence holds for this file too.\n"
    )
