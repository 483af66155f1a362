"""Other photographs of a person, as references for a restoration: one aligned crop of each, and whom they resemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from limner.errors import LimnerError
from limner.faces.align import crop, similarity, stretch
from limner.faces.find import find_faces
from limner.nets.identity import IdentityNet
from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo
from limner.pixels import to_tensor

MOST_UNLIKE_SQUARE = 1.05
"""Sides of an aligned crop may differ by this factor; what differs more is a photograph that was never aligned."""


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


def read_references(
    sources: Sequence[str | PathLike[str] | Photo],
    size: int,
    *,
    aligned: bool = False,
    detector: str = "haar",
    yunet: Path | None = None,
    max_megapixels: float = 100.0,
) -> list[Reference]:
    """The largest face of each reference photograph.

    Args:
        sources: files, folders of files, or photographs that are open already.
        size: S, side of the crops in pixels.
        aligned: the photographs are themselves aligned crops, which are only resized.
        detector, yunet: see `find_faces`.
        max_megapixels: larger photographs are refused.

    Raises:
        LimnerError: a source that doesn't exist, a folder without a photograph, a photograph without a face, or one
            that can't be an aligned crop.
        PhotoError: a photograph that can't be read.
    """
    references = []
    for number, source in enumerate(reference_files(sources), 1):
        photo = source if isinstance(source, Photo) else Photo.open(source, max_megapixels)
        name, rgb = str(photo.path or f"number {number}"), photo.srgb()
        if aligned:
            matrix = _only_resized(rgb, size, name)
        elif faces := find_faces(rgb, detector, yunet):
            matrix = similarity(faces[0].landmarks, size)
        else:
            raise LimnerError(
                f"No face was found in the reference {name}: give another photograph, or --aligned if all are crops."
            )
        path = None if photo.path is None else Path(photo.path).resolve()
        references.append(Reference(name, crop(rgb, matrix, size), path))
    return references


def _only_resized(rgb: np.ndarray, size: int, name: str) -> np.ndarray:
    height, width = rgb.shape[:2]
    if max(height, width) > MOST_UNLIKE_SQUARE * min(height, width):
        raise LimnerError(
            f"The reference {name} is {width} x {height} pixels, so it is no aligned crop: give square crops, or leave "
            "out --aligned."
        )
    return stretch(width, height, size)


@torch.no_grad()
def resemblance(net: IdentityNet, references: Sequence[np.ndarray], faces: Sequence[np.ndarray]) -> np.ndarray:
    """How much each face resembles the person of the references.

    Args:
        net: the recogniser.
        references, faces: aligned crops, (S, S, 3) uint8.

    Returns:
        (len(faces),) cosines of each face with the mean direction of the references.
    """
    device = next(net.parameters()).device

    def embedded(crops: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.cat([net(to_tensor(one)[None].to(device)) for one in crops])

    person = F.normalize(embedded(references).mean(0), dim=0)
    return (embedded(faces) @ person).cpu().numpy()
