"""A restorer that is done at once, for tests of what is around it; and a server on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import uvicorn

from limner.faces.seen import SeenFace
from limner.page.service import Service
from limner.photo.provenance import Provenance
from limner.restoration import Restoration
from limner.settings import Settings


class QuickRestorer:
    """Turns a photo into its negative, in as many steps as it is told, of so many seconds.

    Attributes:
        begun: restorations.
        ended: those that came to their end.
    """

    size = 64
    faces = 4  # at once

    def __init__(self, steps: int = 1, seconds: float = 0.0):
        self.settings, self.at_once = Settings(), self
        self.steps, self.seconds = steps, seconds
        self.begun = self.ended = 0

    def of(self, settings: Settings) -> QuickRestorer:
        self.settings = settings
        return self

    def restore(self, photo, progress, mask=None) -> Restoration:
        self.begun += 1
        for step in range(self.steps):
            time.sleep(self.seconds)
            progress(step + 1, self.steps)
        self.ended += 1
        made = Provenance("difface", "mini", self.settings.seed, 1, "0", invented=0.5)
        negative = photo.replaced(np.iinfo(photo.pixels.dtype).max - photo.pixels)
        return Restoration(
            photos=[negative] * self.settings.samples,
            faces=[SeenFace((0, 0, 9, 9), np.zeros((5, 2), np.float32), 1.0)],
            provenance=made,
            seconds=0.01,
            invented=np.zeros(photo.pixels.shape[:2], np.uint8),
            notes=[f"{photo.path} is a negative now."],
        )


def quickly(service: Service, monkeypatch, **how) -> QuickRestorer:
    """Puts a quick restorer into a service."""
    quick = QuickRestorer(**how)
    monkeypatch.setattr(service.restorers, "of", quick.of)
    monkeypatch.setattr(service.restorers, "_kept", quick)
    return quick


@contextmanager
def served(app) -> Iterator[str]:
    """Serves an app on loopback; the value is its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server didn't start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
