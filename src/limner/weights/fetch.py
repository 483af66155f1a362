"""Fetching a published file once: resumed where it stopped, verified before it counts, renamed when whole.

It happens only when asked for. Where there is no network, the file may be put by hand where the error says.
"""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from limner.errors import WeightsError
from limner.weights.catalogue import Embedded, Published, Weights, megabytes, sha256

Progress = Callable[[int, int | None], None]
CHUNK = 1 << 20
TIMEOUT = 30  # seconds without a byte


def fetch(weights: Weights, models: Path | None = None, progress: Progress | None = None) -> Path:
    """Brings a published file into the folder of models, unless it is there already.

    Args:
        weights: an entry of the catalogue; an embedded one is always there.
        models: the folder; by default `catalogue.models_dir()`.
        progress: called with the bytes on disk so far and in all, None where the server doesn't say.

    Returns:
        Where the file lies. Its sha256 is recorded beside it.

    Raises:
        WeightsError: no network or no such file there; the transfer stopped (call again to go on); the file
            is not what it should be.
    """
    if isinstance(weights, Embedded):
        return weights.path()
    target = weights.path(models)
    if target.is_file():
        verify(weights, target, models)
        return target
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(weights.url, part, progress)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(
            f"{weights.file} couldn't be fetched from {weights.url} ({_reason(error)}): try again, "
            f"or fetch it by other means and put it at {target}."
        ) from error
    try:
        verify(weights, part, models)
    except WeightsError:
        part.unlink()  # nothing to resume from
        raise
    os.replace(part, target)
    return target


def verify(weights: Published, path: Path, models: Path | None = None) -> None:
    """Checks a file against its known sha256, loads it strictly, and records the sha256 if it had none.

    Args:
        weights: what the file should be.
        path: of the file.
        models: the folder where the sha256 is recorded; None is `catalogue.models_dir()`.

    Raises:
        WeightsError: another sha256, or not the net that it should be.
    """
    found, known = sha256(path), weights.known_sha256(models)
    if known and found != known:
        raise WeightsError(
            f"{path} is not the file it should be: its sha256 is {found}, not {known}; delete it and fetch it again."
        )
    if weights.format is None:
        _check_yunet(path)
    else:
        from limner.weights.checkpoint import read_checkpoint
        from limner.weights.formats.registry import format_named

        format_named(weights.format).load(read_checkpoint(path))
    if not known:
        with contextlib.suppress(OSError):  # a shared folder of models may be read-only
            weights.record(models).write_text(f"{found}  {weights.file}\n", encoding="utf-8")


def _check_yunet(path: Path) -> None:
    import cv2
    import numpy as np

    model = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        cv2.FaceDetectorYN.create("onnx", model, np.empty(0, np.uint8), (320, 320))
    except cv2.error as error:
        raise WeightsError(f"{path} is not the YuNet face detector: delete it and fetch it again.") from error


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """Appends to `part` what it lacks of `url`."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "limner"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # the last attempt ended between the last byte and the check
        part.unlink()
        return _download(url, part, progress)
    with response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        start = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with part.open("ab" if resumed else "wb") as file:
            received = start
            while chunk := response.read(CHUNK):
                file.write(chunk)
                received += len(chunk)
                if progress:
                    progress(received, total)
    if total is not None and received < total:
        raise http.client.HTTPException(
            f"the transfer stopped after {megabytes(received)} of {megabytes(total)}; the next attempt goes on there"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
