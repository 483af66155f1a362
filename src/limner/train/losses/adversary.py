"""The adversarial term of a training: a discriminator that learns to tell pictures of a net from real ones, and how
much it counts (Esser et al. 2021); on real pictures the discriminator may be held flat (R1, Mescheder et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.nets.discriminator import PatchDiscriminator
from limner.train.distributed import any_process, average_gradients, gradient_norm, shared_mean
from limner.train.recipe import Stateful
from limner.train.state import moments, put, put_moments
from limner.weights.tensors import below

JUDGE, OPTIMIZER = "discriminator.", "optimizer."
"""What the names in a saved state begin with."""


@dataclass
class Adversary:
    """The discriminator with its optimiser, and the term it adds.

    Attributes:
        start: first step with the term; None for never.
        weight: factor on the adaptive weight.
        discriminator: judges patches.
        lr: of its AdamW.
        r1: weight of the squared gradient of the mean logit by a real picture, halved; 0 for none.
    """

    start: int | None = None
    weight: float = 0.8
    discriminator: PatchDiscriminator = field(default_factory=PatchDiscriminator)
    lr: float = 1e-4
    r1: float = 0.0

    def __post_init__(self) -> None:
        parameters = self.discriminator.parameters()
        self.optimizer = torch.optim.AdamW(parameters, self.lr, betas=(0.5, 0.9), weight_decay=0.0)

    def judges(self, pictures: Tensor) -> bool:
        """Whether there are any pictures to learn from and to fool with, here or in another process."""
        return any_process(len(pictures) > 0, pictures.device)

    def active(self, step: int) -> bool:
        """Whether the term counts at that step."""
        return self.start is not None and step >= self.start

    def fool(self, made: Tensor, reconstruction: Tensor, at: Tensor | None = None) -> Tensor:
        """The term, weighted so that it pulls as hard as the reconstruction does, in all processes alike.

        Args:
            made: pictures of the net, (B, 3, H, W) in [-1, 1]; fewer or none in a process whose others have some.
            reconstruction: the other terms, a scalar.
            at: where the two gradients are compared: the last layer's weight; or where that is frozen the pictures,
                None.
        """
        self.discriminator.requires_grad_(False)
        term = -shared_mean(self.discriminator(made).float(), len(made))
        by = made if at is None else at
        pulls = [
            gradient_norm(torch.autograd.grad(loss, by, retain_graph=True)[0], shared=at is not None)
            for loss in (reconstruction, term)
        ]
        weight = (pulls[0] / (pulls[1] + 1e-4)).clamp(0, 1e4).detach()
        self.discriminator.requires_grad_(True)
        return self.weight * weight * term

    def learn(self, real: Tensor, made: Tensor) -> None:
        """One step of the discriminator on the hinge loss; `made` without gradient, and in a process whose others have
        some there may be none."""
        self._to(real.device)
        real = real.detach().requires_grad_(self.r1 > 0)
        judged_real, judged_made = (self.discriminator(picture).float() for picture in (real, made))
        loss = 0.5 * (F.relu(1 - judged_real).mean() + shared_mean(F.relu(1 + judged_made), len(made)))
        if self.r1:
            mean = judged_real.mean(dim=(1, 2, 3)).sum()
            (slope,) = torch.autograd.grad(mean, real, create_graph=True)
            loss = loss + 0.5 * self.r1 * slope.square().sum(dim=(1, 2, 3)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.discriminator)
        self.optimizer.step()

    def _to(self, device: torch.device) -> None:
        if next(self.discriminator.parameters()).device != device:
            self.discriminator.to(device)
            self.optimizer.load_state_dict(self.optimizer.state_dict())  # takes what it remembers along

    def state_dict(self) -> dict[str, Tensor]:
        """All that a resumed run needs."""
        judge = {f"{JUDGE}{name}": tensor for name, tensor in self.discriminator.state_dict().items()}
        learned = moments(self.optimizer, self.discriminator)
        return judge | {f"{OPTIMIZER}{name}": tensor for name, tensor in learned.items()}

    def load_state_dict(self, state: Mapping[str, Tensor], path: Path) -> None:
        """The way back from `state_dict`; `path` is of the file, for errors."""
        judge, learned = below(state, JUDGE), below(state, OPTIMIZER)
        put(judge, self.discriminator.state_dict(), path, "the discriminator")
        put_moments(learned, self.optimizer, self.discriminator, path)


class AdversarialLoss:
    """What losses with an adversarial term have to remember, saved and resumed with a run.

    Attributes:
        adversary: the term: an `Adversary`, or the projected one (`projected.py`).
        step: that comes next.
    """

    adversary: Stateful
    step: int = 0

    def state_dict(self) -> dict[str, Tensor]:
        """All that a resumed run needs."""
        return {"step": torch.tensor(self.step), **self.adversary.state_dict()}

    def load_state_dict(self, state: Mapping[str, Tensor], path: Path) -> None:
        """The way back from `state_dict`; `path` is of the file, for errors."""
        step = torch.tensor(self.step)
        put({name: tensor for name, tensor in state.items() if name == "step"}, {"step": step}, path, "the loss")
        self.step = int(step)
        self.adversary.load_state_dict(state, path)
