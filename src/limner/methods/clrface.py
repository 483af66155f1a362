"""CLR-Face (Suin & Chellappa, arXiv 2402.06106): the latent of a degraded face refined by diffusion, and held to the
person by masked identity gradients.

An autoencoder E, G with codes shrinks faces four times only, so that its latent keeps detail. The degraded face y gives
z_d = E_d(y), and a U-Net that sees it beside the noisy latent walks from noise to a clean one:

    eps = eps(z_t, z_d, t),    z_0 = (z_t - sqrt(1 - abar_t) eps) / sqrt(abar_t),    picture = G(q(z_0))

An identity recovery network (IRN) guesses what the person looks like, and in the later part of the chain each z_0 is
moved towards that person, where the mask M lets it (`identity_guidance.py`):

    z_0 <- z_0 - s sqrt(abar_t) M g_n,    eps <- (z_t - sqrt(abar_t) z_0) / sqrt(1 - abar_t)

No code and no full text of the paper was at hand: what is the paper's and what is limner's is told in docs/clrface.md.
That other photographs of the person may say who it is, in the IRN's place, is limner's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import Restored, fit_to, noise_like, per_face, restored_size
from limner.methods.identity_guidance import Guide, IdentityGuidance
from limner.methods.schedules import Scheduler, Timetable, clean_estimate, from_timestep
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.guidance_mask import PredictedMask, StaticMask
from limner.nets.identity import IdentityNet
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN

CHECKPOINTED_ABOVE = 256
"""Side in pixels of the largest faces whose whole way through the decoder is kept for the guidance's gradient. Of
larger ones it is computed again block by block, for it takes gigabytes."""

MaskKind = Literal["learned", "one", "zero"]
GUIDED_BELOW = 600
"""The timestep below which the guidance acts: the last 60 % of the chain."""


@dataclass
class CLRFaceOutput(Restored):
    """What CLR-Face returns.

    Attributes:
        images: restored faces, (B * samples, 3, H, W) float32 in [0, 1]; the samples of one face lie together.
        latents: of those faces before they were quantised and decoded, (B * samples, c, h, w) float32.
        recovered: the identity recovery network's picture of each face, (B, 3, H, W) in [0, 1]; None without guidance,
            when nobody asks for it.
        masks: M, the mean over the guided steps, (B * samples, c, h, w); zeros where nothing guided.
    """

    images: Tensor
    latents: Tensor
    recovered: Tensor | None
    masks: Tensor

    def on_the_way(self) -> dict[str, Tensor]:
        """What the identity recovery network saw, and the mask of each first sample; without guidance nothing."""
        if self.recovered is None:
            return {}
        firsts = self.masks[:: len(self.masks) // len(self.recovered)]
        side = self.recovered.shape[-1]
        return {"recovered": self.recovered, "mask": torch.stack([mask_picture(one, side) for one in firsts])}


@dataclass(frozen=True)
class PersonRead:
    """What the recogniser makes of a person's photographs: good for any number of faces and calls.

    Attributes:
        wanted: the mean of their vectors, brought to unit length, (D,).
    """

    wanted: Tensor


class CLRFacePipeline(DiffusionPipeline):
    """CLR-Face on aligned crops.

    Args:
        vqgan: E, G and the codes, pictures in [-1, 1].
        encoder: E_d, degraded crops in [0, 1] to z_d in the autoencoder's own units.
        unet: noise (or the clean latent, as the scheduler's `prediction_type` says) from [z_t, z_d].
        irn: the identity recovery network, crops in [0, 1] to the same (`SwinIR` or `IdentityRecovery`).
        mask: M.
        identity: the recogniser whose gradients guide.
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the default.
    """

    def __init__(
        self,
        vqgan: VQGAN,
        encoder: DegradedEncoder,
        unet: UNet,
        irn: ModelMixin,
        mask: PredictedMask | StaticMask,
        identity: IdentityNet,
        scheduler: SchedulerMixin,
    ):
        super().__init__()
        self.register_modules(
            vqgan=vqgan, encoder=encoder, unet=unet, irn=irn, mask=mask, identity=identity, scheduler=scheduler
        )
        if self.size > CHECKPOINTED_ABOVE:
            vqgan.enable_gradient_checkpointing()

    @torch.no_grad()
    def __call__(
        self,
        crops: Tensor,
        *,
        references: Sequence[Tensor | PersonRead | None] | None = None,
        start: int | None = None,
        steps: int = 50,
        eta: float = 0.0,
        guidance: float = 0.02,
        mask: MaskKind = "learned",
        guide_below: int = GUIDED_BELOW,
        guide_every: int = 1,
        timetable: Timetable | None = None,
        samples: int = 1,
        noise: Tensor | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
    ) -> CLRFaceOutput:
        """Restores faces.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than the nets' they are resized and back.
            references: for each face other pictures of that person, (n, 3, h, w) in [0, 1] and aligned, or what `read`
                made of them: who the face is guided to. Where there are none (n = 0 or None), the IRN says.
            start: timestep at which the chain is entered, 1 to 999, with the noised z_d, which is fast; None enters at
                the noisiest with noise alone.
            steps: evaluations of the U-Net, 1 to 999; 0 is the IRN's picture.
            eta: 0 (deterministic) to 1. Only DDIM knows it.
            guidance: s, 0 (none) or more: how far a guided step moves the estimate, in its deviations.
            mask: which elements of the latent it moves: those of the `learned` mask, all (`one`) or none (`zero`).
            guide_below: only steps from timesteps below this are guided, 0 to 1000.
            guide_every: of those each (1), every other (2), ...; the last one always.
            timetable: `leading` (1, 1 + c, ...) or `trailing` (999, 999 - c, ...) with c = 1000 / steps; None takes the
                scheduler's own.
            samples: results wanted for each face.
            noise: that the chain begins with, (B * samples, c, h, w), or (1, c, h, w) for all; None draws it.
            generator: CPU generator(s) of the noise: one for each result, or one from which theirs are seeded.
            batch_size: faces that go through the nets at once.
            progress: called with (U-Net evaluations done, of how many).

        Raises:
            LimnerError: if a setting lies outside its range, or the references are not as many as the faces.
        """
        self._check(references, len(crops), eta, guidance, mask, guide_below, guide_every)
        known = [None if one is None or (isinstance(one, Tensor) and not len(one)) else one for one in references or []]
        people = [one if one is None or isinstance(one, PersonRead) else self.read(one) for one in known]
        results = len(crops) * samples
        generators = per_face(generator, results)
        pictures = fit_to(crops, self.size)
        images, latents, masks, recovered = [], [], [], []
        for first in range(0, results, batch_size):
            chosen = slice(first, min(first + batch_size, results))
            numbers = list(range(results))[chosen]
            faces = [number // samples for number in numbers]
            guess = self.recover(pictures[faces]) if guidance or not steps else None
            if guess is not None:
                recovered.append(guess[[number % samples == 0 for number in numbers]].cpu())

            def done(step: int, first: int = first, at_once: int = len(faces)) -> None:
                if progress:
                    progress(first * max(steps, 1) + step * at_once, results * max(steps, 1))

            if steps or guess is None:
                scheduler, times = self.chain(steps, timetable, start)
                condition = self.encode_degraded(pictures[faces])
                if noise is None:
                    x = noise_like(condition.shape[1:], generators[chosen], condition.device)
                else:
                    x = noise.expand(results, *noise.shape[1:])[chosen].to(condition)
                if start is not None:
                    abar = scheduler.alphas_cumprod[times[0]].to(x)
                    x = abar.sqrt() * condition + (1 - abar).sqrt() * x
                guide = None
                if guess is not None:
                    guide = self.guide(guess, [people[face] for face in faces] if people else None, guidance, mask)
                guided = guided_steps(times, guide_below, guide_every) if guide else set()
                latent, mean = self.denoise(
                    x, condition, scheduler, times, eta, guide, guided, generators[chosen], done
                )
                image = (self.vqgan.decode(latent).float() * 0.5 + 0.5).clamp(0, 1)
            else:
                image, latent = guess, self.encode(guess)
                mean = torch.zeros_like(latent)
                done(1)
            images.append(image.cpu())
            latents.append(latent.cpu())
            masks.append(mean.cpu())
        height, width = crops.shape[-2:]
        return CLRFaceOutput(
            images=restored_size(torch.cat(images), height, width),
            latents=torch.cat(latents),
            recovered=restored_size(torch.cat(recovered), height, width) if recovered else None,
            masks=torch.cat(masks),
        )

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.unet.config["sample_size"]) * self.vqgan.factor

    def encode(self, pictures: Tensor) -> Tensor:
        """E, not quantised: (B, 3, H, W) in [0, 1] to (B, c, h, w) float32 of deviation 1."""
        return self.vqgan.encode(pictures.to(self.vqgan.device) * 2 - 1).float()

    def encode_degraded(self, pictures: Tensor) -> Tensor:
        """z_d: as `encode`, of degraded faces."""
        return self.encoder(pictures.to(self.encoder.device)).float() / self.vqgan.scale

    def recover(self, pictures: Tensor) -> Tensor:
        """IRN(y): (B, 3, H, W) in [0, 1] to the same, float32."""
        return self.irn(pictures.to(self.irn.device)).float().clamp(0, 1)

    @torch.no_grad()
    def read(self, references: Tensor, batch_size: int = 8) -> PersonRead:
        """Who a person is, by the recogniser.

        Args:
            references: (n, 3, h, w) in [0, 1], aligned; n at least 1.
            batch_size: of them that are looked at at once.
        """
        vectors = [self.identity(some.to(self.identity.device)).float() for some in references.split(batch_size)]
        return PersonRead(F.normalize(torch.cat(vectors).mean(dim=0), dim=0))

    def guide(
        self, recovered: Tensor, people: Sequence[PersonRead | None] | None, scale: float, mask: MaskKind
    ) -> Guide:
        """The guidance of a batch: to the person of each face, or where there is none, to whom the IRN saw.

        Args:
            recovered: the IRN's pictures, (B, 3, H, W) in [0, 1].
            people: of each face; None for none at all.
            scale: s.
            mask: which one.
        """
        wanted = self.identity(recovered).float()
        for row, person in enumerate(people or []):
            if person is not None:
                wanted[row] = person.wanted
        if mask == "learned":
            seen = self.encode(recovered)
            return IdentityGuidance(self.vqgan, self.identity, wanted, scale, lambda z0, t: self.mask(z0, seen, t))
        filled = float(mask == "one")
        return IdentityGuidance(self.vqgan, self.identity, wanted, scale, lambda z0, t: torch.full_like(z0, filled))

    def denoise(
        self,
        x: Tensor,
        condition: Tensor,
        scheduler: Scheduler,
        times: Tensor,
        eta: float,
        guide: Guide | None,
        guided: set[int],
        generators: list[torch.Generator],
        done: Callable[[int], None],
    ) -> tuple[Tensor, Tensor]:
        """Walks the chain from a noisy latent x through the timesteps `times`, beside z_d; of these the places `guided`
        are guided. Returns the clean latent and the mean mask."""
        settings = {"eta": eta, "generator": generators} if isinstance(scheduler, DDIMScheduler) else {}
        masks = torch.zeros_like(x)
        for count, t in enumerate(times):
            level = torch.full((len(x),), int(t), device=x.device)
            predicted = self.unet(torch.cat([x, condition], dim=1), level).float()
            if guide and count in guided:
                abar = scheduler.alphas_cumprod[t].to(x)
                sampled = scheduler.config["prediction_type"] == "sample"
                shift, mask = guide.shift(clean_estimate(scheduler, predicted, x, abar), level, abar)
                # the same step in what the net predicts, so that any solver takes it
                predicted = predicted - shift if sampled else predicted + (abar / (1 - abar)).sqrt() * shift
                masks += mask / len(guided)
            x = scheduler.step(predicted, int(t), x, **settings, return_dict=False)[0]
            done(count + 1)
        return x, masks

    def chain(
        self, steps: int, timetable: Timetable | None = None, start: int | None = None
    ) -> tuple[Scheduler, Tensor]:
        """A scheduler of its own for one batch, and the timesteps of its chain, descending, as many as asked for.

        Raises:
            LimnerError: if there is no such timetable, number of steps or entry.
        """
        allowed = "CLR-Face takes 1 to 999, or 0 for the identity recovery network alone"
        return from_timestep(self.scheduler, start, steps, timetable, allowed)

    def _check(
        self,
        references: Sequence[Tensor | PersonRead | None] | None,
        faces: int,
        eta: float,
        guidance: float,
        mask: str,
        guide_below: int,
        guide_every: int,
    ) -> None:
        if not 0 <= eta <= 1:
            raise LimnerError(f"eta is {eta}: CLR-Face takes 0 (deterministic) to 1.")
        if not 0 <= guidance < math.inf:
            raise LimnerError(f"The guidance is {guidance}: CLR-Face takes 0 (none) or more, such as 0.02.")
        if mask not in get_args(MaskKind):
            raise LimnerError(f"There is no mask '{mask}': choose {', '.join(get_args(MaskKind))}.")
        if not 0 <= guide_below <= 1000:
            raise LimnerError(f"Guidance below timestep {guide_below} can't be: choose 0 (never) to 1000 (always).")
        if guide_every < 1:
            raise LimnerError(f"Guidance in every {guide_every}th step can't be: choose 1 (every step) or more.")
        if references is not None and len(references) != faces:
            raise LimnerError(f"{faces} faces need {faces} sets of references (empty ones too), not {len(references)}.")


def guided_steps(times: Tensor, below: int, every: int) -> set[int]:
    """Which places of a chain are guided: of those below a timestep every `every`-th, counted from the last one."""
    able = [place for place, t in enumerate(times.tolist()) if t < below]
    return set(able[::-1][::every])


def mask_picture(mask: Tensor, size: int) -> Tensor:
    """M, (c, h, w) in [0, 1], as a grey picture (3, size, size) in [0, 1]: the mean over its channels."""
    grey = F.interpolate(mask.float().mean(dim=0)[None, None], (size, size), mode="nearest")[0]
    return grey.expand(3, -1, -1)
