"""How far a restoration has come, and how it is called off."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (net evaluations done, of how many), in the thread that restores. Faces go through the nets together, so
that no evaluation is of one face. Whatever it raises ends the restoration, `limner.Cancelled` being meant for that:
nothing is written, and the `Restorer` is as good as before."""


class Asked:
    """A progress callback that can be asked again where no net of the method runs, so that a restoration can be called
    off there, too.

    Args:
        progress: the callback; None where nobody wants to know.
    """

    def __init__(self, progress: Progress | None):
        self._progress = progress
        self._last: tuple[int, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Tells the callback and remembers it."""
        self._last = done, total
        if self._progress:
            self._progress(done, total)

    def again(self) -> None:
        """Tells the callback what it was told last; nothing if that was nothing."""
        if self._last:
            self(*self._last)
