"""LD-BFR (Du et al., ACM MM 2024): a vector-quantised global restoration whose feature is injected into a latent
diffusion.

Stage A reads the degraded face y, finds the codes X of clean faces nearest to its feature Y, and lets the two attend to
each other (dual cross-attention); the restored feature F can be decoded at once:

    F = X + MHA(Y, X + softmax(Y Y^T) X),    stage A's picture = D_A(F)

Stage B is an unconditional latent diffusion that stays as it was, and blocks behind its attention layers that show it
F:

    eps = eps(z_t, t; injection(F)),    picture = D(z_0)

The chain may also be entered part-way, at the noised latent of stage A's picture, where the prior is too weak to make a
face out of nothing (ours, not the paper's).

z_0 lives in the latent of another autoencoder, whose decoder D quantises first. Each estimate of z_0 may also be
snapped to that autoencoder's codes on the way; the direction of the step keeps the noise as the net gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler, DDIMSchedulerOutput
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import Restored, fit_to, noise_like, per_face, restored_size
from limner.methods.schedules import Scheduler, Timetable, from_timestep
from limner.nets.injection import Injected, Injection
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN


@dataclass
class LDBFROutput(Restored):
    """What LD-BFR returns.

    Attributes:
        images: restored faces, (B * samples, 3, H, W) float32 in [0, 1]; the samples of one face lie together.
        latents: of those faces before they were quantised and decoded, (B * samples, c, h, w) float32; of stage A
            alone (0 steps) its features F.
    """

    images: Tensor
    latents: Tensor


class LDBFRPipeline(DiffusionPipeline):
    """LD-BFR on aligned crops.

    Args:
        stage_a: the global restoration, crops in [0, 1].
        unet: the unconditional prior: noise (or the clean latent, as the scheduler's `prediction_type` says) from z_t.
        injection: what shows it F.
        vqgan: the autoencoder of z_0.
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the paper's.
    """

    def __init__(self, stage_a: StageA, unet: UNet, injection: Injection, vqgan: VQGAN, scheduler: SchedulerMixin):
        super().__init__()
        self.register_modules(stage_a=stage_a, unet=unet, injection=injection, vqgan=vqgan, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        crops: Tensor,
        *,
        start: int | None = None,
        steps: int = 50,
        eta: float = 0.0,
        snap: bool = False,
        timetable: Timetable | None = None,
        samples: int = 1,
        noise: Tensor | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
    ) -> LDBFROutput:
        """Restores faces.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than stage A's they are resized, and what comes
                out is resized to theirs.
            start: timestep at which the chain is entered, 1 to 999, with stage A's picture; None, the paper's, enters
                at the noisiest with noise alone.
            steps: evaluations of the U-Net, 1 to 999; the authors' program logs 200. 0 is stage A alone.
            eta: 0 (deterministic) to 1 (as the authors' program logs). Only DDIM knows it.
            snap: bring every estimate of z_0 to the nearest codes. Only DDIM can.
            timetable: `leading` (1, 1 + c, 1 + 2c, ..., the authors') or `trailing` (999, 999 - c, ...) with
                c = 1000 / steps; None takes the scheduler's own.
            samples: results wanted for each face.
            noise: that the chain begins with, (B * samples, c, h, w), or (1, c, h, w) for all; None draws it.
            generator: CPU generator(s) of the noise: one for each result, or one from which theirs are seeded.
            batch_size: faces that go through the nets at once.
            progress: called with (U-Net evaluations done, of how many).

        Raises:
            LimnerError: if a setting lies outside its range.
        """
        if not 0 <= eta <= 1:
            raise LimnerError(f"eta is {eta}: LD-BFR takes 0 (deterministic) to 1.")
        results = len(crops) * samples
        generators = per_face(generator, results)
        pictures = fit_to(crops, self.size)
        images, latents = [], []
        for first in range(0, results, batch_size):
            chosen = slice(first, min(first + batch_size, results))
            faces = [index // samples for index in range(results)[chosen]]
            feature = self.feature(pictures[faces])

            def done(step: int, first: int = first, at_once: int = len(faces)) -> None:
                if progress:
                    progress(first * max(steps, 1) + step * at_once, results * max(steps, 1))

            if steps:
                scheduler, times = self.chain(steps, timetable, snap, start)
                if noise is None:
                    x = noise_like(self.latent_shape, generators[chosen], feature.device)
                else:
                    x = noise.expand(results, *noise.shape[1:])[chosen].to(feature)
                if start is not None:
                    abar = scheduler.alphas_cumprod[times[0]].to(x)
                    x = abar.sqrt() * self.restored_latent(feature) + (1 - abar).sqrt() * x
                latent = self.denoise(x, feature, scheduler, times, eta, snap, generators[chosen], done)
                image = self.vqgan.decode(latent)
            else:
                latent, image = feature, self.stage_a.decode(feature)
                done(1)
            images.append((image.float() * 0.5 + 0.5).clamp(0, 1).cpu())
            latents.append(latent.cpu())
        return LDBFROutput(images=restored_size(torch.cat(images), *crops.shape[-2:]), latents=torch.cat(latents))

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.stage_a.config["sample_size"])

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(c, h, w) of z_0."""
        side = self.unet.config["sample_size"]
        return self.unet.config["in_channels"], side, side

    def feature(self, pictures: Tensor) -> Tensor:
        """F of degraded faces: (B, 3, H, W) in [0, 1] to (B, C, h, w) float32."""
        return self.stage_a(pictures.to(self.stage_a.device)).feature

    def restored_latent(self, feature: Tensor) -> Tensor:
        """The latent of stage A's picture, (B, c, h, w) float32."""
        picture = self.stage_a.decode(feature).float().clamp(-1, 1)
        return self.vqgan.encode(fit_to(picture, self.vqgan.config["sample_size"])).float()

    def denoise(
        self,
        x: Tensor,
        feature: Tensor,
        scheduler: Scheduler,
        times: Tensor,
        eta: float,
        snap: bool,
        generators: list[torch.Generator],
        done: Callable[[int], None],
    ) -> Tensor:
        """Walks the chain from a noisy latent x through the timesteps `times`, under the restored feature F."""
        settings = {"eta": eta, "generator": generators} if isinstance(scheduler, DDIMScheduler) else {}
        injected = Injected(self.injection, feature)
        for count, t in enumerate(times):
            level = torch.full((len(x),), int(t), device=x.device)
            predicted = self.unet(x, level, behind=injected).float()
            out = cast(DDIMSchedulerOutput, scheduler.step(predicted, int(t), x, **settings))
            x = out.prev_sample
            if snap:
                x = x + self.snapping(cast(Tensor, out.pred_original_sample), int(t), cast(DDIMScheduler, scheduler))
            done(count + 1)
        return x

    def snapping(self, z0: Tensor, t: int, scheduler: DDIMScheduler) -> Tensor:
        """What a DDIM step changes by if z_0 is brought to its nearest codes and the direction stays."""
        before = t - len(scheduler.alphas_cumprod) // cast(int, scheduler.num_inference_steps)
        abar = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod
        scale = self.vqgan.scale
        return abar.to(z0).sqrt() * (self.vqgan.quantise(z0 * scale)[0] / scale - z0)

    def chain(
        self, steps: int, timetable: Timetable | None = None, snap: bool = False, start: int | None = None
    ) -> tuple[Scheduler, Tensor]:
        """A scheduler of its own for one batch, and the timesteps of its chain, descending, as many as asked for.

        Raises:
            LimnerError: if there is no such timetable, number of steps or entry, or the scheduler can't snap.
        """
        if snap and not isinstance(self.scheduler, DDIMScheduler):
            raise LimnerError("Only the scheduler ddim can snap to codes: leave out --scheduler, or --snap.")
        allowed = "LD-BFR takes 1 to 999, or 0 for stage A alone"
        return from_timestep(self.scheduler, start, steps, timetable, allowed)
