"""The denoising U-Net that all methods share (the ADM family: Dhariwal & Nichol 2021, as the four papers use it).

One class covers what `diffusers.UNet2DModel` can't: a number of residual blocks per level, either way of feeding the
timestep, and a pixel-unshuffle stem for pixel-space priors that a CPU can train. It holds no state between calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.initial import keep_variance


def group_norm(groups: int, channels: int) -> nn.Module:
    """Group normalisation, or none for 0 groups."""
    return nn.GroupNorm(groups, channels) if groups else nn.Identity()


def timestep_embedding(timesteps: Tensor, channels: int) -> Tensor:
    """Sinusoids of the timesteps: (B,) to (B, channels), cosines first, longest period 10000."""
    half = channels // 2
    frequencies = torch.exp(-math.log(10000.0) / half * torch.arange(half, device=timesteps.device))
    angles = timesteps[:, None].float() * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class TimeEmbedding(nn.Module):
    """Sinusoids through a two-layer perceptron."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, 4 * width)

    def forward(self, timesteps: Tensor) -> Tensor:
        waves = timestep_embedding(timesteps, self.width).to(self.linear1.weight.dtype)
        return self.linear2(F.silu(self.linear1(waves)))


class ResBlock(nn.Module):
    """Norm-SiLU-conv twice around the time embedding, plus a skip.

    With `scale_shift` the embedding scales and shifts the second norm's output (DifFace); without, it is added
    before that norm (latent diffusion). The last convolution starts at zero.
    """

    def __init__(self, in_channels: int, out_channels: int, time_channels: int, scale_shift: bool, groups: int):
        super().__init__()
        self.scale_shift = scale_shift
        self.norm1 = group_norm(groups, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time = nn.Linear(time_channels, 2 * out_channels if scale_shift else out_channels)
        self.norm2 = group_norm(groups, out_channels)
        self.conv2 = _zero(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        self.skip = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        time = self.time(F.silu(embedding))[:, :, None, None]
        if self.scale_shift:
            scale, shift = time.chunk(2, dim=1)
            h = torch.addcmul(shift, self.norm2(h), 1 + scale)
        else:
            h = self.norm2(h + time)
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Multi-head self-attention over all positions, plus a skip. Channels are split into heads first, and each head's
    share holds its query, key and value, as in the published checkpoints."""

    def __init__(self, channels: int, head_channels: int, groups: int):
        super().__init__()
        self.heads = channels // head_channels
        self.norm = group_norm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, self.heads, -1, height * width).transpose(2, 3)
        query, key, value = (part.contiguous() for part in qkv.chunk(3, dim=3))
        mixed = F.scaled_dot_product_attention(query, key, value)
        return x + self.out(mixed.transpose(2, 3).reshape(batch, channels, height, width))


class Block(nn.Module):
    """A residual block and, at some levels, attention behind it."""

    def __init__(self, res: ResBlock, attention: Attention | None):
        super().__init__()
        self.res = res
        self.attention = attention

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.res(x, embedding)
        return h if self.attention is None else self.attention(h)


class Level(nn.Module):
    """The blocks at one resolution, and the convolution that leads to the next."""

    def __init__(self, blocks: Sequence[Block], resample: nn.Conv2d | None):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.resample = resample

    def __iter__(self) -> Iterator[Block]:
        return iter(cast(Iterable[Block], self.blocks))


class UNet(ModelMixin, ConfigMixin):
    """A U-Net over a noisy picture or latent and its timestep.

    Args:
        sample_size: side of the picture or latent that it was made for; other sizes work.
        in_channels, out_channels: of input and output; 6 out of 3 in means a learned variance behind the noise.
        width: channels of the first level.
        multipliers: channels of each level, in units of `width`; every level halves the resolution.
        depths: residual blocks of each level on the way down; the way up has one more.
        attention_levels: indices of the levels with self-attention (the middle always has it).
        head_channels: channels of an attention head.
        scale_shift: how the timestep enters, see `ResBlock`.
        groups: of the group normalisation; 0 leaves it out, which a CPU trains nearly twice as fast.
        patch_size: factor of a pixel-unshuffle before the first convolution, undone behind the last.
        input_skip: add the input to the output, each channel of the patches in a share that depends on the timestep.
            A net that predicts the clean picture then needn't carry every pixel through its narrow middle.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 512,
        in_channels: int = 3,
        out_channels: int = 6,
        width: int = 32,
        multipliers: Sequence[int] = (1, 2, 4, 8, 8, 16, 16),
        depths: Sequence[int] = (1, 2, 2, 2, 2, 3, 4),
        attention_levels: Sequence[int] = (4, 5, 6),
        head_channels: int = 64,
        scale_shift: bool = True,
        groups: int = 32,
        patch_size: int = 1,
        input_skip: bool = False,
    ):
        super().__init__()
        self.patch_size = patch_size
        time_channels = 4 * width
        channels = [width * m for m in multipliers]

        def block(ins: int, outs: int, level: int) -> Block:
            attention = Attention(outs, head_channels, groups) if level in attention_levels else None
            return Block(ResBlock(ins, outs, time_channels, scale_shift, groups), attention)

        self.time = TimeEmbedding(width)
        self.stem = nn.Conv2d(in_channels * patch_size**2, channels[0], 3, padding=1)

        skips = [channels[0]]  # channels of every tensor that the way up will want back
        self.down = nn.ModuleList()
        now = channels[0]
        for level, (outs, depth) in enumerate(zip(channels, depths, strict=True)):
            blocks = []
            for _ in range(depth):
                blocks.append(block(now, outs, level))
                now = outs
                skips.append(now)
            last = level == len(channels) - 1
            self.down.append(Level(blocks, None if last else nn.Conv2d(now, now, 3, stride=2, padding=1)))
            if not last:
                skips.append(now)

        self.middle = nn.ModuleList(
            [
                Block(
                    ResBlock(now, now, time_channels, scale_shift, groups),
                    Attention(now, head_channels, groups),
                ),
                Block(ResBlock(now, now, time_channels, scale_shift, groups), None),
            ]
        )

        self.up = nn.ModuleList()
        for level in reversed(range(len(channels))):
            blocks = []
            for _ in range(depths[level] + 1):
                blocks.append(block(now + skips.pop(), channels[level], level))
                now = channels[level]
            self.up.append(Level(blocks, nn.Conv2d(now, now, 3, padding=1) if level else None))

        self.norm = group_norm(groups, now)
        self.head = nn.Conv2d(now, out_channels * patch_size**2, 3, padding=1)
        self.share = nn.Linear(time_channels, in_channels * patch_size**2) if input_skip else None
        if not groups:
            keep_variance(self, zero=("conv2", "out"))

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        """Predicts noise (or whatever it was trained for).

        Args:
            x: (B, in_channels, H, W); H and W multiples of patch_size * 2^(levels - 1).
            timesteps: (B,), in steps of the original schedule.

        Returns:
            (B, out_channels, H, W).
        """
        embedding = self.time(timesteps)
        patches = F.pixel_unshuffle(x, self.patch_size) if self.patch_size > 1 else x
        h = self.stem(patches.to(self.stem.weight.dtype))
        skips = [h]
        for level in cast(Iterable[Level], self.down):
            for block in level:
                h = block(h, embedding)
                skips.append(h)
            if level.resample is not None:
                h = level.resample(h)
                skips.append(h)
        for block in self.middle:
            h = block(h, embedding)
        for level in cast(Iterable[Level], self.up):
            for block in level:
                h = block(torch.cat([h, skips.pop()], dim=1), embedding)
            if level.resample is not None:
                h = level.resample(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        h = self.head(F.silu(self.norm(h)))
        if self.share is not None:  # in the precision of x, so that bf16 weights don't coarsen it
            h = h.to(x.dtype) + self.share(F.silu(embedding))[:, :, None, None].to(x.dtype) * patches
        return F.pixel_shuffle(h, self.patch_size) if self.patch_size > 1 else h


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    """Lets a branch start as nothing, so that the untrained net is close to the identity."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
