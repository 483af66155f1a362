"""Imports of large packages, undisturbed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """The garbage collector rests while torch and diffusers are imported, and passes over what they made from then on.

    They bring half a million objects, which stay until the process ends. The collector would search them for garbage
    again and again while they are being made, now and then later, and once more at exit: together more than a second of
    a short run. This is for the command line, whose process is its own: a library has no say over its caller's
    collector. Where torch is there already, nothing large is left to import, and nothing happens.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
