"""What evaluation asks of a method beside a restoration: the one place where it looks at what class a pipeline is.

A new method answers these questions here; no protocol knows it by name. `pipeline_of` is for `ceilings.py`, which takes
single methods apart.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor

from limner.methods.clrface import CLRFacePipeline
from limner.methods.difface import DifFacePipeline
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.refldm import RefLDMPipeline

Pipeline = TypeVar("Pipeline", bound=DiffusionPipeline)


def name_without_diffusion(method: LoadedMethod) -> str | None:
    """What the net is called whose picture the method gives with 0 steps; None if it takes no 0."""
    if isinstance(method.pipeline, DifFacePipeline):
        return "estimator"
    if isinstance(method.pipeline, LDBFRPipeline):
        return "stage A"
    return "IRN" if isinstance(method.pipeline, CLRFacePipeline) else None


def ceiling_name(method: LoadedMethod) -> str | None:
    """What the ceiling of the method's autoencoder is called; methods that share one share the name. None without."""
    if isinstance(method.pipeline, CLRFacePipeline):
        return "ceiling clrface"
    return "ceiling" if isinstance(method.pipeline, RefLDMPipeline | LDBFRPipeline) else None


@torch.no_grad()
def ceiling(method: LoadedMethod, picture: Tensor) -> Tensor | None:
    """A face through the method's encoder, quantiser and decoder, which no restoration in that latent can beat.

    Args:
        method: any.
        picture: (3, S, S) in [0, 1].

    Returns:
        The same, float32 and not clipped; None if the method works on pixels.
    """
    pipeline = method.pipeline
    if not isinstance(pipeline, RefLDMPipeline | LDBFRPipeline | CLRFacePipeline):
        return None
    vqgan = pipeline.vqgan
    latent = vqgan.encode(picture[None].to(vqgan.device) * 2 - 1).float()
    return vqgan.decode(latent)[0].float() / 2 + 0.5


def takes_references(method: LoadedMethod) -> bool:
    """Whether the method can use other photographs of the same person."""
    return isinstance(method.pipeline, RefLDMPipeline | CLRFacePipeline)


def with_masked_guidance(method: LoadedMethod) -> CLRFacePipeline | None:
    """The pipeline whose mask says where guidance acts, which is CLR-Face's; None if the method has no such thing."""
    return method.pipeline if isinstance(method.pipeline, CLRFacePipeline) else None


def pipeline_of(method: LoadedMethod, kind: type[Pipeline]) -> Pipeline:
    """The method's pipeline, for a measurement of that method's own parts.

    Raises:
        TypeError: if it is another method's.
    """
    if not isinstance(method.pipeline, kind):
        raise TypeError(f"A {type(method.pipeline).__name__} is no {kind.__name__}.")
    return method.pipeline
