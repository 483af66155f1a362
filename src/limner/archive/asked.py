"""What decides how photographs come out, as it was asked for: told without loading any net, so that an archive knows in
seconds whether it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from limner.faces.reference_files import reference_files
from limner.methods.options import Options
from limner.photo.photo import Photo
from limner.photo.provenance import digest_of
from limner.settings import Settings
from limner.version import __version__
from limner.weights.catalogue import EMBEDDED, WEIGHTS, Published, find

KINDS = (".safetensors", ".json", ".ckpt", ".pth", ".pt", ".onnx")  # of files that weights consist of


@dataclass(frozen=True)
class Asked:
    """What decides the results of a run, beside photographs and masks.

    Attributes:
        settings: all of them that change pixels or file, as JSON.
        weights: a digest of all that may be used.
        version: of limner.
        limits: what a photograph may fail by although it is whole.
    """

    settings: str
    weights: str
    version: str
    limits: str

    def differences(self, other: Asked) -> list[str]:
        """What another run was asked otherwise, in words."""
        ours, theirs = json.loads(self.settings), json.loads(other.settings)
        names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        told = [f"settings ({', '.join(names)})"] if names else []
        told += ["weights"] if self.weights != other.weights else []
        return told + ([f"version {other.version}"] if self.version != other.version else [])


def asked_of(settings: Settings, limits: str, quality: int | None, provenance: bool, holes: str) -> Asked:
    """What a run is asked.

    Args:
        settings: of it.
        limits: see `Asked`.
        quality, provenance: see `limner.folder.run.Saving`.
        holes: how they are told; empty where none are filled.

    Raises:
        LimnerError: weights or references don't exist, or the album can't be read.
    """
    decides: dict[str, Any] = json.loads(settings.recorded()) | {
        name: getattr(settings, name)
        for name in ("method", "weights", "finish", "scheduler", "samples", "keep", "seed", "strength", "dtype")
    }
    decides |= asdict(settings.options) if isinstance(settings.options, Options) else settings.options
    if Path(settings.weights).exists():
        decides["weights"] = Path(settings.weights).resolve().name  # not the path, which is the user's own
    decides |= {"quality": quality, "provenance": provenance, "holes": holes}
    if settings.references:
        decides["references"] = _digest(_digest_of_reference(one) for one in reference_files(settings.references))
    if settings.album:
        decides["album"] = _digest_of_album(settings)
    told = json.dumps({name: value for name, value in decides.items() if value not in (None, "")}, sort_keys=True)
    return Asked(told, digest_of_weights(settings), __version__, limits)


def digest_of_weights(settings: Settings) -> str:
    """A digest of all weights that a run with these settings may use: the embedded ones, and those that it names."""
    files = [file for file in sorted(EMBEDDED.rglob("*")) if file.suffix in KINDS]
    published: Sequence[str] = [f"official/{settings.detector}"] if settings.detector == "yunet" else []
    source = Path(settings.weights)
    if settings.weights == "official":
        published = [*published, *(one.name for one in WEIGHTS if isinstance(one, Published) and one.format)]
    elif source.is_dir():
        files += [file for file in sorted(source.rglob("*")) if file.suffix in KINDS]
    elif source.is_file():
        files.append(source)
    digests = [f"{file.name} {digest_of(file)}" for file in files]
    for name in published:
        entry = find(name)
        if settings.yunet and name == "official/yunet":
            digests.append(digest_of(settings.yunet) if settings.yunet.is_file() else "")
        elif isinstance(entry, Published) and entry.present():
            digests.append(f"{name} {entry.known_sha256() or digest_of(entry.path())}")
    return _digest(digests)


def _digest_of_reference(one: Path | Photo) -> str:
    if isinstance(one, Photo):
        return hashlib.sha256(one.pixels.tobytes()).hexdigest()
    return digest_of(one) if one.is_file() else ""


def _digest_of_album(settings: Settings) -> str:
    from limner.album.store import Album  # brings torch

    with Album() as album:
        return _digest([str(album.path.resolve()), album.revision, settings.person or ""])


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
