"""How frozen nets are asked while samples are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from limner.device import has_bfloat16


@contextmanager
def frozen_pass() -> Iterator[None]:
    """Without gradients, on the CPU, and in bf16 where the processor has it."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
        yield
