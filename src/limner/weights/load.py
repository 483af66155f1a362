"""From a source of weights (`mini`, `official`, or a folder) to nets that are ready to run."""

import json
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from diffusers.models.modeling_utils import ModelMixin

from limner.errors import WeightsError
from limner.nets.unet import UNet
from limner.weights import catalogue
from limner.weights.official import LOADERS
from limner.weights.tensors import fill, read_tensors

NETS = {
    "AlignNet": "limner.nets.alignnet",
    "Estimator": "limner.nets.estimator",
    "SwinIR": "limner.nets.swinir",
    "UNet": "limner.nets.unet",
}


@dataclass(frozen=True)
class WeightsInfo:
    """What to tell a user about weights that were loaded.

    Attributes:
        name: `mini`, `official` or the folder.
        licence: of the weights; of both, where two nets differ.
        origin: where they come from.
        size: side in px of the aligned crop that they restore.
    """

    name: str
    licence: str
    origin: str
    size: int


def load_difface(source: str | Path = "mini", models: Path | None = None) -> tuple[ModelMixin, UNet, WeightsInfo]:
    """DifFace's two nets, in float32 on the CPU, in evaluation mode.

    Args:
        source: `mini` (embedded, 256 px), `official` (the authors' files in the folder of models, 512 px),
            or a folder with `estimator/` and `unet/` as `DifFacePipeline.save_pretrained` writes it.
        models: the folder of models; by default `catalogue.models_dir()`.

    Returns:
        The estimator f(y0), the prior, and what to tell the user about them.

    Raises:
        WeightsError: weights are missing, damaged or don't fit.
    """
    name = str(source)
    if name in ("mini", "official"):
        places = [catalogue.find(f"{name}/difface-{part}") for part in ("estimator", "prior")]
        licences = [weights.licence for weights in places]
        origin = {"mini": "trained by the limner project", "official": "published by the authors of DifFace"}[name]
        estimator, unet = (load_net(weights.name, models) for weights in places)
    else:
        folders = [Path(source) / part for part in ("estimator", "unet")]
        if not all(folder.is_dir() for folder in folders):
            raise WeightsError(
                f"There are no DifFace weights {name!r}: give mini, official, or a folder that holds the "
                "folders estimator and unet."
            )
        licences = [licence_of(folder) for folder in folders]
        origin = "a folder of the user's"
        estimator, unet = (load_net(folder) for folder in folders)
    if not isinstance(unet, UNet):
        raise WeightsError(f"The folder unet of the DifFace weights {name!r} holds another net than a UNet.")
    licence = "; ".join(dict.fromkeys(licences))
    return estimator, unet, WeightsInfo(name, licence, origin, unet.config["sample_size"])


def load_net(source: str | Path, models: Path | None = None) -> ModelMixin:
    """One net, in float32 on the CPU, in evaluation mode.

    Args:
        source: a name of the catalogue (`mini/alignnet`), or the `Path` of a folder with config.json and one
            safetensors file.
        models: the folder of models, for published files.

    Raises:
        WeightsError: no such weights, a published file that isn't there yet, or one that doesn't fit.
    """
    if isinstance(source, Path):
        return _load_folder(source)
    weights = catalogue.find(source)
    path = weights.path(models)
    if isinstance(weights, catalogue.Embedded):
        return _load_folder(path)
    if weights.kind not in LOADERS:
        raise WeightsError(f"{weights.name} is no net of limner's own: give its file, {path}, to what uses it.")
    if not path.is_file():
        raise WeightsError(
            f"The published weights {weights.name} are not here yet: run "
            f"`limner weights fetch {weights.name}`, or put {weights.file} at {path}."
        )
    return LOADERS[weights.kind](path)  # type: ignore[return-value]


def _load_folder(folder: Path) -> ModelMixin:
    # Not from_pretrained: it fills what a file lacks with random numbers and only logs it.
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = NETS[config["_class_name"]]
    except (OSError, ValueError) as error:
        raise WeightsError(f"The folder of weights {folder} has no readable config.json.") from error
    except KeyError as error:
        raise WeightsError(
            f"The folder of weights {folder} holds no net that limner knows ({', '.join(NETS)})."
        ) from error
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        raise WeightsError(f"The folder of weights {folder} should hold one safetensors file, not {len(files)}.")
    with torch.device("meta"):
        net = getattr(import_module(kind), config["_class_name"]).from_config(config)
    return fill(net, read_tensors(files[0]), files[0])


def licence_of(folder: Path) -> str:
    """The licence that the model card README.md of a folder states in its head, or that it states none."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    for field in ("license_name", "license"):
        if head and (found := re.search(rf"^{field}:\s*(.+)$", head[1], re.MULTILINE)):
            return found[1].strip()
    return "not stated"
