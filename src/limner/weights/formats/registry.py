"""The layouts in which others publish weights: one line each here, and a file of that name beside this one.

The file holds `detect(tensors) -> bool`, which judges by the names and shapes of tensors whether a checkpoint is of its
layout, and `load(source)`, which reads a path or an opened `Checkpoint` into a net, or into several with a method
`parts()`. Sizes are read off the shapes; what no shape tells are further arguments of `load`, with the published value
as default. Nothing here is imported before it is needed, so that the catalogue may name formats without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from limner.errors import WeightsError

if TYPE_CHECKING:
    from diffusers.models.modeling_utils import ModelMixin
    from diffusers.schedulers.scheduling_utils import SchedulerMixin

    from limner.weights.checkpoint import Checkpoint


class SeveralNets(Protocol):
    """What `load` gives where one file holds all nets of a pipeline."""

    def parts(self) -> Mapping[str, ModelMixin | SchedulerMixin]:
        """Nets and schedule by the names of their folders."""
        ...


@dataclass(frozen=True)
class Format:
    """One published layout.

    Attributes:
        name: of its file in this folder, and of the layout in the catalogue.
        holds: what is in such a file, in words.
    """

    name: str
    holds: str

    def detect(self, checkpoint: Checkpoint) -> bool:
        """Whether a checkpoint is of this layout."""
        return self._adapter.detect(checkpoint.tensors)

    def load(self, checkpoint: Checkpoint) -> ModelMixin | SeveralNets:
        """Its net or nets in float32 on the CPU, in evaluation mode, with published sizes where no shape tells them.

        Raises:
            WeightsError: a tensor is missing, of another shape, or not expected.
        """
        return self._adapter.load(checkpoint)

    @property
    def _adapter(self) -> Any:
        return import_module(f"limner.weights.formats.{self.name}")


FORMATS = (
    Format("ldbfr", "LD-BFR's nets in one file"),  # before refldm, whose names it shares
    Format("adm", "DifFace's U-Net"),
    Format("swinir", "DifFace's SwinIR"),
    Format("lama", "DifFace's LaMa"),
    Format("refldm", "ReF-LDM's U-Net"),
    Format("vqgan", "ReF-LDM's VQGAN"),
    Format("arcface", "an ArcFace IR-ResNet"),
    Format("efficientnet", "EfficientNet-Lite0, to measure with"),
    Format("imagenet", "AlexNet, SqueezeNet or VGG-16, to measure with"),
    Format("inception", "FID's Inception-v3, to measure with"),
    Format("dlib", "dlib's recogniser, to measure with"),
)
"""Asked in this order whether a checkpoint is theirs."""


def format_named(name: str) -> Format:
    """The line of `FORMATS` with this name."""
    return next(one for one in FORMATS if one.name == name)


def format_of(checkpoint: Checkpoint) -> Format:
    """The first format that recognises a checkpoint.

    Raises:
        WeightsError: none does.
    """
    from limner.weights.tensors import short  # which takes torch along

    for one in FORMATS:
        if one.detect(checkpoint):
            return one
    raise WeightsError(
        f"The weights {checkpoint.path} are of no kind that limner can convert "
        f"({', '.join(one.holds for one in FORMATS)}): "
        f"their first tensor is called {short(next(iter(checkpoint.tensors), 'nothing'))}."
    )
