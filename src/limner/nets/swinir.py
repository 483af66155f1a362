"""SwinIR, the Swin transformer that DifFace uses as its regressor.

Liang et al., "SwinIR: Image Restoration Using Swin Transformer", ICCVW 2021, in the form of Yue & Loy,
"DifFace", TPAMI 2024 (docs/methods/difface.md, eq. (2)): the picture is folded by a pixel-unshuffle first, so that the
transformer walks over 64x64 tokens of a 512 px face.

    picture - mean -> unshuffle -> conv_first -> stages (RSTB) -> norm -> conv_after_body -> + conv_first
            -> conv_before_upsample -> (nearest x2 -> conv_up) per octave -> conv_hr -> conv_last -> + mean

Tokens are kept as B x H x W x C throughout: beside channels_last convolutions that costs no copy.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.errors import LimnerError

RGB_MEAN = (0.4488, 0.4371, 0.4040)


class SwinIR(ModelMixin, ConfigMixin):
    """A regressor from a degraded picture to a clean one of the same size.

    Args:
        channels: width of a token.
        depths: number of Swin layers in each stage; one entry a stage.
        heads: attention heads of each stage; each must divide `channels`.
        window: side of the attention window in tokens; odd layers shift it by half.
        mlp_ratio: hidden width of a layer's MLP over `channels`.
        unshuffle: side in px of the block that one token holds; a power of two.
        reconstruction_channels: width of the convolutions that go back to full size.
        stochastic_depth: chance that the last layer's branches are left out in training; rises
            linearly from 0 at the first layer.

    The defaults are the published DifFace network, 15,792,587 parameters.
    """

    @register_to_config
    def __init__(
        self,
        channels: int = 180,
        depths: Sequence[int] = (6,) * 8,
        heads: Sequence[int] = (6,) * 8,
        window: int = 8,
        mlp_ratio: float = 2.0,
        unshuffle: int = 8,
        reconstruction_channels: int = 64,
        stochastic_depth: float = 0.1,
    ):
        super().__init__()
        octaves = unshuffle.bit_length() - 1
        if unshuffle != 2**octaves:
            raise LimnerError(f"SwinIR's unshuffle must be a power of two, not {unshuffle}.")
        if len(depths) != len(heads):
            raise LimnerError(f"SwinIR has {len(depths)} stages, but heads are given for {len(heads)}.")
        self.window = window
        self.unshuffle = unshuffle
        self.multiple = window * unshuffle
        last = max(sum(depths) - 1, 1)
        self.survival_rates = [1 - stochastic_depth * layer / last for layer in range(sum(depths))]

        self.conv_first = nn.Conv2d(3 * unshuffle**2, channels, 3, padding=1)
        self.patch_norm = nn.LayerNorm(channels)
        self.stages = nn.ModuleList(
            ResidualSwinStage(channels, depth, count, window, mlp_ratio)
            for depth, count in zip(depths, heads, strict=True)
        )
        self.norm = nn.LayerNorm(channels)
        self.conv_after_body = nn.Conv2d(channels, channels, 3, padding=1)

        width = reconstruction_channels
        self.conv_before_upsample = nn.Conv2d(channels, width, 3, padding=1)
        self.conv_up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(octaves))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)
        self.apply(initialise)

    def forward(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Restores `image`.

        Args:
            image: B x 3 x H x W, RGB in [0, 1]. A side that is not a multiple of `multiple` (64 px as
                published) is continued by its reflection, and the output cropped.
            generator: a CPU generator for stochastic depth; used in training only.

        Returns:
            B x 3 x H x W in the dtype of `image`, not clamped.

        Raises:
            LimnerError: a side is too short to be reflected.
        """
        height, width = image.shape[-2:]
        mean = image.new_tensor(RGB_MEAN).view(1, 3, 1, 1)
        # The mean leaves and returns in the picture's own dtype: the fewer bits of bf16 go to what is left.
        x = (self.pad(image) - mean).to(self.conv_first.weight.dtype)
        shallow = self.conv_first(F.pixel_unshuffle(x, self.unshuffle))
        features = shallow + self.conv_after_body(self.deep_features(shallow, generator))
        features = F.leaky_relu(self.conv_before_upsample(features), 0.01, inplace=True)
        for conv in self.conv_up:
            features = conv(F.interpolate(features, scale_factor=2.0, mode="nearest"))
            features = F.leaky_relu(features, 0.2, inplace=True)
        restored = self.conv_last(F.leaky_relu(self.conv_hr(features), 0.2, inplace=True))
        return restored[..., :height, :width].to(image.dtype) + mean

    def pad(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        down, right = -height % self.multiple, -width % self.multiple
        if down >= height or right >= width:
            raise LimnerError(
                f"SwinIR needs at least {self.multiple // 2 + 1} px a side, but the picture is "
                f"{width}x{height} px: enlarge it first."
            )
        return F.pad(image, (0, right, 0, down), mode="reflect") if down or right else image

    def deep_features(self, shallow: Tensor, generator: torch.Generator | None) -> Tensor:
        tokens = self.patch_norm(shallow.permute(0, 2, 3, 1))
        batch, rows, columns, _ = tokens.shape
        index = relative_position_index(self.window, tokens.device)
        mask = shift_mask(rows, columns, self.window, tokens.device)
        branch_scales = self.draw_branch_scales(batch, generator).to(tokens) if self.training else None
        first = 0
        for stage, depth in zip(self.stages, self.config["depths"], strict=True):
            last = first + depth
            scales = None if branch_scales is None else branch_scales[first:last]
            tokens = stage(tokens, index, mask, scales)
            first = last
        return self.norm(tokens).permute(0, 3, 1, 2)

    def draw_branch_scales(self, batch: int, generator: torch.Generator | None) -> Tensor:
        """Stochastic depth (Huang et al. 2016): layers x 2 branches x `batch`, each 0 or 1/survival rate."""
        rates = torch.tensor(self.survival_rates).view(-1, 1, 1)
        survives = torch.rand(len(self.survival_rates), 2, batch, generator=generator) < rates
        return survives / rates


class ResidualSwinStage(nn.Module):
    """An RSTB: Swin layers, one convolution, and the stage's input added (SwinIR, equation 5)."""

    def __init__(self, channels: int, depth: int, heads: int, window: int, mlp_ratio: float):
        super().__init__()
        self.blocks = nn.ModuleList(
            SwinLayer(channels, heads, window, mlp_ratio, shift=window // 2 if number % 2 else 0)
            for number in range(depth)
        )
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, tokens: Tensor, index: Tensor, mask: Tensor, branch_scales: Tensor | None) -> Tensor:
        x = tokens
        for number, block in enumerate(self.blocks):
            x = block(x, index, mask, None if branch_scales is None else branch_scales[number])
        return tokens + self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class SwinLayer(nn.Module):
    """Attention within windows and an MLP, each after a LayerNorm and beside a skip (SwinIR, equation 7)."""

    def __init__(self, channels: int, heads: int, window: int, mlp_ratio: float, shift: int):
        super().__init__()
        self.window = window
        self.shift = shift
        hidden = round(channels * mlp_ratio)
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, window)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels))

    def forward(self, tokens: Tensor, index: Tensor, mask: Tensor, branch_scales: Tensor | None) -> Tensor:
        attended = self.attend(self.norm1(tokens), index, mask)
        tokens = tokens + (attended if branch_scales is None else attended * branch_scales[0, :, None, None, None])
        mixed = self.mlp(self.norm2(tokens))
        return tokens + (mixed if branch_scales is None else mixed * branch_scales[1, :, None, None, None])

    def attend(self, tokens: Tensor, index: Tensor, mask: Tensor) -> Tensor:
        size = tokens.shape[1:3]
        if not self.shift:
            return join_windows(self.attn(split_windows(tokens, self.window), index, None), size)
        shifted = tokens.roll((-self.shift, -self.shift), dims=(1, 2))
        attended = self.attn(split_windows(shifted, self.window), index, mask)
        return join_windows(attended, size).roll((self.shift, self.shift), dims=(1, 2))


class WindowAttention(nn.Module):
    """softmax(q k' / sqrt(d) + b) v among the tokens of one window (SwinIR, equation 6).

    b is read from a learned table by the offset between two tokens.
    """

    def __init__(self, channels: int, heads: int, window: int):
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, windows: Tensor, index: Tensor, mask: Tensor | None) -> Tensor:
        """B x N windows x T tokens x C -> the same; `mask` (N x T x T) is added to the bias."""
        batch, count, tokens, channels = windows.shape
        depth = channels // self.heads
        # Contiguous, because adding the mask to a permuted view is ten times slower.
        bias = self.relative_position_bias_table[index].permute(2, 0, 1).contiguous()
        if mask is None:
            groups, heads = batch * count, self.heads
        else:
            # Windows join the heads, so that one bias a window serves the whole batch without a copy.
            bias = (bias + mask.to(bias.dtype)[:, None]).flatten(0, 1)
            groups, heads = batch, count * self.heads
        qkv = self.qkv(windows).view(batch, count, tokens, 3, self.heads, depth)
        # Fused kernels want a head width in eights (30 as published); zeros change no product.
        qkv = F.pad(qkv, (0, -depth % 8)).permute(3, 0, 1, 4, 2, 5)
        q, k, v = qkv.reshape(3, groups, heads, tokens, -1)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None], scale=depth**-0.5)
        attended = attended.view(batch, count, self.heads, tokens, -1)[..., :depth].transpose(2, 3)
        return self.proj(attended.reshape(batch, count, tokens, channels))


def split_windows(tokens: Tensor, window: int) -> Tensor:
    """B x H x W x C -> B x (H/window * W/window) x window**2 x C."""
    batch, rows, columns, channels = tokens.shape
    grid = tokens.view(batch, rows // window, window, columns // window, window, channels)
    return grid.transpose(2, 3).reshape(batch, -1, window**2, channels)


def join_windows(windows: Tensor, size: Sequence[int]) -> Tensor:
    """The inverse of `split_windows`; `size` is (H, W)."""
    batch, _, tokens, channels = windows.shape
    window = round(tokens**0.5)
    rows, columns = size
    grid = windows.view(batch, rows // window, columns // window, window, window, channels)
    return grid.transpose(2, 3).reshape(batch, rows, columns, channels)


def relative_position_index(window: int, device: torch.device) -> Tensor:
    """Row of the bias table for each pair of tokens of a window: T x T, from the offset query - key."""
    steps = torch.arange(window, device=device)
    y, x = (grid.flatten() for grid in torch.meshgrid(steps, steps, indexing="ij"))
    dy, dx = y[:, None] - y + window - 1, x[:, None] - x + window - 1
    return dy * (2 * window - 1) + dx


def shift_mask(rows: int, columns: int, window: int, device: torch.device) -> Tensor:
    """What shifted attention adds: 0 between neighbours, -inf across the seam of the cyclic shift.

    Returns:
        N windows x T x T float32. After the roll, a window at the lower or right border holds tokens from
        both ends of the picture, which were never neighbours.
    """

    def region(length: int) -> Tensor:
        place = torch.arange(length, device=device)
        return (place >= length - window).int() + (place >= length - window // 2).int()

    regions = 3 * region(rows)[:, None] + region(columns)
    regions = split_windows(regions[None, :, :, None], window).squeeze(-1).squeeze(0)
    apart = regions[:, :, None] != regions[:, None, :]
    return torch.zeros(apart.shape, device=device).masked_fill(apart, -torch.inf)


def initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
