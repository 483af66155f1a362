"""Golden outputs on any device and in either precision: where nets are placed, and how near they must come."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from limner.device import Compute
from limner.methods.pipeline import FacePipeline

Pipeline = TypeVar("Pipeline", bound=FacePipeline)

BF16 = 0.04
"""Root mean square error in bf16, over the spread of the golden output: twice what a processor was found to make."""


def placed(pipeline: Pipeline, compute: Compute) -> Pipeline:
    """A copy of the pipeline whose nets lie where they run."""
    copied = deepcopy(pipeline)
    for part in copied.components.values():
        if isinstance(part, nn.Module):
            compute.place(part)
    return copied


def assert_golden(found: Tensor, expected: Tensor, compute: Compute, atol: float, rtol: float = 0) -> None:
    """In fp32 every number is within the tolerance; in bf16 all together are near."""
    if compute.dtype == torch.float32:
        torch.testing.assert_close(found, expected, rtol=rtol, atol=atol)
        return
    assert found.shape == expected.shape
    error = float((found.detach() - expected).square().mean().sqrt() / expected.std())
    assert error < BF16, f"{error:.2g} from the golden output"
