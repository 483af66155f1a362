"""Projected discriminators (Sauer et al. 2021): small heads judge what a frozen net that has seen the world sees in a
picture, at several of its levels; the same features serve as a perceptual distance.

Such heads need a tenth of the pictures that a discriminator from scratch needs, and no penalty on their gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from limner.data.faces import FaceSet
from limner.nets.efficientnet import CHANNELS, EfficientNetLite0
from limner.pixels import to_tensor
from limner.train.distributed import any_process, average_gradients, shared_mean
from limner.train.state import moments, put, put_moments
from limner.weights.formats import efficientnet
from limner.weights.tensors import below

HEADS, OPTIMIZER = "heads.", "optimizer."
"""What the names in a saved state begin with."""
WIDTH = 64
"""Channels of the heads."""


class Heads(nn.Module):
    """One head for each of the first four levels of EfficientNet-Lite0."""

    def __init__(self) -> None:
        super().__init__()

        def conv(ins: int, outs: int, kernel: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(ins, outs, kernel, padding=kernel // 2))

        self.heads = nn.ModuleList(
            nn.Sequential(
                conv(channels, WIDTH, 1),
                nn.LeakyReLU(0.2),
                conv(WIDTH, WIDTH, 3),
                nn.LeakyReLU(0.2),
                conv(WIDTH, 1, 3),
            )
            for channels in CHANNELS[:4]
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Features (B, C, h, w) of each level to logits (B, 1, h, w), high for real."""
        return [head(level) for head, level in zip(self.heads, features, strict=False)]


@dataclass
class Projected:
    """The two terms, made of the same features, and the heads with their optimiser.

    Attributes:
        seen: the frozen net.
        scale: mean absolute value of each level on real pictures, (5,); see `level_sizes`.
        perceptual: weight of the distance: the mean absolute difference of each level, in parts of `scale`, summed.
        weight: of the adversarial term, once it has begun.
        start: step from which on it counts; the heads learn half of that before.
        rise: steps in which it comes in.
        lr: of the heads' Adam.
    """

    seen: EfficientNetLite0
    scale: Tensor
    perceptual: float = 0.5
    weight: float = 0.6
    start: int = 300
    rise: int = 300
    lr: float = 2e-4
    heads: Heads = field(default_factory=Heads)

    def __post_init__(self) -> None:
        self.seen.requires_grad_(False)
        self.seen.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in limner.device
        self.optimizer = torch.optim.Adam(self.heads.parameters(), self.lr, betas=(0.0, 0.99))

    def judges(self, pictures: Tensor) -> bool:
        """Whether there are any pictures to judge, here or in another process."""
        return any_process(len(pictures) > 0, pictures.device)

    def __call__(self, made: Tensor, truth: Tensor, step: int, generator: torch.Generator) -> Tensor:
        """The terms of a net's pictures, and one step of the heads.

        Args:
            made, truth: (B, 3, H, W) in [-1, 1]; the gradient reaches the first. In a process whose others have some
                there may be none.
            step: of the training.
            generator: of the augmentation, which both are shown in alike.
        """
        nn.Module.to(self.seen, made.device)
        if next(self.heads.parameters()).device != made.device:
            self.heads.to(made.device)
            self.optimizer.load_state_dict(self.optimizer.state_dict())  # takes what it remembers along
        count = len(made)
        change = drawn_change(count, generator, made.device)
        ours = [level.float() for level in self.seen.features(changed(made / 2 + 0.5, change))]
        with torch.no_grad():
            theirs = [level.float() for level in self.seen.features(changed(truth / 2 + 0.5, change))]
        pairs = zip(ours, theirs, self.scale.tolist(), strict=True)
        loss = self.perceptual * torch.stack([shared_mean((a - b).abs(), count) / scale for a, b, scale in pairs]).sum()
        if step >= self.start:
            self.heads.requires_grad_(False)
            term = -torch.stack([shared_mean(judged.float(), count) for judged in self.heads(ours)]).mean()
            self.heads.requires_grad_(True)
            loss = loss + self.weight * min(1.0, (step - self.start) / self.rise) * term
        if step >= self.start // 2:
            self.learn(theirs, [level.detach() for level in ours])
        return loss

    def learn(self, real: list[Tensor], made: list[Tensor]) -> None:
        """One step of the heads on the hinge loss."""
        count = len(real[0])
        pairs = zip(self.heads(real), self.heads(made), strict=True)
        losses = [shared_mean(F.relu(1 - a.float()) + F.relu(1 + b.float()), count) for a, b in pairs]
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(losses).mean().backward()
        average_gradients(self.heads)
        self.optimizer.step()

    def state_dict(self) -> dict[str, Tensor]:
        """All that a resumed run needs."""
        heads = {f"{HEADS}{name}": tensor for name, tensor in self.heads.state_dict().items()}
        learned = moments(self.optimizer, self.heads)
        return heads | {f"{OPTIMIZER}{name}": tensor for name, tensor in learned.items()}

    def load_state_dict(self, state: Mapping[str, Tensor], path: Path) -> None:
        """The way back from `state_dict`; `path` is of the file, for errors."""
        put(below(state, HEADS), self.heads.state_dict(), path, "the heads")
        put_moments(below(state, OPTIMIZER), self.optimizer, self.heads, path)


def projected(faces: FaceSet, size: int, perceptual: float = 0.5, weight: float = 0.6) -> Projected:
    """The terms with the features of the installed package, their scale taken from some of the faces.

    Args:
        faces: the training's.
        size: side at which they are looked at, in pixels.
        perceptual, weight: of `Projected`.

    Raises:
        WeightsError: the package with the features isn't installed.
    """
    seen, few = efficientnet.load(efficientnet.installed()), faces.spread(16)
    scale = level_sizes(seen, torch.stack([to_tensor(few.image(n, size)) for n in range(len(few))]))
    return Projected(seen, scale, perceptual, weight)


@torch.no_grad()
def level_sizes(seen: EfficientNetLite0, pictures: Tensor) -> Tensor:
    """The mean absolute value of each level on pictures (B, 3, H, W) in [0, 1]: (5,)."""
    return torch.stack([level.abs().mean() for level in seen.features(pictures)])


def drawn_change(count: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Brightness, contrast and saturation by which each of `count` pictures is changed, (3, count, 1, 1, 1)."""
    drawn = torch.rand(3, count, 1, 1, 1, generator=generator).to(device)
    return torch.stack([0.3 * (drawn[0] - 0.5), 0.75 + 0.5 * drawn[1], 0.5 + drawn[2]])


def changed(pictures: Tensor, change: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1], changed differentiably (Zhao et al. 2020), so that the heads can't learn the faces by
    heart."""
    brightness, contrast, saturation = change
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = (pictures - grey) * saturation + grey
    middle = pictures.mean(dim=(1, 2, 3), keepdim=True)
    return (pictures - middle) * contrast + middle + brightness
