"""From a source of weights (`mini`, `official`, or a folder) to nets that are ready to run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from diffusers.models.modeling_utils import ModelMixin

from limner.errors import WeightsError
from limner.nets.identity import IdentityNet
from limner.weights import catalogue
from limner.weights.borrowed import with_borrowed
from limner.weights.checkpoint import read_checkpoint, read_tensors
from limner.weights.formats import arcface
from limner.weights.formats.registry import format_named
from limner.weights.json_file import read_object
from limner.weights.net_config import build, checked
from limner.weights.tensors import fill

Net = TypeVar("Net", bound=ModelMixin)
NETS = {
    "AlignNet": "limner.nets.alignnet",
    "Cleaner": "limner.nets.clean",
    "DamageNet": "limner.nets.damage",
    "DegradedEncoder": "limner.nets.degraded_encoder",
    "Discriminant": "limner.nets.discriminant",
    "Enlarger": "limner.nets.enlarge",
    "Estimator": "limner.nets.estimator",
    "FaceEnlarger": "limner.nets.enlarge_face",
    "Fusion": "limner.nets.fusion",
    "HoleEstimator": "limner.nets.hole_estimator",
    "IdentityNet": "limner.nets.identity",
    "IdentityRecovery": "limner.nets.recovery",
    "Injection": "limner.nets.injection",
    "ProposalNet": "limner.nets.proposals",
    "LaMa": "limner.nets.lama",
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
        note: what lay in the files and was passed over; empty if there was nothing.
    """

    name: str
    licence: str
    origin: str
    size: int
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One of the nets that a method needs.

    Attributes:
        weights: its name in the catalogue, after `mini/` or `official/`.
        kinds: the classes of net that it may be.
    """

    weights: str
    kinds: tuple[type[ModelMixin], ...]


@dataclass(frozen=True)
class Nets:
    """The nets of a method.

    Attributes:
        method: its name, for errors.
        source: where the nets come from, for errors.
        nets: by the names of their folders in a saved pipeline.
    """

    method: str
    source: str
    nets: Mapping[str, ModelMixin]

    def get(self, folder: str, kind: type[Net] | tuple[type[Net], ...]) -> Net:
        """The net of a folder.

        Args:
            folder: as in the parts that were loaded.
            kind: its class, or several.

        Raises:
            WeightsError: it is a net of another class.
        """
        net = self.nets[folder]
        if isinstance(net, kind):
            return net
        wanted = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise WeightsError(
            f"The folder {folder} of the {self.method} weights {self.source!r} holds another net than a {wanted}."
        )


def load_parts(
    method: str, parts: Mapping[str, Part], source: str | Path = "mini", models: Path | None = None
) -> tuple[Nets, WeightsInfo]:
    """The nets of a method, in float32 on the CPU, in evaluation mode, and what to tell the user about them.

    Args:
        method: its name, for errors and for the weights' origin.
        parts: of each folder of its saved pipeline that holds a net, what is wanted there.
        source: `mini` (embedded), `official` (the authors' files in the folder of models), or a folder that holds
            folders as `parts` names them.
        models: the folder of models; by default `catalogue.models_dir()`.

    Returns:
        The nets, each to be had under its class with `get`, and what to tell of them. The size is the `sample_size` of
        the part `unet`, or else of the first; where that is a latent's, the caller must replace it.

    Raises:
        WeightsError: weights are missing, damaged or don't fit.
    """
    name = str(source)
    if name in ("mini", "official"):
        places = {folder: f"{name}/{part.weights}" for folder, part in parts.items()}
        if name == "official" and not {weights.name for weights in catalogue.WEIGHTS}.issuperset(places.values()):
            raise WeightsError(f"The authors of {method} published no weights: give mini or a folder.")
        licences = [catalogue.find(place).licence for place in places.values()]
        origin = {"mini": "trained by the limner project", "official": f"published by the authors of {method}"}[name]
    else:
        places = {folder: Path(source) / folder for folder in parts}
        if not all(place.is_dir() for place in places.values()):
            raise WeightsError(
                f"There are no {method} weights {name!r}: give mini, official, or a folder that holds the "
                f"folders {' and '.join(parts)}."
            )
        licences = [licence_of(place) for place in places.values()]
        origin = "a folder of the user's"
    loaded = {folder: _load_any(place, models) for folder, place in places.items()}
    nets = Nets(method, name, {folder: net for folder, (net, _) in loaded.items()})
    for folder, part in parts.items():
        nets.get(folder, part.kinds)
    sized = nets.nets["unet" if "unet" in parts else next(iter(parts))]
    note = " ".join(note for _, note in loaded.values() if note)
    licence = "; ".join(dict.fromkeys(licences))
    return nets, WeightsInfo(name, licence, origin, sized.config["sample_size"], note)


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
        return arcface.load(path)
    if str(source) != "mini" and not path.is_dir():
        raise WeightsError(
            f"There is no recogniser {str(source)!r}: give mini, a folder with config.json, or a file with an ArcFace "
            "IR-ResNet (.onnx, .pth, .safetensors)."
        )
    return load_net("mini/identity" if str(source) == "mini" else path, IdentityNet)


def identity_licence(source: str | Path = "mini") -> str:
    """The licence of the recogniser that `load_identity` reads from a source.

    Args:
        source: as for `load_identity`.

    Returns:
        What its card states; of a file of the user's, that only they can know it.
    """
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
    net, _ = _load_any(source, models)
    if not isinstance(net, kind):
        raise WeightsError(f"The weights {source} hold another net ({type(net).__name__}) than a {kind.__name__}.")
    return net


def _load_any(source: str | Path, models: Path | None) -> tuple[ModelMixin, str]:
    """A net, and the note on what was passed over in its file."""
    if isinstance(source, Path):
        return _load_folder(source), ""
    weights = catalogue.find(source)
    path = weights.path(models)
    if isinstance(weights, catalogue.Embedded):
        return _load_folder(path), ""
    if weights.format is None:
        raise WeightsError(f"{weights.name} is no net of limner's own: give its file, {path}, to what uses it.")
    if not path.is_file():
        raise WeightsError(
            f"The published weights {weights.name} are not here yet: run "
            f"`limner weights fetch {weights.name}`, or put {weights.file} at {path}."
        )
    checkpoint = read_checkpoint(path)
    net = format_named(weights.format).load(checkpoint)
    if not isinstance(net, ModelMixin):
        raise WeightsError(f"{weights.name} holds several nets: give its file, {path}, to the method that uses it.")
    return net, checkpoint.note()


def _load_folder(folder: Path) -> ModelMixin:
    # Not from_pretrained: it fills what a file lacks with random numbers and only logs it.
    if not (folder / "config.json").is_file():
        raise WeightsError(f"The folder of weights {folder} has no readable config.json.")
    found = read_object(folder / "config.json")
    name = found.get("_class_name")
    if not isinstance(name, str) or name not in NETS:
        raise WeightsError(f"The folder of weights {folder} holds no net that limner knows ({', '.join(NETS)}).")
    kind = getattr(import_module(NETS[name]), name)
    config = checked(kind, found, folder / "config.json")
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        raise WeightsError(f"The folder of weights {folder} should hold one safetensors file, not {len(files)}.")
    tensors = with_borrowed(read_tensors(files[0]), config)
    return fill(build(lambda: kind(**config), tensors, files[0]), tensors, files[0])


def licence_of(folder: Path) -> str:
    """The licence of a folder of weights, as the head of its model card README.md states it; `not stated` where it does
    not."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    for field in ("license_name", "license"):
        if head and (found := re.search(rf"^{field}:\s*(.+)$", head[1], re.MULTILINE)):
            return found[1].strip()
    return "not stated"
