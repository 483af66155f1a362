"""The enlarger of faces: a restoration to one twice as large, beside the photograph at that size.

What skin, hair and lashes look like the estimator (`nets/estimator.py`) has learned already: its features of the
restoration, at an eighth of the side of what is made, are shared, and layers of this net's own, at a half and the whole
of it, draw what the restoration's pixels were too few for. They see the photograph too: where that shows a strand of
hair, it should lie there. Their answer is added to what cubic interpolation gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.enlarge import interpolated
from limner.nets.estimator import CONTRAST, Estimator
from limner.nets.tail import Tail

SIZE = 256
"""Of the restorations that the embedded one is for, in pixels."""
BELOW = 32
"""Channels at a quarter of the side, which are made of the features."""


class FaceEnlarger(ModelMixin, ConfigMixin):
    """A restored face to the same, twice as high and wide.

    Args:
        sample_size: side in pixels of the restorations it was trained on.
        widths: channels of its layers at half and at full size.
        estimator_config: of the estimator whose features it takes; it holds all of that.
        borrows: parts whose tensors lie with other weights, see `limner.weights.borrowed`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = SIZE,
        widths: Sequence[int] = (48, 24),
        estimator_config: Mapping[str, Any] | None = None,
        borrows: Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.estimator = Estimator(**(estimator_config or {}))
        self.grow = nn.Conv2d(self.estimator.config["widths"][0], 4 * BELOW, 1)
        self.tail = Tail(BELOW, pictures=6, channels=3, time_channels=0, widths=widths)

    @classmethod
    def of(cls, estimator: Estimator, borrows: Mapping[str, str] | None = None) -> FaceEnlarger:
        """An untrained one with the features of an estimator."""
        config = {key: value for key, value in estimator.config.items() if not key.startswith("_")}
        net = cls(config["sample_size"], estimator_config=config, borrows=borrows)
        net.estimator.load_state_dict(estimator.state_dict())
        return net

    def forward(self, restored: Tensor, photo: Tensor) -> Tensor:
        """Enlarges restorations.

        Args:
            restored: (B, 3, H, W) in [0, 1], H and W as the estimator wants them.
            photo: (B, 3, 2 H, 2 W) in [0, 1], what they were made of.

        Returns:
            (B, 3, 2 H, 2 W), not clipped.
        """
        large = interpolated(restored)
        h = F.pixel_shuffle(self.grow(F.silu(self.estimator.features(restored))), 2)
        seen = CONTRAST * (torch.cat([large, photo], dim=1) - 0.5)
        return large + self.tail(h, seen.to(h.dtype)).to(large.dtype)
