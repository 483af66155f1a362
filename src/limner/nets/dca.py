"""Dual cross-attention (docs/methods/ldbfr.md, eq. (2) and (3)): a degraded face's feature asks, codes of clean faces
answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.nets.attention import by_head, sinusoids
from limner.nets.blocks import zeroed


class DualCrossAttention(nn.Module):
    """First across channels, then across places, around a skip from the codes:

        A = softmax(Y Y^T),  X' = X + A X                            rows are channels, columns are places
        F = X + out(softmax(query(Y) key(X')^T / sqrt(d)) value(X'))  rows are places, in heads of d channels

    Args:
        channels: of Y and X.
        heads: of the attention across places.
        head_channels: d; None divides the channels among the heads, as published.
        scaled: divide Y Y^T by the square root of the number of places. Without it, as published, nearly every channel
            attends to itself alone, since the sum runs over all places.
        positions: tell the attention where each token is, as `limner.nets.attention.Attention` does, and let the output
            begin at zero. The published net finds places in its 256 channels; a latent of eight has no room for them.
    """

    def __init__(
        self,
        channels: int = 256,
        heads: int = 8,
        head_channels: int | None = None,
        scaled: bool = False,
        positions: bool = False,
    ):
        super().__init__()
        self.heads, self.scaled = heads, scaled
        head_channels = head_channels or channels // heads
        inner = heads * head_channels
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1)
        self.position_gain = nn.Parameter(torch.full((heads, 1, head_channels), 2.5)) if positions else None
        if positions:
            zeroed(self.out)

    def forward(self, lq: Tensor, codes: Tensor) -> Tensor:
        """F, from the feature Y of the degraded face and its nearest codes X, all (B, C, h, w)."""
        mixed = self.mix_channels(lq, codes)
        query, key, value = (
            by_head(layer(x), self.heads) for layer, x in ((self.query, lq), (self.key, mixed), (self.value, mixed))
        )
        if self.position_gain is not None:
            place = self.position_gain * sinusoids(*lq.shape[2:], query.shape[3]).to(query.device)
            query, key = query + place.to(query.dtype), key + place.to(key.dtype)
        seen = F.scaled_dot_product_attention(query, key, value)
        return codes + self.out(seen.transpose(2, 3).flatten(1, 2).unflatten(2, lq.shape[2:]))

    def mix_channels(self, lq: Tensor, codes: Tensor) -> Tensor:
        """X' = X + A X."""
        return codes + (self.affinity(lq) @ codes.flatten(2)).unflatten(2, codes.shape[2:])

    def affinity(self, lq: Tensor) -> Tensor:
        """A, (B, C, C), whose rows sum to 1: how much each channel of Y resembles each."""
        rows = lq.flatten(2)
        return (rows @ rows.transpose(1, 2) / (rows.shape[2] ** 0.5 if self.scaled else 1)).softmax(dim=2)
