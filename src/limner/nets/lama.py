"""LaMa (Suvorov et al., arXiv 2109.07161): fills holes with fast Fourier convolutions, which see all of a picture.

Features are parted into local ones, for convolutions, and global ones, which are also mixed in the frequency domain,
where each value depends on every pixel. DifFace's estimator for pictures with holes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

Features = tuple[Tensor, Tensor | None]
"""Local and global ones; no global ones before the last downsampling."""


class LaMa(ModelMixin, ConfigMixin):
    """A picture with holes, and where they are, to a picture without.

    Args:
        sample_size: side in pixels of the pictures it was trained on.
        width: channels of the first convolution; every downsampling doubles them.
        downsamplings: how often the resolution is halved.
        blocks: Fourier residual blocks at the least resolution.
        global_share: part of their channels that is global, 0 to 1, excluding both.

    The defaults are the published DifFace network.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 256,
        width: int = 64,
        downsamplings: int = 3,
        blocks: int = 18,
        global_share: float = 0.75,
    ):
        super().__init__()
        widths = [width * 2**level for level in range(downsamplings + 1)]
        far = int(widths[-1] * global_share)
        parted = (widths[-1] - far, far)
        self.multiple = 2**downsamplings
        self.stem = FourierLayer((4, 0), (width, 0), kernel=7)
        outs = [*((each, 0) for each in widths[1:-1]), parted]
        ins = [(each, 0) for each in widths[:-1]]
        self.down = nn.ModuleList(FourierLayer(a, b, stride=2) for a, b in zip(ins, outs, strict=True))
        self.body = nn.ModuleList(FourierBlock(parted) for _ in range(blocks))
        self.up = nn.ModuleList(Doubling(2 * each, each) for each in reversed(widths[:-1]))
        self.head = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fills holes.

        Args:
            image: (B, 3, H, W), RGB in [0, 1]; what it holds in the holes plays no part if that is the same everywhere:
                the published net knows black. A side that is no multiple of `multiple` is continued by its reflection,
                and the output cropped.
            mask: (B, 1, H, W), 1 in holes, 0 elsewhere.

        Returns:
            (B, 3, H, W) in [0, 1], in the dtype of `image`; made anew in the known pixels too.
        """
        height, width = image.shape[-2:]
        given = torch.cat([image, mask.to(image.dtype)], dim=1).to(self.head.weight.dtype)
        down, right = -height % self.multiple, -width % self.multiple
        x: Features = self.stem((F.pad(given, (0, right, 0, down), mode="reflect"), None))
        for layer in (*self.down, *self.body):
            x = layer(x)
        near, far = x
        h = near if far is None else torch.cat([near, far], dim=1)
        for layer in self.up:
            h = layer(h)
        return self.head(h).sigmoid()[..., :height, :width].to(image.dtype)


class FourierLayer(nn.Module):
    """A fast Fourier convolution, batch normalisation and ReLU.

    Args:
        ins, outs: channels, local and global.
        kernel, stride: of the convolutions.
    """

    def __init__(self, ins: tuple[int, int], outs: tuple[int, int], kernel: int = 3, stride: int = 1):
        super().__init__()

        def conv(a: int, b: int) -> nn.Conv2d | None:
            how = {"stride": stride, "padding": kernel // 2, "padding_mode": "reflect"}
            return nn.Conv2d(a, b, kernel, bias=False, **how) if a and b else None

        (near, far), (near_out, far_out) = ins, outs
        self.local_to_local, self.local_to_global = conv(near, near_out), conv(near, far_out)
        self.global_to_local = conv(far, near_out)
        self.global_to_global = SpectralTransform(far, far_out) if far and far_out else None
        self.local_norm = nn.BatchNorm2d(near_out)
        self.global_norm = nn.BatchNorm2d(far_out) if far_out else None

    def forward(self, x: Features) -> Features:
        near, far = x
        local, distant = _added(self.local_to_local, near), _added(self.local_to_global, near)
        local = _added(self.global_to_local, far, local)
        distant = _added(self.global_to_global, far, distant)
        assert local is not None  # every layer has local features
        return F.relu(self.local_norm(local)), None if self.global_norm is None else F.relu(self.global_norm(distant))


def _added(layer: nn.Module | None, x: Tensor | None, to: Tensor | None = None) -> Tensor | None:
    """What a layer makes of x, added to what there is; a layer that isn't there makes nothing."""
    if layer is None or x is None:
        return to
    return layer(x) if to is None else to + layer(x)


class FourierBlock(nn.Module):
    """Two such layers beside a skip."""

    def __init__(self, channels: tuple[int, int]):
        super().__init__()
        self.conv1 = FourierLayer(channels, channels)
        self.conv2 = FourierLayer(channels, channels)

    def forward(self, x: Features) -> Features:
        near, far = self.conv2(self.conv1(x))
        return x[0] + near, None if x[1] is None else x[1] + far


class SpectralTransform(nn.Module):
    """Global features to global ones, through half of their channels: h = reduce(x), expand(h + fourier(h))."""

    def __init__(self, ins: int, outs: int):
        super().__init__()
        half = outs // 2
        self.reduce = nn.Sequential(nn.Conv2d(ins, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.fourier = FourierUnit(half)
        self.expand = nn.Conv2d(half, outs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.reduce(x)
        return self.expand(h + self.fourier(h))


class FourierUnit(nn.Module):
    """One convolution over the real and imaginary parts of a picture's frequencies."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same; the transform itself in float32, which it has no fewer bits for."""
        batch, channels, *size = x.shape
        waves = torch.view_as_real(torch.fft.rfft2(x.float(), norm="ortho"))  # B x C x H x (W / 2 + 1) x 2
        parts = waves.permute(0, 1, 4, 2, 3).reshape(batch, 2 * channels, *waves.shape[2:4])
        mixed = F.relu(self.norm(self.conv(parts.to(x.dtype)))).float()
        waves = mixed.view(batch, channels, 2, *mixed.shape[2:]).permute(0, 1, 3, 4, 2).contiguous()
        return torch.fft.irfft2(torch.view_as_complex(waves), s=size, norm="ortho").to(x.dtype)


class Doubling(nn.Sequential):
    """Twice the size: a transposed convolution, batch normalisation and ReLU."""

    def __init__(self, ins: int, outs: int):
        conv = nn.ConvTranspose2d(ins, outs, 3, stride=2, padding=1, output_padding=1)
        super().__init__(conv, nn.BatchNorm2d(outs), nn.ReLU())
