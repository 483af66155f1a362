"""The finish: a few steps of DifFace's prior over what another method restored.

DifFace asks of the estimate that it noises only that it lies near the face (`difface.py`), so any method's restoration
can stand for it. Entered as late as here, the prior leaves the face as it is and gives edges and texture the sharpness
of a photograph, which small latent nets decode too smoothly. That sharpness is made up; how much of it stays where the
photograph itself shows the face is for the fusion to say (`faces/join.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import fit_to, noise_like, restored_size
from limner.methods.difface import DIFFACE, refine
from limner.methods.options import DifFaceOptions
from limner.methods.schedules import Scheduler, load_schedule
from limner.nets.unet import UNet
from limner.weights import find
from limner.weights.load import load_net


@dataclass(frozen=True)
class Finisher:
    """DifFace's prior with where its chain is entered.

    Attributes:
        prior: in [-1, 1].
        scheduler: over the prior's training schedule; DDIM, whatever solver the method has.
        start: timestep at which restorations enter, or a little below where the steps don't divide it.
        eta: 0 (deterministic) to 1.
    """

    prior: UNet
    scheduler: Scheduler
    start: int
    eta: float

    @classmethod
    def mini(cls) -> Finisher:
        """The embedded prior, entered where DifFace enters it with the embedded weights."""
        options = DIFFACE.mini
        assert isinstance(options, DifFaceOptions)
        weights = f"mini/{DIFFACE.nets['unet'].weights}"
        return cls(load_net(weights, UNet), load_schedule(find(weights).path()), options.start, options.eta)

    def check(self, steps: int) -> None:
        """Makes sure that the prior can be asked so many times.

        Args:
            steps: evaluations of the prior.

        Raises:
            LimnerError: if they are fewer than 0 or more than `start`.
        """
        if not 0 <= steps <= self.start:
            raise LimnerError(f"The finish takes 0 to {self.start} steps, not {steps}.")

    @torch.no_grad()
    def __call__(
        self,
        images: Tensor,
        steps: int,
        generators: Sequence[torch.Generator],
        batch_size: int = 8,
        progress: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Finishes restorations.

        Args:
            images: (B, 3, H, W) in [0, 1]; of another size than the prior's they are resized and back.
            steps: evaluations of the prior, 1 to `start`; see `check`.
            generators: of each image's noise, on the CPU.
            batch_size: images that go through the prior at once.
            progress: called with the evaluations done, counted for each image.

        Returns:
            (B, 3, H, W) float32 in [0, 1] on the CPU.

        Raises:
            LimnerError: if `steps` lies outside its range.
        """
        fitted = fit_to(images, int(self.prior.config["sample_size"]))
        options = DifFaceOptions(start=self.start, steps=steps, eta=self.eta)
        finished = []
        for first in range(0, len(fitted), batch_size):
            some = fitted[first : first + batch_size].to(self.prior.device)
            own = list(generators[first : first + batch_size])

            def done(step: int, before: int = first * steps, at_once: int = len(own)) -> None:
                if progress:
                    progress(before + step * at_once)

            noise = noise_like(some.shape[1:], own, some.device)
            finished.append(refine(self.prior, self.scheduler, some, noise, options, own, done).cpu())
        return restored_size(torch.cat(finished), *images.shape[-2:])
