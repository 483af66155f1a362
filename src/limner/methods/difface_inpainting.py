"""DifFace where a face has holes (Yue & Loy, arXiv 2212.06512): an estimator fills them, and while its estimate is
noised and denoised, every step is held to the pixels that are known (docs/methods/difface.md, eq. (15) to (17))."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import fit_to, restored_size
from limner.methods.difface import DifFaceOutput, DifFacePipeline, chain, refine
from limner.methods.method import Method
from limner.methods.options import DifFaceInpaintOptions
from limner.methods.pipeline import Batch
from limner.methods.schedules import difface_schedule
from limner.nets.hole_estimator import HoleEstimator
from limner.nets.lama import LaMa
from limner.nets.unet import UNet
from limner.weights.load import Part

FARTHEST = 2.0
"""Standard deviations of the noise at the chain's entry that a pixel may end from the estimate, where the prior is one
that draws too much of some frequencies, as its `spectrum` says: the embedded one else draws black and white specks."""


class DifFaceInpaintPipeline(DifFacePipeline):
    """DifFace on aligned crops with holes; called as `FacePipeline`, with masks and the options of
    `DifFaceInpaintOptions`.

    Args:
        estimator: f, a face in [0, 1] and its mask to an estimate in [0, 1] (`LaMa` or `HoleEstimator`).
        unet, scheduler, defaults: see `DifFacePipeline`.
    """

    paper: ClassVar[DifFaceInpaintOptions] = DifFaceInpaintOptions()

    @torch.no_grad()
    def restore(self, crops: Tensor, *, masks: Tensor | None = None, samples: int = 1, **given: Any) -> DifFaceOutput:
        """Fills the holes of faces.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than the nets' they are resized and back. What lies
                in the holes plays no part.
            masks: (B, 1, H, W), 1 in holes, 0 elsewhere.
            samples: results wanted for each face.
            given: see `FacePipeline.restore`.

        Returns:
            Pictures that are the crops themselves, bit for bit, outside the holes.

        Raises:
            LimnerError: what `FacePipeline.restore` raises, and for masks of another shape or with other values.
        """
        if (
            masks is None
            or masks.shape != (len(crops), 1, *crops.shape[-2:])
            or not ((masks == 0) | (masks == 1)).all()
        ):
            raise LimnerError("Faces with holes need masks (B, 1, H, W) of their own size, 1 in holes and 0 elsewhere.")
        holes = touched(masks, self.size)
        known = fit_to(crops, self.size) * (1 - holes)
        out = super().restore(torch.cat([known, holes], dim=1), samples=samples, **given)
        back = {"images": samples, "estimates": 1}
        for name, times in back.items():
            filled = restored_size(out[name], *crops.shape[-2:])
            at, truth = (one.repeat_interleave(times, dim=0) for one in (masks, crops))
            setattr(out, name, torch.where(at > 0, filled, truth))
        return out

    def sample(self, batch: Batch, options: DifFaceInpaintOptions) -> DifFaceOutput:
        """Estimates faces without holes, noises the estimates part-way and denoises them, held to what is known.

        Args:
            batch: of faces with their masks as a fourth channel, black in the holes.
            options: where the chain is entered, how it is walked and guided; 0 steps give the estimates.

        Raises:
            LimnerError: if so many steps don't fit below the start, or the scheduler isn't DDIM.
        """
        device = self.estimator.device
        known, holes = batch.crops[:, :3].to(device), batch.crops[:, 3:].to(device)
        image = estimate = self.estimator(known, holes).float().clamp(0, 1)
        if options.steps:
            noise = batch.noise(estimate.shape[1:], device)
            seen = 2 * known - 1

            def guide(x0: Tensor) -> Tensor:
                return guided(x0, seen, holes, options.guidance, options.updates)

            image = refine(
                self.unet,
                self.scheduler,
                estimate,
                noise,
                options,
                batch.generators,
                batch.done,
                batch.after_step,
                guide,
            )
            if self.unet.config.get("spectrum"):
                scheduler, entry, _ = chain(self.scheduler, options.start, options.steps)
                farthest = FARTHEST / 2 * float((1 - scheduler.alphas_cumprod[entry]).sqrt())
                image = image.clamp(estimate - farthest, estimate + farthest)
        return DifFaceOutput(image, estimate)


def guided(x0: Tensor, known: Tensor, mask: Tensor, guidance: float, updates: int = 1) -> Tensor:
    """Steps down the gradient of |(x0 - y0) (1 - m)|^2 (docs/methods/difface.md, eq. (16)), each clipped. With 0.5 the
    first is all there is to do: known pixels become what they were.

    Args:
        x0: a chain's estimate of the clean face, (B, 3, H, W) in [-1, 1].
        known: y0, likewise; what it holds in the holes plays no part.
        mask: m, (B, 1, H, W), 1 in holes, 0 elsewhere.
        guidance: gamma, the length of a step.
        updates: how many.
    """
    for _ in range(updates):
        x0 = (x0 - 2 * guidance * (x0 - known) * (1 - mask)).clamp(-1, 1)
    return x0


def touched(masks: Tensor, size: int) -> Tensor:
    """Masks of another size: 1 wherever a pixel of the resized picture (`fit_to`) takes anything from a hole.

    Args:
        masks: (B, 1, H, W), 1 in holes, 0 elsewhere.
        size: side of the result in pixels.
    """
    return (fit_to(masks.float(), size).abs() > 1e-4).float()


DIFFACE_INPAINTING = Method(
    pipeline=DifFaceInpaintPipeline,
    nets={"estimator": Part("difface-inpainting", (LaMa, HoleEstimator)), "unet": Part("difface-prior", (UNet,))},
    schedule=difface_schedule,
    scheduled_by="unet",
    mini=DifFaceInpaintOptions(start=10, steps=1, eta=0.5),
)
"""For `load_method`: `mini`, or a folder with `estimator` and `unet`, such as `limner weights convert` makes of the
authors' files. The embedded prior is sharp where it also serves whole faces (`limner.methods.difface.DIFFACE`)."""
