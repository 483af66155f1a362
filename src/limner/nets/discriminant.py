"""Fisher's linear discriminant over several descriptions of a face: the directions in which people differ, measured by
how far photographs of one person lie apart in them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class Discriminant(ModelMixin, ConfigMixin):
    """Descriptions of a face, one behind the other, to a unit vector whose cosine says "the same person".

    Args:
        features: length F of all descriptions together.
        embedding: length D of the vectors.
    """

    mean: Tensor

    @register_to_config
    def __init__(self, features: int = 4612, embedding: int = 256):
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.project = nn.Linear(features, embedding, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) to (B, D) of unit length, in float32."""
        return F.normalize(self.project(features.float() - self.mean), dim=1)
