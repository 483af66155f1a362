"""The finish: a few looks of DifFace's prior over what another method restored.

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
from limner.methods.crops import fit_to, restored_size
from limner.methods.difface import refine
from limner.methods.schedules import Scheduler
from limner.nets.unet import UNet


@dataclass(frozen=True)
class Finisher:
    """DifFace's prior with where its chain is entered.

    Attributes:
        prior: in [-1, 1].
        scheduler: over the prior's training schedule; DDIM, whatever solver the method has.
        start: timestep at which restorations enter, or a little below where `looks` doesn't divide it.
        eta: 0 (deterministic) to 1.
    """

    prior: UNet
    scheduler: Scheduler
    start: int
    eta: float

    def check(self, looks: int) -> None:
        """Raises LimnerError if the prior can't be asked so many times below `start`."""
        if not 0 <= looks <= self.start:
            raise LimnerError(f"The finish takes 0 to {self.start} looks, not {looks}.")

    @torch.no_grad()
    def __call__(
        self,
        images: Tensor,
        looks: int,
        generators: Sequence[torch.Generator],
        batch_size: int = 8,
        progress: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Finishes restorations.

        Args:
            images: (B, 3, H, W) in [0, 1]; of another size than the prior's they are resized and back.
            looks: evaluations of the prior, 1 to `start`; see `check`.
            generators: of each image's noise, on the CPU.
            batch_size: images that go through the prior at once.
            progress: called with the evaluations done.

        Returns:
            (B, 3, H, W) float32 in [0, 1] on the CPU.

        Raises:
            LimnerError: if `looks` lies outside its range.
        """
        fitted = fit_to(images, int(self.prior.config["sample_size"]))
        done = []
        for first in range(0, len(fitted), batch_size):
            some = fitted[first : first + batch_size].to(self.prior.device)
            own = list(generators[first : first + batch_size])

            def told(look: int, before: int = len(done) * looks) -> None:
                if progress:
                    progress(before + look)

            refined = refine(self.prior, self.scheduler, some, self.start, looks, self.eta, own, told)
            done.append(refined.cpu())
        return restored_size(torch.cat(done), *images.shape[-2:])
