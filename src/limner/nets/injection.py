"""High-quality feature injection (docs/methods/ldbfr.md, eq. (8) to (11)): a restored feature F, led into a frozen
U-Net after its self-attention layers.

On the way down a block fuses F with what the attention gave, by convolutions and self-attention; on the way up F
modulates the tokens and is what they attend to. Every block ends in a convolution that starts at zero, so that the
untrained whole equals the U-Net alone. The U-Net knows nothing of it: it calls what it is given after its attention.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.attention import by_head, sinusoids
from limner.nets.blocks import group_norm, zeroed
from limner.nets.initial import keep_variance
from limner.nets.unet import UNet


class Place(NamedTuple):
    """Where a block stands: after the attention layer `layer` of the U-Net, counted in its order."""

    layer: int
    level: int
    channels: int
    half: str


class Injection(ModelMixin, ConfigMixin):
    """The blocks of all places, and the way of F to each.

    Args:
        condition_channels: C of F.
        condition_scale: side of the U-Net's first level over that of F: 4 as published. F reaches a level by
            pixel-shuffling, or below 1 by the inverse.
        levels: of the U-Net that are injected into; they need self-attention, and the middle never is.
        width, multipliers, depths, attention_levels, head_channels: as the U-Net has them.
        groups: of the group normalisation; 0 leaves it out.
        positions: tell the attention where each token is, see `limner.nets.attention.Attention`.
    """

    @register_to_config
    def __init__(
        self,
        condition_channels: int = 256,
        condition_scale: float = 4,
        levels: Sequence[int] = (1, 2),
        width: int = 224,
        multipliers: Sequence[int] = (1, 2, 3, 4),
        depths: Sequence[int] = (2, 2, 2, 2),
        attention_levels: Sequence[int] = (1, 2, 3),
        head_channels: int = 32,
        groups: int = 32,
        positions: bool = False,
    ):
        super().__init__()
        self.places = {
            place.layer: place
            for place in attention_places(width, multipliers, depths, attention_levels)
            if place.level in levels and place.half != "middle"
        }
        self.blocks = nn.ModuleDict()
        for place in self.places.values():
            condition = round(condition_channels / self.ratio(place.level) ** 2)
            if place.half == "down":
                block = FusionBlock(place.channels, condition, head_channels, groups, positions)
            else:
                block = ModulationBlock(place.channels, condition, head_channels, positions)
            self.blocks[str(place.layer)] = block

    @classmethod
    def for_unet(cls, unet: UNet, levels: Sequence[int], condition_channels: int, condition_side: int, positions: bool):
        """For a U-Net and an F of so many channels and such a side."""
        names = ("width", "multipliers", "depths", "attention_levels", "head_channels", "groups")
        scale = unet.config["sample_size"] / unet.config["patch_size"] / condition_side
        return cls(
            condition_channels, scale, levels, positions=positions, **{name: unet.config[name] for name in names}
        )

    def ratio(self, level: int) -> float:
        """Side of a level over that of F."""
        return self.config["condition_scale"] / 2**level

    def forward(self, unet: UNet, x: Tensor, timesteps: Tensor, feature: Tensor) -> Tensor:
        """The U-Net's prediction under the restored feature.

        Args:
            unet: frozen.
            x: noisy latents, (B, C, H, W).
            timesteps: (B,).
            feature: F, (B, condition_channels, h, w).
        """
        return unet(x, timesteps, after_attention=Injected(self, feature))

    def condition(self, feature: Tensor, level: int) -> Tensor:
        """F_r, F on the grid of a level."""
        ratio = self.ratio(level)
        return F.pixel_shuffle(feature, round(ratio)) if ratio >= 1 else F.pixel_unshuffle(feature, round(1 / ratio))


class Injected:
    """An `Injection` with a feature, as `UNet.forward` wants it: called after attention layer `number`."""

    def __init__(self, injection: Injection, feature: Tensor):
        self.injection = injection
        dtype = next(injection.parameters()).dtype
        levels = {place.level for place in injection.places.values()}
        self.conditions = {level: injection.condition(feature.to(dtype), level) for level in levels}

    def __call__(self, number: int, x: Tensor) -> Tensor:
        place = self.injection.places.get(number)
        if place is None:
            return x
        return self.injection.blocks[str(number)](x, self.conditions[place.level])


class FusionBlock(nn.Module):
    """On the way down:

    v = conv2(norm1(conv1([u, F_r]))),  out = u + end(attention(qkv(norm2(v))))
    """

    def __init__(self, channels: int, condition: int, head_channels: int, groups: int, positions: bool):
        super().__init__()
        self.heads = channels // head_channels
        self.conv1 = nn.Conv2d(channels + condition, 2 * channels, 3, padding=1)
        self.norm1 = group_norm(groups, 2 * channels)
        self.conv2 = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.norm2 = group_norm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.end = zeroed(nn.Conv2d(channels, channels, 1))
        self.places = _Places(self.heads, head_channels) if positions else None
        if not groups:
            keep_variance(self, zero=("end",))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        v = self.conv2(self.norm1(self.conv1(torch.cat([x, condition], dim=1))))
        # query, key and value first, heads within: unlike the U-Net's own attention
        parts = self.qkv(self.norm2(v)).chunk(3, dim=1)
        query, key, value = (by_head(part, self.heads) for part in parts)
        if self.places is not None:
            query, key = self.places(query, key, *x.shape[2:])
        mixed = F.scaled_dot_product_attention(query, key, value)
        return x + self.end(mixed.transpose(2, 3).reshape(x.shape))


class ModulationBlock(nn.Module):
    """On the way up, each token t of u beside its token of F_r:

    (scale, shift) = modulation(silu([t, F_t])),  m = norm1(t) (1 + scale) + shift
    out = u + end(t + attention(query(norm2(m)), key(F_r), value(F_r)))
    """

    def __init__(self, channels: int, condition: int, head_channels: int, positions: bool):
        super().__init__()
        self.heads = channels // head_channels
        self.modulation = nn.Linear(channels + condition, 2 * channels)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels, bias=False)
        self.key = nn.Linear(condition, channels, bias=False)
        self.value = nn.Linear(condition, channels, bias=False)
        self.out = nn.Linear(channels, channels)
        self.end = zeroed(nn.Conv2d(channels, channels, 1))
        self.places = _Places(self.heads, head_channels) if positions else None

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        tokens, given = (part.flatten(2).transpose(1, 2) for part in (x, condition))
        scale, shift = self.modulation(F.silu(torch.cat([tokens, given], dim=2))).chunk(2, dim=2)
        modulated = torch.addcmul(shift, self.norm1(tokens), 1 + scale)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(self.norm2(modulated)), self.key(given), self.value(given))
        )
        if self.places is not None:
            query, key = self.places(query, key, *x.shape[2:])
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        y = self.out(seen) + tokens
        return x + self.end(y.transpose(1, 2).reshape(x.shape))


class _Places(nn.Module):
    """Adds each token's place to its query and key: at first a place weighs some 20 times as much as its neighbour."""

    def __init__(self, heads: int, head_channels: int):
        super().__init__()
        self.gain = nn.Parameter(torch.full((heads, 1, head_channels), 2.5))

    def forward(self, query: Tensor, key: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        place = (self.gain * sinusoids(height, width, query.shape[3]).to(query.device)).to(query.dtype)
        return query + place, key + place


def attention_places(
    width: int, multipliers: Sequence[int], depths: Sequence[int], attention_levels: Sequence[int]
) -> Iterator[Place]:
    """Every attention layer of a U-Net of these sizes, in its order."""
    order = [(level, "down") for level, depth in enumerate(depths) if level in attention_levels for _ in range(depth)]
    order.append((len(depths) - 1, "middle"))
    for level in reversed(range(len(depths))):
        if level in attention_levels:
            order += [(level, "up")] * (depths[level] + 1)
    for layer, (level, half) in enumerate(order):
        yield Place(layer, level, width * multipliers[level], half)
