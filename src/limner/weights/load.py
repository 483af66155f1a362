"""From a source of weights (`mini`, `official`, or a folder) to nets that are ready to run."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import torch
from diffusers.models.modeling_utils import ModelMixin

from limner.errors import WeightsError
from limner.nets.identity import IdentityNet
from limner.weights import catalogue
from limner.weights.borrowed import with_borrowed
from limner.weights.formats.arcface import load_arcface
from limner.weights.official import LOADERS
from limner.weights.tensors import fill, read_tensors

Net = TypeVar("Net", bound=ModelMixin)
NETS = {
    "AlignNet": "limner.nets.alignnet",
    "Cleaner": "limner.nets.clean",
    "DegradedEncoder": "limner.nets.degraded_encoder",
    "Estimator": "limner.nets.estimator",
    "Fusion": "limner.nets.fusion",
    "IdentityNet": "limner.nets.identity",
    "IdentityRecovery": "limner.nets.recovery",
    "Injection": "limner.nets.injection",
    "PredictedMask": "limner.nets.guidance_mask",
    "StageA": "limner.nets.stage_a",
    "StaticMask": "limner.nets.guidance_mask",
    "SwinIR": "limner.nets.swinir",
    "UNet": "limner.nets.unet",
    "VQGAN": "limner.nets.vqgan",
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


@dataclass(frozen=True)
class Part:
    """One net of a method: its name behind `mini/` and `official/`, and the classes that it may be of."""

    weights: str
    kinds: tuple[type[ModelMixin], ...]


def load_parts(
    method: str, parts: Mapping[str, Part], source: str | Path = "mini", models: Path | None = None
) -> tuple[dict[str, ModelMixin], WeightsInfo]:
    return _load_nets(method, {k: (p.weights, p.kinds) for k, p in parts.items()}, source, models)


def _load_nets(
    method: str,
    parts: Mapping[str, tuple[str, type[ModelMixin] | tuple[type[ModelMixin], ...]]],
    source: str | Path,
    models: Path | None,
) -> tuple[dict[str, ModelMixin], WeightsInfo]:
    """The nets of a method and what to tell of them; the size is the U-Net's.

    `parts` are their folders in a saved pipeline, each with its name behind `mini/` and `official/` and its class.
    """
    name = str(source)
    if name in ("mini", "official"):
        places = [catalogue.find(f"{name}/{part}") for part, _ in parts.values()]
        licences = [weights.licence for weights in places]
        origin = {"mini": "trained by the limner project", "official": f"published by the authors of {method}"}[name]
        nets = {folder: load_net(weights.name, models=models) for folder, weights in zip(parts, places, strict=True)}
    else:
        folders = [Path(source) / folder for folder in parts]
        if not all(folder.is_dir() for folder in folders):
            raise WeightsError(
                f"There are no {method} weights {name!r}: give mini, official, or a folder that holds the "
                f"folders {' and '.join(parts)}."
            )
        licences = [licence_of(folder) for folder in folders]
        origin = "a folder of the user's"
        nets = {folder.name: load_net(folder) for folder in folders}
    for folder, (_, kind) in parts.items():
        if not isinstance(nets[folder], kind):
            wanted = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise WeightsError(
                f"The folder {folder} of the {method} weights {name!r} holds another net than a {wanted}."
            )
    licence = "; ".join(dict.fromkeys(licences))
    return nets, WeightsInfo(name, licence, origin, nets["unet"].config["sample_size"])


def load_identity(source: str | Path = "mini") -> IdentityNet:
    """The recogniser of identity losses and measurements, in float32 on the CPU, in evaluation mode.

    Args:
        source: `mini` (embedded), a folder of ours, or a file with an ArcFace IR-ResNet: `.onnx`, PyTorch's or
            safetensors' (see `weights/formats/arcface.py`).

    Raises:
        WeightsError: there is no such source, or it is damaged or another net.
        LimnerError: an ONNX file, and the package `onnx` is missing.
    """
    path = Path(source)
    if str(source) != "mini" and path.is_file():
        return load_arcface(path)
    if str(source) != "mini" and not path.is_dir():
        raise WeightsError(
            f"There is no recogniser {str(source)!r}: give mini, a folder with config.json, or a file with an ArcFace "
            "IR-ResNet (.onnx, .pth, .safetensors)."
        )
    net = load_net("mini/identity" if str(source) == "mini" else path)
    if not isinstance(net, IdentityNet):
        raise WeightsError(f"The folder of weights {source} holds another net than an IdentityNet.")
    return net


def identity_licence(source: str | Path = "mini") -> str:
    """The licence of what `load_identity` reads; of a file that is the user's to know."""
    if str(source) == "mini":
        return catalogue.find("mini/identity").licence
    stated = licence_of(Path(source))
    if stated != "not stated":
        return stated
    return "that of your own file, which limner can't know (many published recognisers are for research only)"


def load_net(source: str | Path, kind: type[Net] = ModelMixin, models: Path | None = None) -> Net:
    """One net, in float32 on the CPU, in evaluation mode.

    Args:
        source: a name of the catalogue (`mini/alignnet`), or the `Path` of a folder with config.json and one
            safetensors file.
        kind: the class of net that is wanted.
        models: the folder of models, for published files.

    Raises:
        WeightsError: no such weights, a published file that isn't there yet, one that doesn't fit, or another net.
    """
    net = _load_any(source, models)
    if not isinstance(net, kind):
        raise WeightsError(f"The weights {source} hold another net ({type(net).__name__}) than a {kind.__name__}.")
    return net


def _load_any(source: str | Path, models: Path | None) -> ModelMixin:
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
    return fill(net, with_borrowed(read_tensors(files[0]), config), files[0])


def licence_of(folder: Path) -> str:
    """The licence that the model card README.md of a folder states in its head, or that it states none."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    for field in ("license_name", "license"):
        if head and (found := re.search(rf"^{field}:\s*(.+)$", head[1], re.MULTILINE)):
            return found[1].strip()
    return "not stated"
