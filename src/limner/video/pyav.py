"""PyAV, which carries FFmpeg and comes with the extra `video`."""

from __future__ import annotations

from typing import Any

from limner.errors import LimnerError
from limner.extras import needed


class ClipError(LimnerError):
    """A clip that can't be read or written."""


def pyav() -> Any:
    """The package `av`, whose submodules are there with it.

    Raises:
        ClipError: it isn't installed.
    """
    with needed("av", "A moving picture", ClipError):
        import av
    return av
