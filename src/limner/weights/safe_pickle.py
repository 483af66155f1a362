"""A PyTorch checkpoint whose pickle names classes, read without one of them being looked up.

`torch.load(weights_only=True)` refuses such files, and trainers write them: callbacks, NumPy's numbers, settings. Here
tensors, numbers, texts and plain containers are read; in the place of whatever else the pickle names stands an
`Inert`. No name in the file is ever imported and nothing outside this module is ever called, so nothing of it can run.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

import torch
from torch import Tensor

DTYPES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "ShortStorage": torch.int16,
}


class Inert:
    """Stands where a pickle names something: takes whatever it is given, and does nothing with it."""

    stands_for = ""

    def __new__(cls, *args: object, **kwargs: object) -> Inert:
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object):
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def extend(self, items: object) -> None:
        pass

    def add(self, item: object) -> None:
        pass


class Entries(dict[object, object]):
    """In the place of an ordered dictionary; its attributes, which a file may set too, are dropped."""

    def __setstate__(self, state: object) -> None:
        pass


class Stored(NamedTuple):
    """Where a tensor lies: a record of the archive, and the part of it in elements of `dtype`."""

    record: str
    dtype: torch.dtype
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def load(path: Path) -> tuple[object, list[str]]:
    """Reads a checkpoint in PyTorch's zip format.

    Args:
        path: the file. Its tensors are mapped rather than copied.

    Returns:
        What was saved, with tensors at the top or in a dictionary there (deeper ones stay `Stored`), and the names of
        what an `Inert` stands for.

    Raises:
        Exception: of many classes, where the file is damaged or made up.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        (main,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        root = main.removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        pickled = archive.read(main)
        _check_operations(pickled)
        reader = _Unpickler(io.BytesIO(pickled))
        content = reader.load()
        mapped = torch.from_file(str(path), shared=False, size=path.stat().st_size, dtype=torch.uint8)

        def tensor(stored: Stored) -> Tensor:
            info = archive.getinfo(f"{root}data/{stored.record}")
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its tensors are compressed")
            file.seek(info.header_offset)
            start = info.header_offset + 30 + sum(struct.unpack("<HH", file.read(30)[26:]))
            return _view(mapped[start : start + info.file_size], stored)

        def made(value: object, depth: int = 2) -> object:
            if isinstance(value, Stored):
                return tensor(value)
            if isinstance(value, Mapping) and depth:
                return {key: made(inner, depth - 1) for key, inner in value.items()}
            return value

        return made(content), [kind.stands_for for kind in reader.inert.values()]


def _check_operations(pickled: bytes) -> None:
    """Refuses a pickle with a number of a memo that it can't have come to: Python's unpickler would make room for so
    many. Sizes are held against the bytes that are there."""
    for operation, argument, _ in pickletools.genops(pickled):
        if isinstance(argument, int) and argument > len(pickled) and "PUT" in operation.name:
            raise ValueError("it remembers more than it has")


def _view(record: Tensor, stored: Stored) -> Tensor:
    """The elements of a record, a uint8 tensor, that belong to one tensor."""
    if record.storage_offset() % stored.dtype.itemsize:
        record = record.clone()
    elements = record[: len(record) // stored.dtype.itemsize * stored.dtype.itemsize].view(stored.dtype)
    last = sum((side - 1) * step for side, step in zip(stored.size, stored.stride, strict=True))
    outside = min(stored.offset, *stored.size, *stored.stride, 0) < 0 or stored.offset + last >= len(elements)
    if math.prod(stored.size) and outside:
        raise ValueError("a tensor lies outside of its record")
    return elements.as_strided(stored.size, stored.stride, elements.storage_offset() + stored.offset)


class _Unpickler(pickle.Unpickler):
    """Of all names in the file it knows those of which tensors are made, and has functions of its own for them."""

    def __init__(self, file: IO[bytes]):
        super().__init__(file)
        self.inert: dict[str, type[Inert]] = {}
        self.storages: dict[str, type[Inert]] = {}

    def find_class(self, module_name: str, global_name: str, /) -> object:
        name = f"{module_name}.{global_name}"
        match name:
            case "collections.OrderedDict":
                return Entries
            case "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2":
                return self._tensor
            case "torch._utils._rebuild_parameter":
                return self._parameter
        known = self.storages if module_name == "torch" and global_name in DTYPES else self.inert
        if name not in known:
            known[name] = type("Inert", (Inert,), {"stands_for": name})
        return known[name]

    def persistent_load(self, pid: object, /) -> tuple[str, torch.dtype]:
        match pid:
            case ("storage", type() as kind, str(record), *_) if issubclass(kind, Inert):
                return record, DTYPES[kind.stands_for.removeprefix("torch.")]
        raise ValueError("it names a part of itself in an unknown way")

    @staticmethod
    def _tensor(storage: tuple[str, torch.dtype], offset: int, size: tuple, stride: tuple, *_: object) -> Stored:
        return Stored(*storage, offset, size, stride)

    @staticmethod
    def _parameter(data: Stored, *_: object) -> Stored:
        return data
