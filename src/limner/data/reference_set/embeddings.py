"""Embeddings of a folder of aligned face crops, kept in a file beside the tables that are made from them.

The file (.npz) is written again and again while it grows, so that an interrupted run goes on where it stopped; a
picture that was changed since is embedded anew. Any net will do that turns crops into unit vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from limner.errors import LimnerError
from limner.photo.photo import Photo
from limner.pixels import to_tensor

Embedder = Callable[[torch.Tensor], torch.Tensor]
"""(B, 3, H, W) crops in [0, 1] to (B, D) unit vectors."""

SAVE_EVERY = 60.0
"""Seconds of work that an interruption may cost."""

MOST_PIXELS = 2**24
"""Of all pictures of a batch: large crops come in smaller batches (200 MB of float32)."""


@dataclass(frozen=True)
class Embeddings:
    """What is known of a folder.

    Attributes:
        files: names relative to the folder, with `/`.
        vectors: (N, D) float32, of unit length.
        stamps: (N, 2) int64, size in bytes and time of change in ns of each file when it was read.
        embedder: what made them; vectors of different embedders are never mixed.
    """

    files: list[str]
    vectors: np.ndarray
    stamps: np.ndarray
    embedder: str

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all.

        Raises:
            LimnerError: the folder is missing or can't be written to.
        """
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            try:
                with part.open("xb") as file:  # not through memory: 70,000 vectors are 140 MB
                    names = np.array(self.files, dtype=np.str_)
                    np.savez(file, files=names, vectors=self.vectors, stamps=self.stamps, embedder=self.embedder)
                os.replace(part, path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise LimnerError(f"{path} can't be written ({error.strerror or error}): check the folder.") from error

    @classmethod
    def load(cls, path: Path) -> Embeddings:
        """Reads the file.

        Raises:
            LimnerError: it is missing or damaged.
        """
        damaged = LimnerError(f"The embeddings {path} are damaged: delete the file, and they are made anew.")
        try:
            with zipfile.ZipFile(path) as archive:
                if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                    raise damaged  # `save` compresses nothing, and what others compressed may unpack to GB
            with np.load(path, allow_pickle=False) as kept:
                names, vectors, stamps, embedder = (kept[n] for n in ("files", "vectors", "stamps", "embedder"))
        except OSError as error:
            raise LimnerError(f"The embeddings {path} can't be read ({error.strerror or error}).") from error
        except Exception as error:  # numpy and zipfile report a damaged file by a dozen different classes
            raise damaged from error
        of_each = vectors.ndim == 2 and names.shape == (len(vectors),) and stamps.shape == (len(vectors), 2)
        if not of_each or names.dtype.kind != "U" or vectors.dtype != np.float32 or stamps.dtype != np.int64:
            raise damaged
        return cls(names.tolist(), vectors, stamps, str(embedder))


def embed(
    files: Mapping[str, Path],
    embedder: Embedder,
    store: Path,
    *,
    name: str,
    batch: int = 32,
    workers: int = 2,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Embeddings, dict[str, str]]:
    """Embeds aligned face crops, those that aren't in the store already, and saves the store.

    Args:
        files: the pictures by name; what else the store has is dropped from it.
        embedder: the net; called without gradients.
        store: the .npz file, read if it is there and written every minute and at the end, an interruption's too.
        name: of the embedder, and which weights it has.
        batch: pictures at once, fewer if they are large.
        workers: threads that read pictures.
        device: where the embedder takes its input.
        progress: called with (pictures done, of how many).

    Returns:
        The embeddings in the order of `files`, and why a picture is left out, one sentence by its name: it can't be
        read, isn't square, or has no finite embedding.

    Raises:
        LimnerError: the store is damaged, another embedder made it, or no picture at all could be embedded.
    """
    vectors, stamps = _still_valid(files, store, name)
    stored = len(vectors)
    left_out: dict[str, str] = {}
    waiting = [file for file in files if file not in vectors]
    saved = time.monotonic()
    try:
        for file, found, stamp in _embedded(waiting, files, embedder, batch, workers, device):
            if isinstance(found, str):
                left_out[file] = found
            else:
                vectors[file], stamps[file] = found, stamp
            if progress:
                progress(len(vectors) + len(left_out), len(files))
            if time.monotonic() - saved > SAVE_EVERY:
                _in_order(files, vectors, stamps, name).save(store)
                stored, saved = len(vectors), time.monotonic()
    finally:
        if len(vectors) != stored:
            _in_order(files, vectors, stamps, name).save(store)
    if not vectors:
        raise LimnerError(f"None of the {len(files)} pictures can be used; the first: {next(iter(left_out.values()))}")
    return _in_order(files, vectors, stamps, name), left_out


def fingerprint(net: nn.Module) -> str:
    """A name for a net with just this configuration and these weights: its class and the start of a sha256."""
    config = {k: v for k, v in dict(getattr(net, "config", {})).items() if not k.startswith("_")}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    for key, value in net.state_dict().items():
        digest.update(key.encode() + value.detach().float().cpu().numpy().tobytes())
    return f"{type(net).__name__} {digest.hexdigest()[:12]}"


def _still_valid(
    files: Mapping[str, Path], store: Path, name: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Vectors and stamps that the store has of these files, unless they changed."""
    if not store.exists():
        return {}, {}
    kept = Embeddings.load(store)
    if kept.embedder != name:
        raise LimnerError(
            f"The embeddings {store} were made by {kept.embedder}, not by {name}: delete the file or choose another "
            "output."
        )
    places = {file: i for i, file in enumerate(kept.files)}
    same = {f: places[f] for f, path in files.items() if f in places and (kept.stamps[places[f]] == _stamp(path)).all()}
    return {f: kept.vectors[i] for f, i in same.items()}, {f: kept.stamps[i] for f, i in same.items()}


def _in_order(
    files: Iterable[str], vectors: Mapping[str, np.ndarray], stamps: Mapping[str, np.ndarray], name: str
) -> Embeddings:
    there = [file for file in files if file in vectors]
    return Embeddings(there, np.stack([vectors[f] for f in there]), np.stack([stamps[f] for f in there]), name)


def _stamp(path: Path) -> np.ndarray:
    try:
        stat = path.stat()
    except OSError:
        return np.array([-1, -1])
    return np.array([stat.st_size, stat.st_mtime_ns])


def _embedded(
    waiting: list[str],
    files: Mapping[str, Path],
    embedder: Embedder,
    batch: int,
    workers: int,
    device: torch.device | str,
) -> Iterator[tuple[str, np.ndarray | str, np.ndarray]]:
    """Name, vector (D,) or what is wrong, and stamp of each picture, in the order in which batches get full.

    Pictures of one size go through the net together; those of other sizes wait for company.
    """
    pending: dict[int, list[tuple[str, np.ndarray, np.ndarray]]] = {}

    def flush(side: int) -> Iterator[tuple[str, np.ndarray | str, np.ndarray]]:
        names, pictures, stamps = zip(*pending.pop(side), strict=True)
        found = _vectors(embedder, pictures, device)
        for name, vector, stamp in zip(names, found, stamps, strict=True):
            bad = f"{files[name]} has no finite embedding: look at the picture."
            yield name, vector if np.isfinite(vector).all() else bad, stamp

    for name, picture, stamp in _read_ahead(waiting, files, workers, 2 * batch):
        if isinstance(picture, str):
            yield name, picture, stamp
            continue
        side = len(picture)
        group = pending.setdefault(side, [])
        group.append((name, picture, stamp))
        if len(group) >= min(batch, max(1, MOST_PIXELS // side**2)):
            yield from flush(side)
        elif sum(side**2 * len(group) for side, group in pending.items()) > 2 * MOST_PIXELS:
            yield from flush(max(pending, key=lambda side: side**2 * len(pending[side])))
    for side in list(pending):
        yield from flush(side)


def _read_ahead(
    waiting: Iterable[str], files: Mapping[str, Path], workers: int, ahead: int
) -> Iterator[tuple[str, np.ndarray | str, np.ndarray]]:
    """Name, picture (S, S, 3) uint8 or what is wrong with it, and stamp; a few pictures are read in advance."""
    queue: deque[tuple[str, Future[tuple[np.ndarray | str, np.ndarray]]]] = deque()
    with ThreadPoolExecutor(max(1, workers)) as readers:
        for name in waiting:
            queue.append((name, readers.submit(_read, files[name])))
            if len(queue) >= ahead:
                done, future = queue.popleft()
                yield done, *future.result()
        for name, future in queue:
            yield name, *future.result()


def _read(path: Path) -> tuple[np.ndarray | str, np.ndarray]:
    stamp = _stamp(path)
    try:
        picture = Photo.open(path).srgb()
    except LimnerError as error:
        return str(error), stamp
    height, width = picture.shape[:2]
    if height != width:
        return f"{path} is {width}x{height} px and so no aligned crop, which is square: align it first.", stamp
    return picture, stamp


@torch.inference_mode()
def _vectors(embedder: Embedder, pictures: Iterable[np.ndarray], device: torch.device | str) -> np.ndarray:
    """Embeddings (B, D) float32, made exactly of unit length."""
    crops = torch.stack([to_tensor(picture) for picture in pictures]).to(device)
    found = embedder(crops).double().cpu().numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
