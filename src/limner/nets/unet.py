"""The denoising U-Net that all methods share (the ADM family: Dhariwal & Nichol 2021, as the four papers use it).

One class covers what `diffusers.UNet2DModel` can't: a number of residual blocks per level, either way of feeding the
timestep, references to attend to (ReF-LDM), and a pixel-unshuffle stem for pixel-space priors that a CPU can train. It
holds no state between calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.attention import AfterAttention, Attention, MainPass, Pass, ReferencePass, copies
from limner.nets.blocks import Parts, group_norm, zeroed
from limner.nets.cachekv import ReferenceCache, collect
from limner.nets.initial import keep_variance
from limner.nets.tail import Tail


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
        self.conv2 = zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1))
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


class Block(nn.Module):
    """A residual block and, at some levels, attention after it."""

    def __init__(self, res: ResBlock, attention: Attention | None):
        super().__init__()
        self.res = res
        self.attention = attention

    def forward(self, x: Tensor, embedding: Tensor, attend: Pass) -> Tensor:
        h = self.res(x, embedding[: len(x)])  # guidance: up to the first attention, x holds only one of its copies
        return h if self.attention is None else attend(self.attention, h)


class Level(nn.Module):
    """The blocks at one resolution, and the convolution that leads to the next."""

    def __init__(self, blocks: Sequence[Block], resample: nn.Conv2d | None):
        super().__init__()
        self.blocks = Parts(blocks)
        self.resample = resample


class UNet(ModelMixin, ConfigMixin):
    """A U-Net over a noisy picture or latent and its timestep.

    Args:
        sample_size: side of the picture or latent that it was made for; other sizes work.
        in_channels, out_channels: of input and output; 6 out of 3 in means a learned variance after the noise.
        width: channels of the first level.
        multipliers: channels of each level, in units of `width`; every level halves the resolution.
        depths: residual blocks of each level on the way down; the way up has one more.
        attention_levels: indices of the levels with self-attention (the middle always has it).
        head_channels: channels of an attention head.
        scale_shift: how the timestep enters, see `ResBlock`.
        groups: of the group normalisation; 0 leaves it out, which a CPU trains nearly twice as fast.
        patch_size: factor of a pixel-unshuffle before the first convolution, undone after the last.
        input_skip: add the input to the output, each channel of the patches in a share that depends on the timestep
            (an input of several pictures, each as large as the output, adds them all). A net that predicts the clean
            picture then needn't carry every pixel through its narrow middle.
        attention_positions: tell the attention where each token is, see `Attention`.
        tail_widths: channels at half and at full size of layers that look at input and output at their own size and add
            to the output (`Tail`, for a patch_size of 4); none for none.
        spectrum: what the frequencies of its pictures are multiplied with once they are done, by
            `limner.methods.spectrum`, which then takes a lattice off, too; none for neither. No layer knows of it.
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
        attention_positions: bool = False,
        tail_widths: Sequence[int] = (),
        spectrum: Sequence[float] = (),
    ):
        super().__init__()
        if spectrum and (
            sample_size % 4 or sample_size < 64 or len(spectrum) < 2 or not all(0 < g <= 4 for g in spectrum)
        ):
            raise ValueError(
                "A spectrum has two gains at least, above 0 and up to 4, of pictures of 64, 68, 72 ... px."
            )
        self.patch_size = patch_size
        time_channels = 4 * width
        channels = [width * m for m in multipliers]

        def block(ins: int, outs: int, level: int) -> Block:
            attention = (
                Attention(outs, head_channels, groups, attention_positions) if level in attention_levels else None
            )
            return Block(ResBlock(ins, outs, time_channels, scale_shift, groups), attention)

        self.time = TimeEmbedding(width)
        self.stem = nn.Conv2d(in_channels * patch_size**2, channels[0], 3, padding=1)

        skips = [channels[0]]  # channels of every tensor that the way up will want back
        down = []
        now = channels[0]
        for level, (outs, depth) in enumerate(zip(channels, depths, strict=True)):
            blocks = []
            for _ in range(depth):
                blocks.append(block(now, outs, level))
                now = outs
                skips.append(now)
            last = level == len(channels) - 1
            down.append(Level(blocks, None if last else nn.Conv2d(now, now, 3, stride=2, padding=1)))
            if not last:
                skips.append(now)
        self.down = Parts(down)

        self.middle = Parts(
            [
                Block(
                    ResBlock(now, now, time_channels, scale_shift, groups),
                    Attention(now, head_channels, groups, attention_positions),
                ),
                Block(ResBlock(now, now, time_channels, scale_shift, groups), None),
            ]
        )

        up = []
        for level in reversed(range(len(channels))):
            blocks = []
            for _ in range(depths[level] + 1):
                blocks.append(block(now + skips.pop(), channels[level], level))
                now = channels[level]
            up.append(Level(blocks, nn.Conv2d(now, now, 3, padding=1) if level else None))
        self.up = Parts(up)

        self.norm = group_norm(groups, now)
        self.head = nn.Conv2d(now, out_channels * patch_size**2, 3, padding=1)
        self.share = nn.Linear(time_channels, in_channels * patch_size**2) if input_skip else None
        if not groups:
            keep_variance(self, zero=("conv2", "out"))
        pictures = in_channels + out_channels
        self.tail = Tail(now, pictures, out_channels, time_channels, tail_widths) if tail_widths else None
        for layer in self.modules():
            if isinstance(layer, Attention) and attention_positions:
                layer.begin_by_copying()

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        caches: ReferenceCache | Sequence[ReferenceCache | None] | None = None,
        after_attention: AfterAttention | None = None,
    ) -> Tensor:
        """Predicts noise (or whatever it was trained for).

        Args:
            x: (B, in_channels, H, W); H and W multiples of patch_size * 2^(levels - 1).
            timesteps: (B,), in steps of the original schedule.
            caches: from `read_references`, of B rows or of one for all. Of several (for guidance), each gives B rows
                of the result; what no reference can change is computed once for all. None stands for no references.
            after_attention: called after every attention layer, with its number and its output; what it returns
                goes on.

        Returns:
            (B, out_channels, H, W); of k caches (k * B, out_channels, H, W), the rows of the first cache first.
        """
        given = (caches,) if caches is None or isinstance(caches, ReferenceCache) else tuple(caches)
        embedding = copies(self.time(timesteps), len(given))
        patches = self._patches(x)
        features = self.norm(self._between(self._stem(patches), embedding, MainPass(given, after_attention)))
        h = self.head(F.silu(features))
        if self.share is not None:  # in the precision of x, so that bf16 weights don't coarsen it
            share = self.share(F.silu(embedding))[:, :, None, None].to(x.dtype)
            h = h.to(x.dtype) + (share * copies(patches, len(given))).unflatten(1, (-1, h.shape[1])).sum(dim=1)
        made = F.pixel_shuffle(h, self.patch_size) if self.patch_size > 1 else h
        if self.tail is None:
            return made
        pictures = torch.cat([copies(x, len(given)), made], dim=1).to(features.dtype)
        return made + self.tail(features, pictures, embedding).to(made.dtype)

    def read_references(self, references: Tensor, present: Tensor | None = None, stands_for: int = 1) -> ReferenceCache:
        """Reads references for `forward`: clean, at timestep 0, each for itself, in one batch.

        Args:
            references: (B, n, C, H, W), n for each row; channels that C lacks of in_channels are zeros.
            present: (B, n) bool, where a row has fewer than n; None means that all are there. What stands in the place
                of an absent one is not looked at; a row without any is restored without references.
            stands_for: how many alike each of them stands for: one zero reference, read with 4, equals four.

        Returns:
            The cache of B rows, with gradient to the references.
        """
        if present is None:
            present = torch.ones(references.shape[:2], dtype=torch.bool, device=references.device)
        x = references[present]
        x = F.pad(x, (0, 0, 0, 0, 0, self.config["in_channels"] - x.shape[1]))
        embedding = self.time(torch.zeros(len(x), device=x.device))
        read = ReferencePass(sum(isinstance(layer, Attention) for layer in self.modules()))
        self._between(self._stem(self._patches(x)), embedding, read)
        return collect(read.found, present, stands_for)

    def _patches(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, self.patch_size) if self.patch_size > 1 else x

    def _stem(self, patches: Tensor) -> Tensor:
        return self.stem(patches.to(self.stem.weight.dtype))

    def _between(self, h: Tensor, embedding: Tensor, attend: Pass) -> Tensor:
        """From after the stem to before the head, or until `attend` is done."""
        skips = [h]
        for level in self.down:
            for block in level.blocks:
                h = block(h, embedding, attend)
                skips.append(h)
            if level.resample is not None:
                h = level.resample(h)
                skips.append(h)
        for block in self.middle:
            h = block(h, embedding, attend)
        for level in self.up:
            for block in level.blocks:
                if attend.done:
                    return h
                skip = skips.pop()
                if len(skip) < len(h):  # from before the first attention
                    skip = copies(skip, len(h) // len(skip))
                h = block(torch.cat([h, skip], dim=1), embedding, attend)
            if attend.done:
                return h
            if level.resample is not None:
                h = level.resample(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return h
