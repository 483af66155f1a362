"""ReF-LDM (Hsiao et al., arXiv 2412.05043): latent diffusion from a degraded face, with other photographs of the same
person as references.

A VQGAN's encoder E and decoder D lead into a latent space and back. There a U-Net sees the noisy latent beside that of
the degraded face y, and in every self-attention layer also the references x_1 .. x_n ("CacheKV"):

    K = [K(z_t), K(E(x_1)), ..., K(E(x_n))]        V alike        queries from z_t alone

The references' keys and values come from the same U-Net at timestep 0, with nothing in the place of E(y), and are
computed once for all steps. Guidance compares with references whose latents are zero (eq. 6):

    eps = eps_u + s (eps_c - eps_u)        eps_c, eps_u = eps(z_t, t, E(y), {E(x_i)}), eps(z_t, t, E(y), {0})

Latents are never quantised but at the very end, on the way into D.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import Restored, fit_to, noise_like, per_face, restored_size
from limner.methods.schedules import Scheduler, Timetable, with_steps
from limner.nets.cachekv import ReferenceCache, stack
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN

Encoding = Literal["wide", "separate"]

_NONE = torch.empty(0, 3, 1, 1)


@dataclass
class RefLDMOutput(Restored):
    """What ReF-LDM returns.

    Attributes:
        images: restored faces, (B * samples, 3, H, W) float32 in [0, 1]; the samples of one face lie together.
        latents: of those faces before they were quantised and decoded, (B * samples, c, h, w) float32.
    """

    images: Tensor
    latents: Tensor


@dataclass(frozen=True)
class ReadReferences:
    """References of one person as the nets have read them: good for any number of faces and calls.

    Attributes:
        seen: their keys and values, batch of 1.
        zeroed: keys and values of a single zero latent, batch of 1: n alike ones weigh like one with log n added to
            its logits.
    """

    seen: ReferenceCache
    zeroed: ReferenceCache

    def __len__(self) -> int:
        return self.seen.count


class RefLDMPipeline(DiffusionPipeline):
    """ReF-LDM on aligned crops.

    Args:
        vqgan: E and D, pictures in [-1, 1].
        unet: noise (or the clean latent, as the scheduler's `prediction_type` says) from [z_t, E(y)].
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the paper's.
        encoding: how the U-Net was trained to see references. `wide`: E sees all of a face in one picture side by
            side, as the authors have it, so that each colours the others. `separate`: each alone, whatever their order.
    """

    def __init__(self, vqgan: VQGAN, unet: UNet, scheduler: SchedulerMixin, encoding: str = "separate"):
        super().__init__()
        self.register_modules(vqgan=vqgan, unet=unet, scheduler=scheduler)
        self.register_to_config(encoding=encoding)

    @torch.no_grad()
    def __call__(
        self,
        crops: Tensor,
        *,
        references: Sequence[Tensor | ReadReferences | None] | None = None,
        encoding: Encoding | None = None,
        guidance: float = 1.5,
        steps: int = 50,
        eta: float = 0.0,
        timetable: Timetable | None = None,
        samples: int = 1,
        noise: Tensor | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
    ) -> RefLDMOutput:
        """Restores faces.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than the nets' they are resized and back.
            references: for each face other pictures of that person, (n, 3, h, w) in [0, 1] and aligned, or what
                `read` made of them; n may differ. A face with none (n = 0 or None) is restored by the latent
                diffusion alone, without guidance.
            encoding: instead of the pipeline's own.
            guidance: s; 1 is none and takes half the time, the paper uses 1.5.
            steps: evaluations of the U-Net, 1 to 999; the paper uses 100 `leading` and 50 `trailing` ones.
            eta: 0 (deterministic, the paper's) to 1. Only DDIM knows it.
            timetable: `leading` (1, 1 + c, 1 + 2c, ...) or `trailing` (999, 999 - c, ...) with c = 1000 / steps;
                None takes the scheduler's own.
            samples: results wanted for each face.
            noise: that the chain begins with, (B * samples, c, h, w), or (1, c, h, w) for all; None draws it.
            generator: CPU generator(s) of the noise: one for each result, or one from which theirs are seeded.
            batch_size: faces that go through the nets at once.
            progress: called with (U-Net evaluations done, of how many).

        Raises:
            LimnerError: if a setting lies outside its range, or the references are not as many as the faces.
        """
        known = self._checked(references, len(crops), guidance, eta)
        results = len(crops) * samples
        generators = per_face(generator, results)
        size = self.size
        queries = fit_to(crops, size)
        batches = list(_batches([len(one) for one in known], samples, batch_size))
        images, latents = [Tensor()] * results, [Tensor()] * results
        read: dict[int, ReadReferences] = {}
        for number, chosen in enumerate(batches):
            scheduler = self.scheduler_for(steps, timetable)
            faces = [index // samples for index in chosen]
            read = self._read_all([known[face] for face in faces if len(known[face])], read, encoding, batch_size)
            caches = _caches([read[id(known[face])] for face in faces], guidance) if read else []
            query = self.encode(queries[faces])
            chosen_generators = [generators[index] for index in chosen]
            if noise is None:
                x = noise_like(query.shape[1:], chosen_generators, query.device)
            else:
                x = noise.expand(results, *query.shape[1:])[chosen].to(query)

            def done(step: int, number: int = number) -> None:
                if progress:
                    progress(number * steps + step, len(batches) * steps)

            latent = self.denoise(x, query, caches, scheduler, guidance, eta, chosen_generators, done)
            decoded = self.vqgan.decode(latent).float()
            for index, image, one in zip(chosen, (decoded * 0.5 + 0.5).clamp(0, 1).cpu(), latent.cpu(), strict=True):
                images[index], latents[index] = image, one
        return RefLDMOutput(
            images=restored_size(torch.stack(images), *crops.shape[-2:]),
            latents=torch.stack(latents),
        )

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.unet.config["sample_size"]) * self.vqgan.factor

    def encode(self, pictures: Tensor) -> Tensor:
        """E(y), not quantised: (B, 3, H, W) in [0, 1] to (B, c, h, w) float32."""
        return self.vqgan.encode(pictures.to(self.vqgan.device) * 2 - 1).float()

    def encode_references(self, references: Tensor, encoding: Encoding | None = None, batch_size: int = 8) -> Tensor:
        """E(x_i) of one person's references: (n, 3, h, w) in [0, 1] to (n, c, h', w') float32."""
        encoding = encoding or self.config["encoding"]
        if encoding not in ("wide", "separate"):
            raise LimnerError(f"There is no reference encoding '{encoding}': choose wide or separate.")
        pictures = fit_to(references, self.size)
        if encoding == "separate":
            return torch.cat([self.encode(some) for some in pictures.split(batch_size)])
        wide = torch.cat(list(pictures), dim=-1)[None]
        return torch.cat(self.encode(wide).chunk(len(pictures), dim=-1))

    @torch.no_grad()
    def read(
        self,
        references: Tensor,
        encoding: Encoding | None = None,
        batch_size: int = 8,
        zeroed: ReferenceCache | None = None,
    ) -> ReadReferences:
        """What the nets make of one person's references, to restore several faces or photographs with them.

        Args:
            references: (n, 3, h, w) in [0, 1], aligned; n at least 1.
            encoding: instead of the pipeline's own.
            batch_size: references that are encoded at once, where each is encoded alone.
            zeroed: of other references read by the same nets, as it is the same for all.
        """
        latents = self.encode_references(references, encoding, batch_size)[None]
        return ReadReferences(
            seen=self.unet.read_references(latents),
            zeroed=zeroed or self.unet.read_references(torch.zeros_like(latents[:, :1])),
        )

    def _read_all(
        self,
        references: Sequence[Tensor | ReadReferences],
        before: dict[int, ReadReferences],
        encoding: Encoding | None,
        batch_size: int,
    ) -> dict[int, ReadReferences]:
        """What the nets make of the references of a batch, by their `id`; `before` is what the last batch needed."""
        zeroed = next((one.zeroed for one in before.values()), None)
        read: dict[int, ReadReferences] = {}
        for one in references:
            if isinstance(one, ReadReferences):
                read[id(one)] = one
            elif id(one) not in read:
                read[id(one)] = before.get(id(one)) or self.read(one, encoding, batch_size, zeroed)
            zeroed = read[id(one)].zeroed
        return read

    def denoise(
        self,
        x: Tensor,
        query: Tensor,
        caches: Sequence[ReferenceCache],
        scheduler: Scheduler,
        guidance: float,
        eta: float,
        generators: list[torch.Generator],
        done: Callable[[int], None],
    ) -> Tensor:
        """Walks the chain from noise x to a latent, beside the query's latent E(y).

        `caches` are none, one (with the references) or two (without and with them), see `_caches`.
        """
        settings = {"eta": eta, "generator": generators} if isinstance(scheduler, DDIMScheduler) else {}
        for count, t in enumerate(scheduler.timesteps):
            times = torch.full((len(x),), int(t), device=x.device)
            predicted = self.unet(torch.cat([x, query], dim=1), times, caches or None).float()
            if len(caches) == 2:
                zeroed, seen = predicted.chunk(2)
                predicted = zeroed + guidance * (seen - zeroed)
            x = scheduler.step(predicted, int(t), x, **settings, return_dict=False)[0]
            done(count + 1)
        return x

    def scheduler_for(self, steps: int, timetable: Timetable | None = None) -> Scheduler:
        """A scheduler of its own for one batch, its timesteps set, as many as asked for.

        Raises:
            LimnerError: if there is no such timetable or number of steps.
        """
        return with_steps(self.scheduler, steps, timetable, "ReF-LDM takes 1 to 999 (the paper 50 or 100)")

    def _checked(
        self, references: Sequence[Tensor | ReadReferences | None] | None, faces: int, guidance: float, eta: float
    ) -> list[Tensor | ReadReferences]:
        if not 0 <= eta <= 1:
            raise LimnerError(f"eta is {eta}: ReF-LDM takes 0 (deterministic) to 1.")
        if not 0 <= guidance < math.inf:
            raise LimnerError(f"The guidance is {guidance}: ReF-LDM takes 1 (none) or more (the paper 1.5).")
        if references is not None and len(references) != faces:
            raise LimnerError(f"{faces} faces need {faces} sets of references (empty ones too), not {len(references)}.")
        return [_NONE if one is None else one for one in references or [None] * faces]


def _batches(counts: Sequence[int], samples: int, batch_size: int) -> Iterator[list[int]]:
    """Which results go through the nets together: faces with like numbers of references, so that little is computed
    for absent ones, and never faces without any beside faces with some."""
    order = sorted(range(len(counts) * samples), key=lambda index: counts[index // samples])
    without = [index for index in order if not counts[index // samples]]
    for group in (without, order[len(without) :]):
        yield from (group[first : first + batch_size] for first in range(0, len(group), batch_size))


def _caches(read: Sequence[ReadReferences], guidance: float) -> list[ReferenceCache]:
    """For a batch of faces: without (zeroed) and with references, or only with them where nothing guides."""
    one_person = all(one is read[0] for one in read)
    seen = read[0].seen if one_person else stack([one.seen for one in read])  # of one row, it counts for all
    if guidance == 1:
        return [seen]
    # The keys and values of zeros depend on the weights alone; how many they stand for differs from face to face.
    alike = read[0].zeroed
    counts = torch.tensor([[len(one)] for one in read], dtype=torch.float32, device=alike.layers[0][0].device)
    return [replace(alike, bias=counts.log()), seen]
