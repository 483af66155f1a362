"""Between pictures and tensors, and from colour to grey."""

from __future__ import annotations

import cv2
import numpy as np
import torch


def to_tensor(rgb: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))).float() / 255


def to_picture(image: torch.Tensor) -> np.ndarray:
    """(3, H, W) in [0, 1], clipped and rounded, to (H, W, 3) uint8."""
    return (image.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def without_colour(rgb: np.ndarray) -> np.ndarray:
    """The luma (BT.601) of (H, W, 3) RGB in all three channels."""
    return cv2.cvtColor(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
