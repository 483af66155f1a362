"""CLR-Face (Suin & Chellappa, arXiv 2402.06106): the latent of a degraded face refined by diffusion, and held to the
person by masked identity gradients.

An autoencoder E, G with codes shrinks faces four times only, so that its latent keeps detail. The degraded face y gives
z_d = E_d(y), and a U-Net that sees it beside the noisy latent walks from noise to a clean one:

    eps = eps(z_t, z_d, t),    z_0 = (z_t - sqrt(1 - abar_t) eps) / sqrt(abar_t),    picture = G(q(z_0))

An identity recovery network (IRN) guesses what the person looks like, and in the later part of the chain each z_0 is
moved towards that person, where the mask M lets it (`identity_guidance.py`):

    z_0 <- z_0 - s sqrt(abar_t) M g_n,    eps <- (z_t - sqrt(abar_t) z_0) / sqrt(1 - abar_t)

No code and no full text of the paper was at hand: docs/methods/clrface.md tells what is the paper's and what is
limner's.
That other photographs of the person may say who it is, in the IRN's place, is limner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.methods.identity_guidance import Guide, IdentityGuidance
from limner.methods.method import Method
from limner.methods.options import CLRFaceOptions
from limner.methods.pipeline import Batch, LatentPipeline, ReadReferences, Restored
from limner.methods.schedules import Scheduler, clean_estimate, clrface_schedule, enter, from_timestep
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.guidance_mask import PredictedMask, StaticMask
from limner.nets.identity import IdentityNet
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights.load import Part

CHECKPOINTED_ABOVE = 256
"""Side in pixels of the largest faces whose whole way through the decoder is kept for the guidance's gradient. Of
larger ones it is computed again block by block, for it takes gigabytes."""


@dataclass
class CLRFaceOutput(Restored):
    """What CLR-Face returns.

    Attributes:
        latents: of the faces before they were quantised and decoded, (B * samples, c, h, w) float32.
        masks: M, the mean over the guided steps, (B * samples, c, h, w); zeros where nothing guided.
        recovered: the identity recovery network's picture of each face, (B, 3, H, W) in [0, 1]; None without guidance,
            when nobody asks for it.
    """

    latents: Tensor
    masks: Tensor
    recovered: Tensor | None = None

    PICTURES: ClassVar = ("images", "recovered")
    PER_FACE: ClassVar = ("recovered",)

    def on_the_way(self) -> dict[str, Tensor]:
        """What the identity recovery network saw, and the mask of each first sample; without guidance nothing."""
        if self.recovered is None:
            return {}
        firsts = self.masks[:: len(self.masks) // len(self.recovered)]
        side = self.recovered.shape[-1]
        return {"recovered": self.recovered, "mask": torch.stack([mask_picture(one, side) for one in firsts])}


@dataclass(frozen=True)
class PersonRead(ReadReferences):
    """What the recogniser makes of a person's photographs.

    Attributes:
        wanted: the mean of their vectors, brought to unit length, (D,).
    """

    wanted: Tensor


class CLRFacePipeline(LatentPipeline):
    """CLR-Face on aligned crops; called as `FacePipeline`, with the options of `CLRFaceOptions`. References say who a
    face is guided to; where there are none, the IRN says.

    Args:
        vqgan: E, G and the codes, pictures in [-1, 1].
        encoder: E_d, degraded crops in [0, 1] to z_d in the autoencoder's own units.
        unet: noise (or the clean latent, as the scheduler's `prediction_type` says) from [z_t, z_d].
        irn: the identity recovery network, crops in [0, 1] to the same (`SwinIR` or `IdentityRecovery`).
        mask: M.
        identity: the recogniser whose gradients guide.
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the default.
        defaults: see `FacePipeline`.
    """

    paper: ClassVar[CLRFaceOptions] = CLRFaceOptions()
    without_diffusion = "IRN"
    ceiling_name = "ceiling clrface"

    def __init__(
        self,
        vqgan: VQGAN,
        encoder: DegradedEncoder,
        unet: UNet,
        irn: ModelMixin,
        mask: PredictedMask | StaticMask,
        identity: IdentityNet,
        scheduler: SchedulerMixin,
        defaults: Mapping[str, Any] | None = None,
    ):
        super().__init__(defaults)
        self.register_modules(
            vqgan=vqgan, encoder=encoder, unet=unet, irn=irn, mask=mask, identity=identity, scheduler=scheduler
        )
        if self.size > CHECKPOINTED_ABOVE:
            vqgan.enable_gradient_checkpointing()

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.unet.config["sample_size"]) * self.vqgan.factor

    def sample(self, batch: Batch, options: CLRFaceOptions) -> CLRFaceOutput:
        """Encodes degraded faces, enters the chain with noise or with them, and walks it, guided to the person whom the
        IRN or the references show (docs/methods/clrface.md, eq. (12), (17)).

        Args:
            batch: of degraded faces.
            options: how the chain is entered, walked and guided; 0 steps give the IRN's pictures.

        Raises:
            LimnerError: if there is no such number of steps or entry.
        """
        guess = self.recover(batch.crops) if options.guidance or not options.steps else None
        if guess is not None and not options.steps:
            latent = self.encode(guess)
            return CLRFaceOutput(guess, latent, torch.zeros_like(latent), guess)
        scheduler, times = self.chain(options)
        condition = self.encode_degraded(batch.crops)
        x = batch.noise(condition.shape[1:], condition.device)
        if options.start is not None:
            x = enter(condition, x, scheduler, times[0])
        guide = None if guess is None else self.guide(guess, self.people(batch), options)
        latent, masks = self.denoise(x, condition, scheduler, times, guide, options, batch)
        return CLRFaceOutput(self.decode(latent), latent, masks, guess)

    def encode_degraded(self, pictures: Tensor) -> Tensor:
        """z_d (docs/methods/clrface.md, eq. (2)): from degraded faces, (B, 3, H, W) in [0, 1], to (B, c, h, w)
        float32."""
        return self.encoder(pictures.to(self.encoder.device)).float() / self.vqgan.scale

    def recover(self, pictures: Tensor) -> Tensor:
        """The identity recovery network's pictures: from degraded faces, (B, 3, H, W) in [0, 1], to the same,
        float32."""
        return self.irn(pictures.to(self.irn.device)).float().clamp(0, 1)

    @torch.no_grad()
    def read(self, references: Tensor, *, batch_size: int = 8, **options: Any) -> PersonRead:
        """Says who a person is, by the recogniser; arguments as for `FacePipeline.read`. No option counts."""
        vectors = [self.identity(some.to(self.identity.device)).float() for some in references.split(batch_size)]
        return PersonRead(len(references), F.normalize(torch.cat(vectors).mean(dim=0), dim=0))

    def people(self, batch: Batch) -> list[PersonRead | None]:
        """The person of each face of a batch, read once in a call; None where a face has no references, and an empty
        list where none has."""
        for one in batch.references:
            if id(one) not in batch.kept:
                batch.kept[id(one)] = self.read(one) if isinstance(one, Tensor) else one
        return [batch.kept[id(one)] for one in batch.references]

    def guide(self, recovered: Tensor, people: Sequence[PersonRead | None], options: CLRFaceOptions) -> Guide:
        """The guidance of a batch: to the person of each face, or where there is none, to whom the IRN saw.

        Args:
            recovered: the IRN's pictures, (B, 3, H, W) in [0, 1].
            people: of each face; empty where there is none at all.
            options: how far it goes, and its mask.
        """
        wanted = self.identity(recovered).float()
        for row, person in enumerate(people):
            if person is not None:
                wanted[row] = person.wanted
        scale = options.guidance
        if options.mask == "learned":
            seen = self.encode(recovered)
            return IdentityGuidance(self.vqgan, self.identity, wanted, scale, lambda z0, t: self.mask(z0, seen, t))
        filled = float(options.mask == "one")
        return IdentityGuidance(self.vqgan, self.identity, wanted, scale, lambda z0, t: torch.full_like(z0, filled))

    def denoise(
        self,
        x: Tensor,
        condition: Tensor,
        scheduler: Scheduler,
        times: Tensor,
        guide: Guide | None,
        options: CLRFaceOptions,
        batch: Batch,
    ) -> tuple[Tensor, Tensor]:
        """Walks the chain from a noisy latent, guided where the options say (docs/methods/clrface.md, eq. (12), (13)).

        Args:
            x: (B, c, h, w) float32, at the noise level of the first timestep.
            condition: z_d, of the same shape.
            scheduler: its timesteps set.
            times: at which the U-Net is asked, descending.
            guide: what moves the estimates; None for no guidance.
            options: eta, and which timesteps are guided.
            batch: whose generators and progress are used.

        Returns:
            The clean latent, and the mean of the mask over the guided steps; (B, c, h, w) each.
        """
        masks = torch.zeros_like(x)
        guided = guided_timesteps(times, options.guide_below, options.guide_every) if guide else set()

        def predict(x: Tensor, level: Tensor) -> Tensor:
            predicted, t = self.predict(condition, x, level), int(level[0])
            if guide is None or t not in guided:
                return predicted
            abar = scheduler.alphas_cumprod[t].to(x)
            shift, mask = guide.shift(clean_estimate(scheduler, predicted, x, abar), level, abar)
            masks.add_(mask / len(guided))
            # the same step in what the net predicts, so that any solver takes it
            if scheduler.config["prediction_type"] == "sample":
                return predicted - shift
            return predicted + (abar / (1 - abar)).sqrt() * shift

        return batch.walk(x, scheduler, times, predict, options.eta), masks

    def predict(self, condition: Tensor, x: Tensor, level: Tensor) -> Tensor:
        """What the U-Net says of noisy latents, given z_d.

        Args:
            condition: z_d, (B, c, h, w).
            x: z_t, of the same shape.
            level: the timesteps, (B,).

        Returns:
            The predicted noise (or clean latent), (B, c, h, w) float32.
        """
        return self.unet(torch.cat([x, condition], dim=1), level).float()

    def chain(self, options: CLRFaceOptions) -> tuple[Scheduler, Tensor]:
        """A scheduler of its own for one batch, and the timesteps of its chain.

        Args:
            options: steps, start and timestep spacing.

        Returns:
            The scheduler, and as many timesteps as asked for, descending.

        Raises:
            LimnerError: if there is no such number of steps or entry.
        """
        allowed = "CLR-Face takes 1 to 999, or 0 for the identity recovery network alone"
        return from_timestep(self.scheduler, options.start, options.steps, options.timestep_spacing, allowed)


def guided_timesteps(times: Tensor, below: int, every: int) -> set[int]:
    """Which timesteps of a chain are guided (docs/methods/clrface.md, eq. (14)).

    Args:
        times: of the chain, descending.
        below: only those below this one.
        every: of those each (1), every other (2), ..., counted from the last.
    """
    return set([t for t in times.tolist() if t < below][::-1][::every])


def mask_picture(mask: Tensor, size: int) -> Tensor:
    """M, (c, h, w) in [0, 1], as a grey picture (3, size, size) in [0, 1]: the mean over its channels."""
    grey = F.interpolate(mask.float().mean(dim=0)[None, None], (size, size), mode="nearest")[0]
    return grey.expand(3, -1, -1)


CLRFACE = Method(
    pipeline=CLRFacePipeline,
    nets={
        "vqgan": Part("clrface-vqgan", (VQGAN,)),
        "encoder": Part("clrface-encoder", (DegradedEncoder,)),
        "unet": Part("clrface-prior", (UNet,)),
        "irn": Part("clrface-irn", (ModelMixin,)),
        "mask": Part("clrface-mask", (PredictedMask, StaticMask)),
        "identity": Part("identity", (IdentityNet,)),
    },
    schedule=clrface_schedule,
    scheduled_by="unet",
    mini=CLRFaceOptions(steps=2),
    mini_finish=2,
)
"""The embedded weights' options were chosen on 16 validation faces with the finish: 4 steps cost 0.2 dB under severe
damage, 0.3 dB under moderate, and .013 of likeness by HOG, for no more detail; a single one lies above all timesteps
that are guided. Of 2 one is guided, by twice as much as each of two: guided to the truth's identity 12 faces come to
.757 of likeness with 0.02 and .725 with 0.01; 4 steps of 0.01 come to .774."""
