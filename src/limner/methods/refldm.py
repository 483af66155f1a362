"""ReF-LDM (Hsiao et al., arXiv 2412.05043): latent diffusion from a degraded face, with other photographs of the same
person as references.

A VQGAN's encoder E and decoder D lead into a latent space and back. There a U-Net sees the noisy latent beside that of
the degraded face y, and in every self-attention layer also the references x_1 .. x_n ("CacheKV"):

    K = [K(z_t), K(E(x_1)), ..., K(E(x_n))]        V alike        queries from z_t alone

The references' keys and values come from the same U-Net at timestep 0, with nothing in the place of E(y), and are
computed once for all steps. Guidance compares with references whose latents are zero (the paper's eq. 6, and
docs/methods/refldm.md, eq. (7)):

    eps = eps_u + s (eps_c - eps_u)        eps_c, eps_u = eps(z_t, t, E(y), {E(x_i)}), eps(z_t, t, E(y), {0})

Latents are never quantised but at the very end, on the way into D.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.methods.crops import fit_to
from limner.methods.method import Method, Nets, saved_config
from limner.methods.options import Encoding, RefLDMOptions, TimestepSpacing
from limner.methods.pipeline import Batch, LatentPipeline, ReadReferences, References, Restored, count_of
from limner.methods.schedules import Scheduler, refldm_schedule, with_steps
from limner.nets.cachekv import ReferenceCache, stack
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights.load import Part, WeightsInfo, load_parts


@dataclass
class RefLDMOutput(Restored):
    """What ReF-LDM returns.

    Attributes:
        latents: of the faces before they were quantised and decoded, (B * samples, c, h, w) float32.
    """

    latents: Tensor


@dataclass(frozen=True)
class CachedReferences(ReadReferences):
    """References of one person as the nets have read them.

    Attributes:
        seen: their keys and values, batch of 1.
        zeroed: keys and values of a single zero latent, batch of 1: n alike ones weigh like one with log n added to
            its logits.
    """

    seen: ReferenceCache
    zeroed: ReferenceCache


class RefLDMPipeline(LatentPipeline):
    """ReF-LDM on aligned crops; called as `FacePipeline`, with the options of `RefLDMOptions`. A face without
    references is restored by the latent diffusion alone, without guidance.

    Args:
        vqgan: E and D, pictures in [-1, 1].
        unet: noise (or the clean latent, as the scheduler's `prediction_type` says) from [z_t, E(y)].
        scheduler: any diffusers scheduler over the training schedule; `DDIMScheduler` is the paper's.
        encoding: how the U-Net was trained to see references. `wide`: E sees all of a face in one picture side by
            side, as the authors have it, so that each colours the others. `separate`: each alone, whatever their order.
        defaults: see `FacePipeline`.
    """

    paper: ClassVar[RefLDMOptions] = RefLDMOptions()

    def __init__(
        self,
        vqgan: VQGAN,
        unet: UNet,
        scheduler: SchedulerMixin,
        encoding: str = "separate",
        defaults: Mapping[str, Any] | None = None,
    ):
        super().__init__(defaults)
        self.register_modules(vqgan=vqgan, unet=unet, scheduler=scheduler)
        self.register_to_config(encoding=encoding)

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.unet.config["sample_size"]) * self.vqgan.factor

    def sample(self, batch: Batch, options: RefLDMOptions) -> RefLDMOutput:
        """Walks from noise to a latent, given that of the degraded face and the references' keys and values
        (docs/methods/refldm.md, eq. (4) to (9)).

        Args:
            batch: of degraded faces, all with references or all without.
            options: how the chain is walked.

        Raises:
            LimnerError: if there is no such number of steps.
        """
        scheduler = self.scheduler_for(options.steps, options.timestep_spacing)
        caches = self.caches(batch, options)
        query = self.encode(batch.crops)
        latent = self.denoise(batch.noise(query.shape[1:], query.device), query, caches, scheduler, options, batch)
        return RefLDMOutput(self.decode(latent), latent)

    def denoise(
        self,
        x: Tensor,
        query: Tensor,
        caches: Sequence[ReferenceCache],
        scheduler: Scheduler,
        options: RefLDMOptions,
        batch: Batch,
    ) -> Tensor:
        """Walks the chain from noise to a clean latent, with guidance where there are two caches
        (docs/methods/refldm.md, eq. (7), (9)).

        Args:
            x: noise, (B, c, h, w) float32.
            query: E(y), of the same shape.
            caches: none; one, with the references; or two, without and with them; see `caches`.
            scheduler: its timesteps set.
            options: the guidance, and the chain's eta.
            batch: whose generators and progress are used.

        Returns:
            The clean latent, (B, c, h, w) float32.
        """

        def predict(x: Tensor, level: Tensor) -> Tensor:
            predicted = self.unet(torch.cat([x, query], dim=1), level, caches or None).float()
            if len(caches) == 2:
                zeroed, seen = predicted.chunk(2)
                predicted = zeroed + options.guidance * (seen - zeroed)
            return predicted

        return batch.walk(x, scheduler, scheduler.timesteps, predict, options.eta)

    def caches(self, batch: Batch, options: RefLDMOptions) -> list[ReferenceCache]:
        """What the references of a batch are attended to by.

        Args:
            batch: of faces, all with references or all without; what is read stays in its `kept`.
            options: how references are encoded, and the guidance.

        Returns:
            An empty list without references; with them the cache of zeroed references and theirs, or where nothing
                guides (a guidance of 1) theirs alone.
        """
        known = [one for one in batch.references if one is not None]
        if not known:
            return []
        before = dict(batch.kept)
        batch.kept.clear()  # of earlier batches only what this one needs: keys and values are large
        zeroed = next((one.zeroed for one in before.values()), None)
        for one in known:
            if not isinstance(one, Tensor):
                batch.kept[id(one)] = one
            elif id(one) not in batch.kept:
                batch.kept[id(one)] = before.get(id(one)) or self._read(one, options.encoding, batch.most, zeroed)
            zeroed = batch.kept[id(one)].zeroed
        return _caches([batch.kept[id(one)] for one in known], options.guidance)

    def read(self, references: Tensor, *, batch_size: int = 8, **options: Any) -> CachedReferences:
        """Reads one person's references; arguments as for `FacePipeline.read`, and of the options `encoding` counts."""
        return self._read(references, self.options.but(options).encoding, batch_size, None)

    @torch.no_grad()
    def _read(
        self, references: Tensor, encoding: Encoding | None, batch_size: int, zeroed: ReferenceCache | None
    ) -> CachedReferences:
        """Reads references; `zeroed` is of others read by the same nets, as it is the same for all."""
        latents = self.encode_references(references, encoding, batch_size)[None]
        return CachedReferences(
            count=len(references),
            seen=self.unet.read_references(latents),
            zeroed=zeroed or self.unet.read_references(torch.zeros_like(latents[:, :1])),
        )

    def encode_references(self, references: Tensor, encoding: Encoding | None = None, batch_size: int = 8) -> Tensor:
        """E(x_i) of one person's references.

        Args:
            references: (n, 3, h, w) in [0, 1]; of another size than the nets' they are resized.
            encoding: `wide` or `separate`, instead of the pipeline's own.
            batch_size: references that go through E at once, if `separate`.

        Returns:
            (n, c, h', w') float32.
        """
        pictures = fit_to(references, self.size)
        if (encoding or self.config["encoding"]) == "separate":
            return torch.cat([self.encode(some) for some in pictures.split(batch_size)])
        wide = torch.cat(list(pictures), dim=-1)[None]
        return torch.cat(self.encode(wide).chunk(len(pictures), dim=-1))

    def batches(self, references: References, samples: int, batch_size: int) -> Iterable[list[int]]:
        """Which results go through the nets together: faces with like numbers of references, so that little is computed
        for absent ones, and never faces without any and faces with some. Arguments as for `FacePipeline.batches`."""
        counts = [count_of(one) for one in references]
        order = sorted(range(len(counts) * samples), key=lambda result: counts[result // samples])
        without = [result for result in order if not counts[result // samples]]
        for group in (without, order[len(without) :]):
            yield from (group[first : first + batch_size] for first in range(0, len(group), batch_size))

    def scheduler_for(self, steps: int, timestep_spacing: TimestepSpacing | None = None) -> Scheduler:
        """A scheduler of its own for one batch, its timesteps set, as many as asked for.

        Args:
            steps: 1 to 999.
            timestep_spacing: `leading` or `trailing`, instead of the pipeline's own.

        Raises:
            LimnerError: if there is no such number of steps.
        """
        return with_steps(self.scheduler, steps, timestep_spacing, "ReF-LDM takes 1 to 999 (the paper 50 or 100)")


def _caches(read: Sequence[CachedReferences], guidance: float) -> list[ReferenceCache]:
    """For a batch of faces: without (zeroed) and with references, or only with them where nothing guides."""
    one_person = all(one is read[0] for one in read)
    seen = read[0].seen if one_person else stack([one.seen for one in read])  # of one row, it counts for all
    if guidance == 1:
        return [seen]
    # The keys and values of zeros depend on the weights alone; how many they stand for differs from face to face.
    alike = read[0].zeroed
    counts = torch.tensor([[one.count] for one in read], dtype=torch.float32, device=alike.layers[0][0].device)
    return [replace(alike, bias=counts.log()), seen]


NETS = {"vqgan": Part("vqgan", (VQGAN,)), "unet": Part("refldm", (UNet,))}


def published_folder(source: str) -> bool:
    """Whether `source` is a folder with the authors' files rather than with nets of ours."""
    return source not in ("mini", "official") and (Path(source) / "refldm.ckpt").is_file()


def _published(source: str) -> tuple[Nets, WeightsInfo] | None:
    if not published_folder(source):
        return None
    nets, info = load_parts(REFLDM.info.name, NETS, "official", Path(source))
    return nets.nets, replace(info, name=source)


def _encoding(source: str) -> dict[str, Any]:
    """How references are encoded: a folder of ours says it in its `model_index.json`, as a saved pipeline does; the
    authors' files want them side by side."""
    if source == "official" or published_folder(source):
        return {"encoding": "wide"}
    return {"encoding": str(saved_config(source).get("encoding", "separate"))}


REFLDM = Method(
    pipeline=RefLDMPipeline,
    nets=NETS,
    schedule=refldm_schedule,
    scheduled_by="unet",
    published=True,
    mini=RefLDMOptions(steps=1, guidance=2.0, timestep_spacing="trailing"),
    mini_finish=2,
    other_source=_published,
    config=_encoding,
)
"""The embedded weights' options, on 24 validation faces, severe: without references a second step costs 0.45 dB and
.012 of likeness by HOG; with a varied copy as reference it costs 0.26 dB and gives .017. Other photographs show less
than a varied copy does. Sharpness is the finish's part. A guidance of 2 instead of 1.5 is truer to the person for 0.14
dB (20 faces, 5 steps, earlier weights)."""
