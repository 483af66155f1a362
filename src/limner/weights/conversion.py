"""A published checkpoint into a folder of ours, whatever of `formats/registry.py` it is."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from diffusers.models.modeling_utils import ModelMixin

from limner.errors import WeightsError
from limner.weights import catalogue
from limner.weights.checkpoint import read_checkpoint
from limner.weights.formats.registry import format_of


def convert(path: Path, out: Path, tell: Callable[[str], object] | None = None) -> Path:
    """Turns a published file into a folder of ours: config.json, safetensors and a card with the licence.

    A checkpoint of LD-BFR's trainer becomes a folder of such folders, `stage_a`, `unet`, `injection` and `vqgan`; they
    have the paper's schedule.

    Args:
        path: the authors' file.
        out: the folder to make. For `DifFacePipeline`, call it `unet` or `estimator` inside a common folder; for
            `RefLDMPipeline`, `unet` or `vqgan`.
        tell: called with one sentence that names what the file holds besides its nets, if it does.

    Raises:
        WeightsError: the file can't be read; a tensor is missing, of another shape or not expected; or `out` exists.
    """
    if out.exists():
        raise WeightsError(f"Can't convert {path} into {out}, which exists: name a new folder.")
    checkpoint = read_checkpoint(path)
    loaded = format_of(checkpoint).load(checkpoint)
    sha256 = catalogue.sha256(path)
    unfinished = out.with_name(f".{secrets.token_hex(8)}.part")
    unfinished.mkdir(parents=True)
    try:
        for folder, part in ({"": loaded} if isinstance(loaded, ModelMixin) else loaded.parts()).items():
            part.save_pretrained(unfinished / folder)
            if isinstance(part, ModelMixin):
                (unfinished / folder / "README.md").write_text(_card(part, path, sha256), encoding="utf-8")
        os.replace(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    if tell and (note := checkpoint.note()):
        tell(note)
    return out


def _card(net: ModelMixin, path: Path, sha256: str) -> str:
    known = [w for w in catalogue.WEIGHTS if isinstance(w, catalogue.Published) and w.file == path.name]
    licence = known[0].licence if known else f"as {path.name}"
    source = known[0].url if known else path.name
    return (
        f"---\nlicense: other\nlicense_name: {licence}\n---\n\n# {type(net).__name__}\n\n"
        f"Converted from {source} (sha256 {sha256}). Its licence holds for this file too.\n"
    )
