"""Other photographs of a person, as references for a restoration: one aligned crop of each, and whom they resemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from limner.errors import LimnerError
from limner.faces.align import crop
from limner.faces.placing import placing_of
from limner.nets.identity import IdentityNet
from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo
from limner.pixels import to_tensor
from limner.settings import Settings
from limner.weights.load import load_identity


@dataclass(frozen=True, eq=False)
class Reference:
    """The face of a reference photograph.

    Attributes:
        name: the photograph's file, for messages.
        crop: (S, S, 3) uint8 in sRGB, FFHQ-aligned.
        path: of the file, resolved; None for a photograph that was never one.
    """

    name: str
    crop: np.ndarray
    path: Path | None = None


def reference_files(sources: Sequence[str | PathLike[str] | Photo]) -> list[Path | Photo]:
    """The photographs among files, folders and photographs, in their order and each once.

    Of a folder, those that lie in it, sorted by name.

    Raises:
        LimnerError: a source that doesn't exist, or a folder without a photograph.
    """
    found: dict[Path | int, Path | Photo] = {}
    for source in sources:
        if isinstance(source, Photo):
            found[id(source)] = source
            continue
        files = [source := Path(source)]
        if source.is_dir():
            files = sorted(p for p in source.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            files = [file for file in files if not file.name.startswith(".")]
            if not files:
                raise LimnerError(f"The folder of references {source} holds no photograph: name another.")
        elif not source.exists():
            raise LimnerError(f"There is no reference {source}: check the path.")
        found |= {file.resolve(): file for file in files if file.resolve() not in found}
    return list(found.values())


class References:
    """A person's references, for all photographs of a run.

    Args:
        known: the faces.
        device: where the recogniser runs that tells people in a group apart.
    """

    def __init__(self, known: Sequence[Reference], device: torch.device):
        self.known, self.device = tuple(known), device

    @classmethod
    def read(cls, settings: Settings, size: int, device: torch.device, max_megapixels: float = 100.0) -> References:
        """The largest face of each reference photograph.

        Args:
            settings: their files, folders of files, or photographs; and how faces lie in them.
            size: S, side of the crops in pixels.
            device: where the recogniser runs that tells people in a group apart.
            max_megapixels: larger photographs are refused.

        Raises:
            LimnerError: a source that doesn't exist, a folder without a photograph, a photograph without a face, or one
                that can't be an aligned crop.
            PhotoError: a photograph that can't be read.
        """
        placing, known = placing_of(settings), []
        for number, source in enumerate(reference_files(settings.references), 1):
            photo = source if isinstance(source, Photo) else Photo.open(source, max_megapixels)
            name, rgb = str(photo.path or f"number {number}"), photo.srgb()
            matrix = placing.matrix(rgb, placing.reference(rgb, name), size)
            path = None if photo.path is None else Path(photo.path).resolve()
            known.append(Reference(name, crop(rgb, matrix, size), path))
        return cls(known, device)

    def __len__(self) -> int:
        return len(self.known)

    def for_photo(self, photo: Photo) -> References:
        """The references for one photo: all but the photo itself, which may well lie among them in a folder."""
        own = None if photo.path is None else Path(photo.path).resolve()
        others = [one for one in self.known if own is None or one.path != own]
        if len(others) == len(self.known):
            return self
        return References(others, self.device)

    def owner(self, crops: Sequence[np.ndarray]) -> int | None:
        """Which of a photo's faces the references belong to: the one that resembles them most (docs/methods/refldm.md,
        eq. (13)).

        Args:
            crops: of all faces, aligned, (S, S, 3) uint8 each.

        Returns:
            Its place among them; None where there are no references or no faces.
        """
        if not self.known or not crops:
            return None
        if len(crops) == 1:
            return 0
        return int(resemblance(_recogniser(self.device), [one.crop for one in self.known], crops).argmax())

    def pictures(self) -> torch.Tensor:
        """The references' crops, (n, 3, S, S) float32 in [0, 1]."""
        return torch.stack([to_tensor(one.crop) for one in self.known])


@lru_cache(maxsize=1)
def _recogniser(device: torch.device) -> IdentityNet:
    net = load_identity("mini")
    nn.Module.to(net, device)
    return net


@torch.no_grad()
def resemblance(net: IdentityNet, references: Sequence[np.ndarray], faces: Sequence[np.ndarray]) -> np.ndarray:
    """How much each face resembles the person of the references (docs/methods/refldm.md, eq. (13)).

    Args:
        net: the recogniser.
        references, faces: aligned crops, (S, S, 3) uint8.

    Returns:
        (len(faces),) cosines of each face with the mean direction of the references, -1 to 1.
    """
    device = next(net.parameters()).device

    def embedded(crops: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.cat([net(to_tensor(one)[None].to(device)) for one in crops])

    person = F.normalize(embedded(references).mean(0), dim=0)
    return (embedded(faces) @ person).cpu().numpy()
