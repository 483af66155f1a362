"""The recogniser of identity losses and measurements: crops to unit vectors, whose cosine says "the same person".

One class is both the ResNet that ArcFace is published with (Deng et al. 2019: blocks BN-conv-BN-PReLU-conv-BN, and a
fully connected layer on the flattened 7x7 map) and the small one that limner ships.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

Head = Literal["linear", "depthwise"]

NOISE = 0.04
"""A deviation, in [-1, 1], below which a neighbourhood counts as flat: 5 grey levels of 255."""

MAP = 7
"""Side of the last map, in cells."""


Region = tuple[float, float, float]
"""A square of the crop: its top, its left and its side, in sides of the crop."""

PUBLISHED_REGION: Region = (1 / 16, 1 / 16, 7 / 8)
"""What ReF-LDM shows to ArcFace: rows and columns from 6.25 % to 93.75 %."""


def face_region(crops: Tensor, size: int, region: Region = PUBLISHED_REGION) -> Tensor:
    """A square region of crops (B, 3, H, W), averaged over areas to (B, 3, size, size)."""
    height, width = crops.shape[-2:]
    rows = slice(round(height * region[0]), round(height * (region[0] + region[2])))
    columns = slice(round(width * region[1]), round(width * (region[1] + region[2])))
    return area_resize(crops[..., rows, columns], size)


def local_contrast(images: Tensor, reach: int) -> Tensor:
    """The luma of (B, 3, S, S) in [-1, 1] less its mean over the neighbourhood, over its deviation there:
    (B, 1, S, S). Light, tint and exposure fall out, and so does most of a blur's loss of contrast."""
    luma = (images * images.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)

    def mean(x: Tensor) -> Tensor:
        for side, pad in (((2 * reach + 1, 1), (reach, 0)), ((1, 2 * reach + 1), (0, reach))):
            x = F.avg_pool2d(x, side, 1, pad, count_include_pad=False)
        return x

    centred = luma - mean(luma)
    return centred / (mean(centred.square()) + NOISE**2).sqrt()


def area_resize(images: Tensor, size: int) -> Tensor:
    """(B, C, H, W) to (B, C, size, size): each pixel is the mean of the area it stands for, which is computed as two
    matrix products (`F.interpolate(mode="area")` takes overlapping whole pixels where the ratio isn't whole)."""
    rows, columns = (_shares(side, size, images) for side in images.shape[-2:])
    return rows @ images @ columns.T


def _shares(side: int, size: int, like: Tensor) -> Tensor:
    """(size, side): the share of each of `side` pixels in each of `size` equal stretches; every row sums to 1."""
    edges = torch.arange(size + 1, device=like.device, dtype=torch.float32) * (side / size)
    pixels = torch.arange(side, device=like.device, dtype=torch.float32)
    overlap = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    shares = overlap.clamp(min=0)
    return (shares / shares.sum(1, keepdim=True)).to(like.dtype)


class Block(nn.Module):
    """ArcFace's residual block ("IR"): the second convolution strides, and nothing non-linear follows the sum."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        h = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return h + (x if self.downsample is None else self.downsample(x))


class IdentityNet(ModelMixin, ConfigMixin):
    """FFHQ-aligned crops to unit vectors.

    The defaults are ArcFace's IR-ResNet50; `layers` of (2, 2, 2, 2), (3, 4, 6, 3) and (3, 13, 30, 3) are its 18, 34
    and 100. The names of the parameters are insightface's.

    Args:
        sample_size: side in pixels of the face region that the net sees; patch_size * 2^len(layers) * 7.
        layers: blocks of each stage; the first block of a stage halves the resolution.
        widths: channels of each stage.
        stem_width: channels before the first stage.
        patch_size: factor of a pixel-unshuffle before the stem; 1 for none.
        embedding: length D of the vectors.
        region: the square of the crop that is looked at.
        contrast: 0 for colours as they are, as published; else the reach in pixels of the neighbourhood whose light and
            contrast are divided out, which leaves a grey picture.
        head: `linear`, fully connected on the flattened last map; or `depthwise`, one weight for each place and
            channel and then a 1x1 convolution (Chen et al. 2018, MobileFaceNets), a fraction of the parameters.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 112,
        layers: tuple[int, ...] = (3, 4, 14, 3),
        widths: tuple[int, ...] = (64, 128, 256, 512),
        stem_width: int = 64,
        patch_size: int = 1,
        embedding: int = 512,
        region: Region = PUBLISHED_REGION,
        contrast: int = 0,
        head: Head = "linear",
    ):
        super().__init__()
        if sample_size != patch_size * MAP * 2 ** len(layers) or len(layers) != len(widths):
            raise ValueError(f"{len(layers)} stages at patches of {patch_size} need {MAP} cells in the end.")
        self.conv1 = nn.Conv2d((1 if contrast else 3) * patch_size**2, stem_width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem_width)
        self.prelu = nn.PReLU(stem_width)
        inputs = stem_width
        for stage, (count, width) in enumerate(zip(layers, widths, strict=True), 1):
            blocks = [Block(inputs, width, 2), *(Block(width, width, 1) for _ in range(count - 1))]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
            inputs = width
        self.bn2 = nn.BatchNorm2d(inputs)
        if head == "linear":
            self.fc = nn.Linear(inputs * MAP**2, embedding)
        else:
            self.pool = nn.Conv2d(inputs, inputs, MAP, groups=inputs, bias=False)
            self.bn3 = nn.BatchNorm2d(inputs)
            self.fc = nn.Linear(inputs, embedding)
        self.features = nn.BatchNorm1d(embedding)
        self.features.weight.requires_grad_(False)  # as published: the length of a vector means nothing

    def forward(self, crops: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in [0, 1], FFHQ-aligned, of any size, to (B, D) of unit length in float32. Gradients
        reach the crops."""
        return F.normalize(self.embed(self.prepare(crops)).float(), dim=1)

    def prepare(self, crops: Tensor) -> Tensor:
        """What the net sees of crops (B, 3, H, W) in [0, 1]: (B, 3, S, S) in [-1, 1], or its local contrast."""
        with torch.autocast(crops.device.type, enabled=False):  # which would coarsen the picture itself
            region = 2 * face_region(crops, self.config["sample_size"], self.config["region"]) - 1
            if self.config["contrast"]:
                region = local_contrast(region, self.config["contrast"])
        return region.to(self.conv1.weight.dtype)

    def embed(self, region: Tensor) -> Tensor:
        """From what `prepare` returns to vectors (B, D) of any length: what is published as ArcFace."""
        patch = self.config["patch_size"]
        x = F.pixel_unshuffle(region, patch) if patch > 1 else region
        x = self.prelu(self.bn1(self.conv1(x)))
        for stage in range(1, len(self.config["layers"]) + 1):
            x = self.get_submodule(f"layer{stage}")(x)
        x = self.bn2(x)
        if self.config["head"] == "depthwise":
            x = self.bn3(self.pool(x))
        return self.features(self.fc(x.flatten(1)))
