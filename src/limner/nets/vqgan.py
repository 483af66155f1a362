"""The first stage of the latent methods: a convolutional autoencoder with a vector-quantised latent (Esser et al. 2021,
as ReF-LDM, LD-BFR and CLR-Face use it).

The published nets have group normalisation and attention in the middle. The embedded one begins with a pixel-unshuffle,
ends with its inverse and has neither, because those are what a CPU trains slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.attention import by_head
from limner.nets.blocks import Parts
from limner.nets.initial import keep_variance
from limner.nets.tail import Tail
from limner.nets.tiles import in_tiles


def _norm(groups: int, channels: int) -> nn.Module:
    return nn.GroupNorm(groups, channels, eps=1e-6) if groups else nn.Identity()


class ResBlock(nn.Module):
    """Norm-SiLU-conv twice, plus a skip."""

    def __init__(self, in_channels: int, out_channels: int, groups: int):
        super().__init__()
        self.norm1 = _norm(groups, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = _norm(groups, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    """Single-head self-attention over all positions, plus a skip."""

    def __init__(self, channels: int, groups: int):
        super().__init__()
        self.norm = _norm(groups, channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        query, key, value = (by_head(layer(h), 1) for layer in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value)[:, 0]
        return x + self.out(mixed.transpose(1, 2).reshape(x.shape))


class Shrink(nn.Conv2d):
    """Halves the resolution; zeros are added at the right and the bottom only."""

    def __init__(self, channels: int):
        super().__init__(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, 1, 0, 1)))


class Grow(nn.Conv2d):
    """Doubles the resolution."""

    def __init__(self, channels: int):
        super().__init__(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def _level(ins: int, outs: int, depth: int, attention: bool, groups: int) -> nn.Sequential:
    """`depth` residual blocks at one resolution, each with attention after it where asked."""
    layers: list[nn.Module] = []
    for number in range(depth):
        layers.append(ResBlock(outs if number else ins, outs, groups))
        if attention:
            layers.append(Attention(outs, groups))
    return nn.Sequential(*layers)


def _middle(channels: int, groups: int) -> nn.Sequential:
    return nn.Sequential(
        ResBlock(channels, channels, groups), Attention(channels, groups), ResBlock(channels, channels, groups)
    )


class Encoder(nn.Module):
    """Picture to the features that `VQGAN.to_latent` turns into a latent."""

    def __init__(
        self,
        ins: int,
        outs: int,
        widths: Sequence[int],
        depth: int,
        attention: Sequence[int],
        middle: bool,
        groups: int,
    ):
        super().__init__()
        self.stem = nn.Conv2d(ins, widths[0], 3, padding=1)
        before = [widths[0], *widths[:-1]]
        self.levels = Parts(
            _level(a, b, depth, i in attention, groups) for i, (a, b) in enumerate(zip(before, widths, strict=True))
        )
        self.shrink = nn.ModuleList(Shrink(width) for width in widths[:-1])
        self.middle = _middle(widths[-1], groups) if middle else nn.Sequential()
        self.norm = _norm(groups, widths[-1])
        self.head = nn.Conv2d(widths[-1], outs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.levels
        h = first(self.stem(x))
        for shrink, level in zip(self.shrink, others, strict=True):
            h = level(shrink(h))
        return self.head(F.silu(self.norm(self.middle(h))))


class Decoder(nn.Module):
    """The way back; `levels` and `grow` count from the smallest resolution up, and `beyond` leads to twice the
    encoder's resolution where that is wanted."""

    _gradient_checkpointing_func: Callable[..., Tensor]  # from diffusers, when it is switched on

    def __init__(
        self,
        ins: int,
        outs: int,
        widths: Sequence[int],
        depth: int,
        attention: Sequence[int],
        middle: bool,
        groups: int,
        beyond: bool,
    ):
        super().__init__()
        upward = list(reversed(widths))
        self.stem = nn.Conv2d(ins, upward[0], 3, padding=1)
        self.middle = _middle(upward[0], groups) if middle else nn.Sequential()
        before = [upward[0], *upward[:-1]]
        self.levels = Parts(
            _level(a, b, depth, len(widths) - 1 - i in attention, groups)
            for i, (a, b) in enumerate(zip(before, upward, strict=True))
        )
        self.grow = nn.ModuleList(Grow(width) for width in upward[:-1])
        self.beyond = nn.Sequential()
        if beyond:
            self.beyond = nn.Sequential(ResBlock(upward[-1], upward[-1], groups), Grow(upward[-1]))
        self.norm = _norm(groups, upward[-1])
        self.head = nn.Conv2d(upward[-1], outs, 3, padding=1)
        self.gradient_checkpointing = False

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.silu(self.features(x)))

    def features(self, x: Tensor) -> Tensor:
        """What the last convolution makes the picture of, before its activation."""
        first, *others = self.levels
        h = self._through(first, self._through(self.middle, self.stem(x)))
        for grow, level in zip(self.grow, others, strict=True):
            h = self._through(level, grow(h))
        return self.norm(self._through(self.beyond, h))

    def _through(self, blocks: nn.Sequential, h: Tensor) -> Tensor:
        """One block after another; with `VQGAN.enable_gradient_checkpointing` only what lies between two of them is
        kept for the gradient, and the rest computed again."""
        for block in blocks:
            again = self.gradient_checkpointing and torch.is_grad_enabled()
            h = self._gradient_checkpointing_func(block, h) if again else block(h)
        return h


@dataclass(frozen=True)
class VQGANOutput:
    """What one pass gives.

    Attributes:
        image: reconstruction, (B, 3, H, W), or twice that side, see `VQGAN`.
        latent: before quantisation, unscaled, (B, C, h, w) float32.
        codes: the nearest codes, (B, C, h, w), with gradient to the codebook and none to the latent.
        indices: of those codes, (B, h, w).
    """

    image: Tensor
    latent: Tensor
    codes: Tensor
    indices: Tensor


class VQGAN(ModelMixin, ConfigMixin):
    """Autoencoder with a vector-quantised latent.

    Args:
        sample_size: side in pixels of the pictures it was made for; other sizes work, larger ones in tiles.
        latent_channels: C, of the latent, and length of a code.
        codebook_size: number of codes.
        width: channels of the first level.
        multipliers: channels of each level, in units of `width`; every level halves the resolution.
        depth: residual blocks of each level of the encoder; the decoder has one more.
        attention_levels: indices of the levels with attention.
        middle: two residual blocks around attention at the smallest resolution, as published.
        groups: of the group normalisation; 0 leaves it out.
        patch_size: factor of a pixel-unshuffle before the first convolution, undone after the last.
        normalise_latent: keep the latent's standard deviation, as seen in training, beside the weights, and scale
            latents to 1 by it. The published nets don't.
        asymmetric: the decoder doubles the resolution once more (docs/methods/ldbfr.md, eq. (6)).
        tail_widths: of layers that add to the decoder's picture, see `limner.nets.tail`; published nets have none.
    """

    latent_std: Tensor
    _supports_gradient_checkpointing = True
    _keep_in_fp32_modules = ["codebook", "latent_std"]  # noqa: RUF012 - a list is what diffusers expects

    @register_to_config
    def __init__(
        self,
        sample_size: int = 512,
        latent_channels: int = 8,
        codebook_size: int = 8192,
        width: int = 128,
        multipliers: Sequence[int] = (1, 1, 2, 4),
        depth: int = 2,
        attention_levels: Sequence[int] = (),
        middle: bool = True,
        groups: int = 32,
        patch_size: int = 1,
        normalise_latent: bool = False,
        asymmetric: bool = False,
        tail_widths: Sequence[int] = (),
    ):
        super().__init__()
        self.patch_size = patch_size
        self.factor = patch_size * 2 ** (len(multipliers) - 1)
        self.decoded_factor = 2 * self.factor if asymmetric else self.factor
        widths = [width * m for m in multipliers]
        pixels = 3 * patch_size**2
        self.encoder = Encoder(pixels, latent_channels, widths, depth, attention_levels, middle, groups)
        self.to_latent = nn.Conv2d(latent_channels, latent_channels, 1)
        self.codebook = nn.Embedding(codebook_size, latent_channels)
        nn.init.uniform_(self.codebook.weight, -1 / codebook_size, 1 / codebook_size)
        self.from_latent = nn.Conv2d(latent_channels, latent_channels, 1)
        self.decoder = Decoder(latent_channels, pixels, widths, depth + 1, attention_levels, middle, groups, asymmetric)
        if normalise_latent:
            self.register_buffer("latent_std", torch.ones(()))
        if not groups:
            keep_variance(self, zero=("conv2", "out"))
        self.tail = Tail(widths[0], 3, 3, 0, tail_widths) if tail_widths else None

    @property
    def scale(self) -> Tensor | float:
        """What a latent was divided by on its way out of `encode`."""
        return self.latent_std.float() if self.config["normalise_latent"] else 1.0

    def encode(self, image: Tensor) -> Tensor:
        """Latent of a picture, before quantisation.

        Args:
            image: (B, 3, H, W) in [-1, 1]; H and W multiples of `factor`.

        Returns:
            (B, C, H / factor, W / factor), scaled to standard deviation 1 if the net normalises its latent.
        """
        return self._encode(image) / self.scale

    def decode(self, latent: Tensor, quantise: bool = True) -> Tensor:
        """Picture of a latent; the gradient passes straight through the quantiser.

        A latent of more than twice the side that the net was made for goes through the decoder in overlapping tiles,
        so that memory stays bounded; group normalisation then sees a tile and not the whole.

        Args:
            latent: (B, C, h, w), as `encode` gives it.
            quantise: snap every position to its nearest code first, as all methods do.

        Returns:
            (B, 3, h * decoded_factor, w * decoded_factor), about [-1, 1], not clipped.
        """
        latent = latent * self.scale
        if quantise:
            latent = self.quantise(latent)[0]
        side = self.config["sample_size"] // self.factor
        factor = self.decoded_factor
        return in_tiles(self._decode, latent, tile=side, overlap=side // 4, factor=factor, limit=2 * side)

    def quantise(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Snaps each position of an unscaled latent to its nearest code (L2), in float32.

        Args:
            latent: (B, C, h, w), not divided by `scale`.

        Returns:
            the codes, (B, C, h, w), with the gradient of the latent itself; their indices, (B, h, w).
        """
        indices = self.nearest(latent)
        codes = self.codes(indices)
        return latent + (codes - latent).detach(), indices

    def nearest(self, latent: Tensor) -> Tensor:
        """Index of the code nearest to each position of an unscaled latent: (B, C, h, w) to (B, h, w)."""
        with torch.no_grad(), torch.autocast(latent.device.type, enabled=False):
            codes = self.codebook.weight.float()
            flat = latent.float().permute(0, 2, 3, 1).reshape(-1, latent.shape[1])
            # |z - e|^2 less |z|^2, which is the same for all codes: (z, 1) times (-2 e, |e|^2). Small blocks keep the
            # table of distances in the processor's cache, which makes it several times faster
            table = torch.cat([-2 * codes, codes.square().sum(dim=1, keepdim=True)], dim=1).T.contiguous()
            flat = F.pad(flat, (0, 1), value=1.0)
            found = [(block @ table).argmin(dim=1) for block in flat.split(256)]
            return torch.cat(found).reshape(latent.shape[0], *latent.shape[2:])

    def codes(self, indices: Tensor) -> Tensor:
        """Codes of indices: (B, h, w) to (B, C, h, w), with gradient to the codebook."""
        return self.codebook(indices).permute(0, 3, 1, 2)

    def forward(self, image: Tensor, quantise: bool = True) -> VQGANOutput:
        """Encodes, quantises and decodes; in training it also follows the latent's standard deviation.

        Args:
            image: (B, 3, H, W) in [-1, 1].
            quantise: decode the codes, or the latent itself.
        """
        latent = self._encode(image).float()
        if self.training and self.config["normalise_latent"]:
            self.latent_std.lerp_(latent.detach().std(), 0.01)
        indices = self.nearest(latent)
        codes = self.codes(indices)
        passed = latent + (codes - latent).detach() if quantise else latent
        return VQGANOutput(self._decode(passed), latent, codes, indices)

    def _encode(self, image: Tensor) -> Tensor:
        patches = F.pixel_unshuffle(image, self.patch_size) if self.patch_size > 1 else image
        return self.to_latent(self.encoder(patches.to(self.to_latent.weight.dtype)))

    def _decode(self, latent: Tensor) -> Tensor:
        features = self.decoder.features(self.from_latent(latent.to(self.from_latent.weight.dtype)))
        patches = self.decoder.head(F.silu(features))
        made = F.pixel_shuffle(patches, self.patch_size) if self.patch_size > 1 else patches
        return made if self.tail is None else made + self.tail(features, made)
