"""Work without nets, for a pool."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from limner.cluster.job import Begun
from limner.cluster.ray_package import ray
from limner.errors import LimnerError
from limner.folder.in_order import Stop

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers don't find the tests


@dataclass(frozen=True)
class Squares:
    """Squares numbers; -1 kills its worker, -2 takes until it is called off, -3 can't be squared.

    Attributes:
        notes: folder where it is noted what was begun and called off.
        begins: what becomes of a worker that begins: `well`, `fails`, `dies`, or `unlike` others.
    """

    notes: Path
    begins: str = "well"

    def begin(self) -> Begun[int, int]:
        if self.begins == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.begins == "fails":
            raise LimnerError("There are no numbers.")
        like = {"the number": str(os.getpid()) if self.begins == "unlike" else "1"}
        return Begun(self.square, like, "squares")

    def lost(self, item: int, deaths: int) -> int:
        return 1000 + deaths

    def square(self, item: int, stop: Stop) -> int:
        with (self.notes / f"{item}").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if item == -1:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == -3:
            raise LimnerError("It is odd.")
        while item == -2 and not stop:
            time.sleep(0.02)
        if item == -2:
            (self.notes / "called off").touch()
            stop.check()
        time.sleep(0.2 if item == 0 else 0.01)
        return item * item
