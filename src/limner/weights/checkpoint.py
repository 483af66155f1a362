"""A file of named tensors: opened without running code from it, and aware of what in it nobody asked for."""

from __future__ import annotations

import mmap
import pickle
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeGuard

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.weights import safe_pickle
from limner.weights.tensors import Tensors, short

MOST_IN_NOTE = 20
USABLE = frozenset(safe_pickle.DTYPES.values())
SHARED = 4
"""Tensors may share their values, as tied layers do; all together they are so many times the file at most."""


class Checkpoint:
    """What a file holds. It remembers which tensors were asked for, so that `note` can name the rest.

    Attributes:
        path: the file.
        tensors: all of them by name.
        unusable: names among the tensors' of what is none.
        extra: names of what else the file holds, such as an optimizer's state.
        classes: names of what the file wanted to be looked up; none of it was.
    """

    def __init__(
        self,
        path: Path,
        tensors: Tensors,
        unusable: Iterable[str] = (),
        extra: Iterable[str] = (),
        classes: Iterable[str] = (),
    ):
        self.path, self.tensors = path, tensors
        self.unusable, self.extra, self.classes = tuple(unusable), tuple(extra), tuple(classes)
        self._asked_for: set[str] = set()

    def all(self) -> Tensors:
        """The tensors of a file that should hold nothing else.

        Raises:
            WeightsError: it holds something that is no tensor, or wanted something to be looked up.
        """
        if self.classes:
            raise _refusal(self.path, self.classes[0])
        if self.unusable:
            raise _no_weights(self.path)
        self.pass_over(self.tensors)
        return self.tensors

    def below(self, prefix: str, parts: tuple[str, ...] = ("",)) -> Tensors:
        """The tensors whose names begin with `prefix` and one of `parts` after it, without the prefix."""
        wanted = tuple(prefix + part for part in parts)
        found = {name: tensor for name, tensor in self.tensors.items() if name.startswith(wanted)}
        self.pass_over(found)
        return {name.removeprefix(prefix): tensor for name, tensor in found.items()}

    def pass_over(self, names: Iterable[str]) -> None:
        """Says of tensors that it is known what they are, so that no note need name them."""
        self._asked_for.update(names)

    def note(self) -> str:
        """One sentence on what lies in the file and wasn't asked for; empty if there is nothing."""
        used = {name[: dot.start()] for name in self._asked_for for dot in re.finditer(r"\.", name)}
        groups = Counter(_group(name, used) for name in self.tensors if name not in self._asked_for)
        names = [f"{group} ({count} tensors)" if count > 1 else group for group, count in groups.items()]
        names = sorted([*names, *self.unusable, *self.extra])
        if not names:
            return ""
        more = f" and {len(names) - MOST_IN_NOTE} more" if len(names) > MOST_IN_NOTE else ""
        return (
            f"{self.path} also holds what the nets don't need, which was passed over: "
            f"{', '.join(names[:MOST_IN_NOTE])}{more}."
        )


def opened(source: Path | Checkpoint) -> Checkpoint:
    """A checkpoint, read if only its path is given; see `read_checkpoint`."""
    return source if isinstance(source, Checkpoint) else read_checkpoint(source)


def read_tensors(path: Path) -> Tensors:
    """The tensors of a file that should hold nothing else.

    Raises:
        WeightsError: as `read_checkpoint`; or it holds something that is no tensor, or reading it in full would run
            code.
    """
    return read_checkpoint(path).all()


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a safetensors file or a PyTorch checkpoint without running code from it.

    The file is mapped rather than copied where its format allows. A dictionary inside `state_dict` is taken
    out, and the prefix `module.` of distributed training removed. What isn't a tensor is kept by name alone.

    Raises:
        WeightsError: no such file; it is damaged; it holds no named tensors; or it is of PyTorch's format before 1.6
            and reading it would run code.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise WeightsError(f"Can't read the weights {path}: {error.strerror or error}.") from error
    # The content decides, not the name: a safetensors file begins with a length and a JSON object.
    content, classes = (read_safetensors(path), []) if start[8:9] == b"{" else _read_pickled(path)
    extra: list[str] = []
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        extra = [_label(name) for name in content if name != "state_dict"]
        content = content["state_dict"]
    entries = content if isinstance(content, Mapping) else {}
    tensors: dict[str, Tensor] = {}
    unusable: list[str] = []
    for name, value in entries.items():
        if isinstance(name, str) and _is_plain(value):
            tensors[name.removeprefix("module.")] = value
        else:
            unusable.append(_label(name))
    if not isinstance(content, Mapping) or (unusable and not tensors):
        raise _refusal(path, classes[0]) if classes else _no_weights(path)
    unpacked, packed = sum(tensor.nbytes for tensor in tensors.values()), path.stat().st_size
    if unpacked > SHARED * packed + 2**20:
        raise WeightsError(
            f"The weights {path} would unpack from {packed:,} to {unpacked:,} bytes, which no net's do: get another "
            "copy of the file."
        )
    return Checkpoint(path, tensors, unusable, extra, classes)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, in which nothing can be pickled.

    Raises:
        WeightsError: the file can't be read, or is something else or damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"The weights {path} are damaged ({error}): fetch or copy the file again.") from error


def _read_pickled(path: Path) -> tuple[object, list[str]]:
    zipped = zipfile.is_zipfile(path)
    if _asks_for_memory(path, zipped):
        if not zipped:
            raise _refusal(path, "builtins.bytearray")
        return _read_inert(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped), []
    except Exception as error:  # torch reports a damaged file by a dozen different classes
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted and not zipped:
            raise _refusal(path, wanted[1]) from error
        if not (zipped and isinstance(error, pickle.UnpicklingError)):
            raise _damage(path) from error
    return _read_inert(path)


def _read_inert(path: Path) -> tuple[object, list[str]]:
    try:
        return safe_pickle.load(path)
    except Exception as error:  # whatever somebody may put into a pickle
        raise _damage(path) from error


def _asks_for_memory(path: Path, zipped: bool) -> bool:
    """Whether a pickle names the one function that torch lets it call and that takes memory out of nothing.

    Raises:
        WeightsError: an archive's parts are compressed, which PyTorch's never are: a few kB might unpack to GB.
    """
    if not path.stat().st_size:
        return False
    if not zipped:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(b"bytearray") >= 0
    try:
        with zipfile.ZipFile(path) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise WeightsError(
                    f"The weights {path} are a compressed archive, which PyTorch never writes and limner doesn't "
                    "unpack: save them again with torch.save, or as safetensors."
                )
            pickles = [part for part in archive.infolist() if part.filename.endswith("data.pkl")]
            return any(b"bytearray" in archive.read(part) for part in pickles)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _damage(path) from error


def _is_plain(value: object) -> TypeGuard[Tensor]:
    """Whether it is a tensor of numbers that lie there, each in its own place."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.dtype in USABLE
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def _label(name: object) -> str:
    """A dictionary's key as a note may show it; of a key that is no text its class."""
    return short(name) if isinstance(name, str) else type(name).__name__


def _group(name: str, used: set[str]) -> str:
    """The shortest beginning of a name that isn't `used`: `lpips.*` for `lpips.lin0.weight`."""
    for dot in re.finditer(r"\.", name):
        if name[: dot.start()] not in used:
            return f"{short(name[: dot.start()])}.*"
    return short(name)


def _damage(path: Path) -> WeightsError:
    return WeightsError(
        f"The weights {path} are damaged, or are neither safetensors nor a PyTorch checkpoint: "
        "fetch or copy the file again."
    )


def _refusal(path: Path, name: str) -> WeightsError:
    return WeightsError(
        f"The weights {path} ask to run code when they are read ({short(name)}), "
        "which limner refuses because that code could do anything: save the tensors alone, best as "
        "safetensors."
    )


def _no_weights(path: Path) -> WeightsError:
    return WeightsError(f"The file {path} holds something else than named tensors, so it isn't a net's weights.")
