"""LD-BFR (Du et al., ACM MM 2024): a vector-quantised global restoration whose feature is injected into a latent
diffusion.

Stage A reads the degraded face y, finds the codes X of clean faces nearest to its feature Y, and lets the two attend to
each other (dual cross-attention); the restored feature F can be decoded at once:

    F = X + MHA(Y, X + softmax(Y Y^T) X),    stage A's picture = D_A(F)

Stage B is an unconditional latent diffusion that stays as it was, and blocks after its attention layers that show it
F:

    eps = eps(z_t, t; injection(F)),    picture = D(z_0)

The chain may also be entered part-way, at the noised latent of stage A's picture, where the prior is too weak to make a
face out of nothing (ours, not the paper's).

z_0 lives in the latent of another autoencoder, whose decoder D quantises first. Each estimate of z_0 may also be
snapped to that autoencoder's codes on the way; the direction of the step keeps the noise as the net gave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import fit_to
from limner.methods.method import Method, Nets
from limner.methods.options import LDBFROptions
from limner.methods.pipeline import Batch, LatentPipeline, Restored
from limner.methods.schedules import Scheduler, enter, from_timestep, ldbfr_schedule
from limner.nets.injection import Injected, Injection
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights.checkpoint import read_checkpoint
from limner.weights.formats import ldbfr
from limner.weights.load import Part, WeightsInfo


@dataclass
class LDBFROutput(Restored):
    """What LD-BFR returns.

    Attributes:
        latents: of the faces before they were quantised and decoded, (B * samples, c, h, w) float32; of stage A
            alone (0 steps) its features F.
    """

    latents: Tensor


class LDBFRPipeline(LatentPipeline):
    """LD-BFR on aligned crops; called as `FacePipeline`, with the options of `LDBFROptions`.

    Args:
        stage_a: the global restoration, crops in [0, 1].
        unet: the unconditional prior: noise (or the clean latent, as the scheduler's `prediction_type` says) from z_t.
        injection: what shows it F.
        vqgan: the autoencoder of z_0.
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the paper's.
        defaults: see `FacePipeline`.
    """

    paper: ClassVar[LDBFROptions] = LDBFROptions()
    without_diffusion = "stage A"

    def __init__(
        self,
        stage_a: StageA,
        unet: UNet,
        injection: Injection,
        vqgan: VQGAN,
        scheduler: SchedulerMixin,
        defaults: Mapping[str, Any] | None = None,
    ):
        super().__init__(defaults)
        self.register_modules(stage_a=stage_a, unet=unet, injection=injection, vqgan=vqgan, scheduler=scheduler)

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.stage_a.config["sample_size"])

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(c, h, w) of z_0."""
        side = self.unet.config["sample_size"]
        return self.unet.config["in_channels"], side, side

    def sample(self, batch: Batch, options: LDBFROptions) -> LDBFROutput:
        """Restores features, enters the chain with noise or stage A's picture, and walks it under the features
        (docs/methods/ldbfr.md, eq. (13) to (15)).

        Args:
            batch: of degraded faces.
            options: how the chain is entered and walked; 0 steps give stage A's pictures.

        Raises:
            LimnerError: if there is no such number of steps or entry, or the scheduler can't snap.
        """
        feature = self.feature(batch.crops)
        if options.steps:
            scheduler, times = self.chain(options)
            x = batch.noise(self.latent_shape, feature.device)
            if options.start is not None:
                x = enter(self.restored_latent(feature), x, scheduler, times[0])
            latent = self.denoise(x, feature, scheduler, times, options, batch)
            return LDBFROutput(self.decode(latent), latent)
        return LDBFROutput((self.stage_a.decode(feature).float() * 0.5 + 0.5).clamp(0, 1), feature)

    def feature(self, pictures: Tensor) -> Tensor:
        """F of degraded faces: (B, 3, H, W) in [0, 1] to (B, C, h, w) float32."""
        return self.stage_a(pictures.to(self.stage_a.device)).feature

    def restored_latent(self, feature: Tensor) -> Tensor:
        """The latent that the chain is entered with part-way: from F, (B, C, h, w), by way of stage A's picture to the
        autoencoder's E, (B, c, h', w') float32."""
        picture = self.stage_a.decode(feature).float().clamp(-1, 1)
        return self.vqgan.encode(fit_to(picture, self.vqgan.config["sample_size"])).float()

    def denoise(
        self, x: Tensor, feature: Tensor, scheduler: Scheduler, times: Tensor, options: LDBFROptions, batch: Batch
    ) -> Tensor:
        """Walks the chain from a noisy latent under the restored feature.

        Args:
            x: (B, c, h, w) float32, at the noise level of the first timestep.
            feature: F, (B, C, h', w').
            scheduler: its timesteps set.
            times: at which the U-Net is asked, descending.
            options: eta, and whether estimates are snapped to codes.
            batch: whose generators and progress are used.

        Returns:
            The clean latent, (B, c, h, w) float32.
        """
        injected = Injected(self.injection, feature)

        def predict(x: Tensor, level: Tensor) -> Tensor:
            return self.unet(x, level, after_attention=injected).float()

        def snap(z0: Tensor, t: int) -> Tensor:
            assert isinstance(scheduler, DDIMScheduler)  # `chain` made sure of it
            return self.snapping(z0, t, scheduler)

        return batch.walk(x, scheduler, times, predict, options.eta, snap if options.snap else None)

    def snapping(self, z0: Tensor, t: int, scheduler: DDIMScheduler) -> Tensor:
        """What a DDIM step changes by if its estimate is brought to its nearest codes and the direction stays
        (docs/methods/ldbfr.md, eq. (14)).

        Args:
            z0: the step's estimate of the clean latent, (B, c, h, w).
            t: its timestep.
            scheduler: of the step.

        Returns:
            What is added after the step, (B, c, h, w).
        """
        before = t - len(scheduler.alphas_cumprod) // int(scheduler.num_inference_steps or 1)
        abar = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod
        scale = self.vqgan.scale
        return abar.to(z0).sqrt() * (self.vqgan.quantise(z0 * scale)[0] / scale - z0)

    def chain(self, options: LDBFROptions) -> tuple[Scheduler, Tensor]:
        """A scheduler of its own for one batch, and the timesteps of its chain.

        Args:
            options: steps, start and timestep spacing.

        Returns:
            The scheduler, and as many timesteps as asked for, descending.

        Raises:
            LimnerError: if there is no such number of steps or entry, or the scheduler can't snap.
        """
        if options.snap and not isinstance(self.scheduler, DDIMScheduler):
            raise LimnerError("Only the scheduler ddim can snap to codes: leave out --scheduler, or --snap.")
        allowed = "LD-BFR takes 1 to 999, or 0 for stage A alone"
        return from_timestep(self.scheduler, options.start, options.steps, options.timestep_spacing, allowed)


def _checkpoint(source: str) -> tuple[Nets, WeightsInfo] | None:
    """The nets of a checkpoint of the authors' trainer."""
    if not Path(source).is_file():
        return None
    checkpoint = read_checkpoint(Path(source))
    nets = ldbfr.load(checkpoint)
    size = int(nets.stage_a.config["sample_size"])
    licence = "that of your own file, which limner can't know"
    return nets._asdict(), WeightsInfo(source, licence, "a checkpoint of the user's", size, checkpoint.note())


LDBFR = Method(
    pipeline=LDBFRPipeline,
    nets={
        "stage_a": Part("ldbfr-stage-a", (StageA,)),
        "unet": Part("ldbfr-prior", (UNet,)),
        "injection": Part("ldbfr-injection", (Injection,)),
        "vqgan": Part("vqgan", (VQGAN,)),
    },
    schedule=ldbfr_schedule,
    scheduled_by="injection",
    mini=LDBFROptions(start=50, steps=0),
    mini_finish=2,
    other_source=_checkpoint,
    others="a checkpoint of their trainer",
)
"""Of the embedded weights stage A alone, under the finish. On 16 severely damaged validation faces the embedded
diffusion, entered at 20, 50 or 100, took 0.1, 0.3 and 0.5 dB and .01 to .04 of likeness and gave no detail for it: it
has seen far too little. With `steps` it is entered at 50."""
