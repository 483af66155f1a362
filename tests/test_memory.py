"""Batches that don't fit into the memory."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from limner import Restorer, Settings
from limner.device import Compute, choose
from limner.errors import LimnerError
from limner.memory import AtOnce, is_of_memory
from limner.nets.unet import UNet


@pytest.fixture
def roomy(monkeypatch) -> None:
    """Memory for all that may be."""
    monkeypatch.setattr("limner.device.free_memory", lambda device: 2**40)


ERRORS = [
    MemoryError("so large"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    RuntimeError("could not create a memory object"),
]


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_half_as_many_from_the_moment_on_at_which_memory_runs_out(error, roomy):
    at_once, asked = AtOnce(choose("cpu"), 64), []

    def work(faces: int) -> int:
        asked.append(faces)
        if faces > 1:
            raise error
        return faces

    assert at_once.faces == 4 and at_once(work) == 1
    assert at_once(work) == 1 and asked == [4, 2, 1, 1], "and it is remembered"


def test_too_little_for_one_face_and_other_errors_come_through(roomy):
    at_once, asked = AtOnce(choose("cpu"), 64), []

    def failing(error: Exception) -> None:
        def work(faces: int) -> None:
            asked.append(faces)
            raise error

        with pytest.raises(type(error), match=str(error)):
            at_once(work)

    for other in (RuntimeError("shapes differ"), ValueError("out of memory"), LimnerError("no such face")):
        assert not is_of_memory(other)
        failing(other)
    assert asked == [4, 4, 4]
    failing(MemoryError("nothing left"))
    assert asked[3:] == [4, 2, 1]


@pytest.mark.slow
def test_faces_that_do_not_fit_together_are_restored_all_the_same(monkeypatch, roomy):
    """A net that holds two faces at most; the pixels are those of batches of two."""
    restorer = Restorer(Settings(options={"steps": 2}, dtype="fp32", threads=1))
    crops = list(np.random.default_rng(0).integers(0, 255, (5, 256, 256, 3), np.uint8))
    forward, seen = UNet.forward, []

    def small(self: UNet, x: torch.Tensor, *given: Any) -> torch.Tensor:
        seen.append(len(x))
        if len(x) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(self, x, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Compute, "batch_size", lambda *_: 2)
        wanted = restorer.restore_crops(crops)
    monkeypatch.setattr(UNet, "forward", small)
    told = []
    restored = restorer.restore_crops(crops, progress=lambda done, total: told.append((done, total)))
    assert seen[0] == 4 and set(seen[1:]) == {2, 1} and told[-1] == (10, 10)
    for one, other in zip(restored, wanted, strict=True):
        np.testing.assert_array_equal(one.samples[0], other.samples[0])
    seen.clear()
    restorer.restore_crops(crops)
    assert max(seen) == 2


FACES = 12
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

LIMITED = f"""
import resource
import numpy as np
from limner import Restorer, Settings
from limner.device import Compute
from limner.nets.unet import UNet

def crops():
    return list(np.random.default_rng(0).integers(0, 255, ({FACES}, 256, 256, 3), np.uint8))

restorer = Restorer(Settings(options={{"steps": 1}}, finish=0, dtype="fp32", threads=1))
restorer.restore_crops(crops()[:1])  # what is made once
Compute.batch_size, restorer.at_once._ceiling = lambda *_: {FACES}, {FACES}
forward, seen = UNet.forward, []

def watched(self, x, *given):
    seen.append(len(x))
    return forward(self, x, *given)

UNet.forward = watched
for room in range(700, 0, -100):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
    restored = restorer.restore_crops(crops())
    if len(seen) > 1:
        break
    seen.clear()
print(len(restored), *seen)
"""
"""Restores more faces than the memory holds that the system gives this process: ever less memory, since what an
allocator has put aside differs from machine to machine, until they don't go through together."""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a system that limits a process's memory")
def test_where_the_processor_s_memory_really_ends_fewer_go_at_once():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, env=os.environ | ONE_THREAD)
    assert done.returncode == 0, done.stderr[-2000:]
    count, first, *others = map(int, done.stdout.split())
    assert count == first == FACES and max(others[-3:]) < FACES and sum(others) >= FACES
