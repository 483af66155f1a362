"""What the restorer may ask of any method, and the loop that all methods share.

A method's own pipeline says how one batch of faces is sampled (`sample`), as its paper does: encode, enter the chain,
walk it, decode. What is around that stands here once: batches, a generator for each result, noise, progress.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.utils.outputs import BaseOutput
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.as_diffusers import AfterStep, CalledAsDiffusers
from limner.methods.crops import fit_to, noise_like, per_face, restored_size
from limner.methods.options import Options
from limner.methods.schedules import Scheduler

Predict = Callable[[Tensor, Tensor], Tensor]
"""A net's prediction from (noisy, timesteps (B,)), float32."""


@dataclass
class Restored(BaseOutput):
    """What a method returns; each method's own class has further fields.

    Attributes:
        images: restored faces, (B * samples, 3, H, W) float32 in [0, 1]; the samples of one face lie together.
    """

    images: Tensor

    PICTURES: ClassVar[tuple[str, ...]] = ("images",)
    """Fields that are pictures, of the size of the crops."""
    PER_FACE: ClassVar[tuple[str, ...]] = ()
    """Fields that have one row for each face, not for each result."""

    def on_the_way(self) -> dict[str, Tensor]:
        """Pictures that were made before the result, by name, one for each face: (B, 3, H, W) in [0, 1]."""
        return {}


@dataclass(frozen=True)
class ReadReferences:
    """What a method's nets made of a person's references: good for any number of faces and calls; each method has
    fields of its own besides `count`, how many they are."""

    count: int


References = Sequence[Tensor | ReadReferences | None]
"""For each face other pictures of that person, (n, 3, h, w) in [0, 1] and aligned, or what `read` made of them; n may
differ. None, or n = 0, is none."""


def count_of(references: Tensor | ReadReferences | None) -> int:
    """How many references there are of a face: (n, 3, h, w) are n, None is 0."""
    if references is None:
        return 0
    return len(references) if isinstance(references, Tensor) else references.count


@dataclass
class Batch:
    """Results that go through the nets together.

    Attributes:
        crops: (B, 3, S, S) in [0, 1], of the pipeline's size; of several samples of a face, as often.
        references: of each; empty where no face of the call has any.
        generators: of each one's noise, on the CPU.
        done: to be called with the evaluations done of this batch.
        most: pictures that may go through a net at once.
        given_noise: instead of drawn noise, (B, ...) or (1, ...).
        kept: what `sample` keeps for the batches that follow in the same call.
        after_step: see `FacePipeline.restore`.
    """

    crops: Tensor
    references: list[Tensor | ReadReferences | None]
    generators: list[torch.Generator]
    done: Callable[[int], None]
    most: int
    given_noise: Tensor | None = None
    kept: dict[int, Any] = field(default_factory=dict)
    after_step: AfterStep | None = None

    def noise(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """The noise that the chain begins with.

        Args:
            shape: of one result.
            device: where it goes.

        Returns:
            (B, *shape) float32, drawn from the results' generators unless the caller gave it.
        """
        if self.given_noise is None:
            return noise_like(shape, self.generators, device)
        return self.given_noise.expand(len(self.crops), *shape).to(device, torch.float32)

    def walk(
        self,
        x: Tensor,
        scheduler: Scheduler,
        timesteps: Iterable[Tensor],
        predict: Predict,
        eta: float,
        correct: Callable[[Tensor, int], Tensor] | None = None,
    ) -> Tensor:
        """Walks the reverse chain with this batch's generators and progress; arguments and result as for `walk`."""
        return walk(x, scheduler, timesteps, predict, eta, self.generators, self.done, correct, self.after_step)


class FacePipeline(CalledAsDiffusers, DiffusionPipeline, ABC):
    """A method on aligned crops; `restore` is limner's own way to call it, and calling it itself that of diffusers.

    Args:
        defaults: options that suit the weights, by name; they are saved with the pipeline.

    Attributes:
        paper: the options that hold where neither the caller nor the weights say others.
        without_diffusion: what the net is called whose picture 0 steps give; None if the method takes no 0.
    """

    paper: ClassVar[Options]
    without_diffusion: ClassVar[str | None] = None

    def __init__(self, defaults: Mapping[str, Any] | None = None, **nets: Any):
        """Each method's own names its nets and its scheduler."""
        super().__init__()
        self.register_to_config(defaults=dict(defaults or {}))

    @property
    def options(self) -> Any:
        """What a call runs with where it gives nothing: what suits the weights, else the paper's.

        Raises:
            LimnerError: if the defaults that were saved with the weights can't be.
        """
        return self.paper.but(self.config["defaults"])

    @property
    @abstractmethod
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""

    @abstractmethod
    def sample(self, batch: Batch, options: Any) -> Restored:
        """Restores one batch; the fields of the result have a row for each of its crops.

        Args:
            batch: see `Batch`.
            options: of the method's own class.
        """

    def read(self, references: Tensor, *, batch_size: int = 8, **options: Any) -> ReadReferences:
        """What the nets make of one person's references, to restore several faces or photographs with them.

        Args:
            references: (n, 3, h, w) in [0, 1], aligned; n at least 1.
            batch_size: of them that go through the nets at once.
            options: fields of the method's options; the others suit the weights.

        Raises:
            LimnerError: if the method has no use for references.
        """
        raise LimnerError(f"The method '{self.paper.info.name}' can't use references: leave them out.")

    def ceilings(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """What no restoration by the method can beat, by what it is called: from faces, (B, 3, S, S) in [0, 1], to what
        the method makes of the truth itself, likewise. Methods that share an autoencoder share the name; a method that
        works on pixels has none."""
        return {}

    def batches(self, references: References, samples: int, batch_size: int) -> Iterable[list[int]]:
        """Which results go through the nets together.

        Args:
            references: of each face, None where it has none.
            samples: results for each face; result n is of face n // samples.
            batch_size: results at most in a batch.

        Returns:
            The results' numbers of each batch; every result is in one.
        """
        results = range(len(references) * samples)
        return (list(results[first : first + batch_size]) for first in range(0, len(results), batch_size))

    @torch.no_grad()
    def restore(
        self,
        crops: Tensor,
        *,
        references: References | None = None,
        samples: int = 1,
        noise: Tensor | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
        after_step: AfterStep | None = None,
        **options: Any,
    ) -> Any:
        """Restores faces; returns the method's own `Restored`.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than the nets' they are resized and back.
            references: see `References`; None where there are none.
            samples: results wanted for each face.
            noise: that the chain begins with, (B * samples, c, h, w), or (1, c, h, w) for all; None draws it.
            generator: CPU generator(s) of the noise: one for each result, or one from which theirs are seeded.
            batch_size: results that go through the nets at once.
            progress: called with (net evaluations done, of how many), counted for each result.
            after_step: called after each step of a batch with (steps done, timestep, noisy sample); the chain goes on
                with the sample that it returns.
            options: fields of the method's options (`methods/options.py`); the others suit the weights.

        Raises:
            LimnerError: if an option doesn't exist or lies outside its range, or references and faces differ in number.
        """
        asked, known = self.options.but(options), _of_each(references, len(crops))
        evaluations, results = max(asked.steps, 1), len(crops) * samples
        generators = per_face(generator, results)
        pictures, kept = fit_to(crops, self.size), {}
        order: list[int] = []
        outputs: list[Restored] = []
        for numbers in self.batches(known, samples, batch_size):
            of = [number // samples for number in numbers]
            before = len(order) * evaluations

            def done(steps: int, before: int = before, at_once: int = len(numbers)) -> None:
                if progress:
                    progress(before + steps * at_once, results * evaluations)

            batch = Batch(
                crops=pictures[of],
                references=[known[face] for face in of] if any(one is not None for one in known) else [],
                generators=[generators[number] for number in numbers],
                done=done,
                most=batch_size,
                given_noise=noise if noise is None or len(noise) == 1 else noise[numbers],
                kept=kept,
                after_step=after_step,
            )
            outputs.append(_on_cpu(self.sample(batch, asked)))
            done(evaluations)
            order += numbers
        return _together(outputs, order, samples, crops.shape[-2:])


class LatentPipeline(FacePipeline):
    """A method whose chain runs in the latent of an autoencoder, `vqgan`, pictures in [-1, 1]."""

    ceiling_name: ClassVar[str] = "ceiling"
    """What its ceiling is called."""

    def encode(self, pictures: Tensor) -> Tensor:
        """E, not quantised: from pictures, (B, 3, H, W) in [0, 1], to latents, (B, c, h, w) float32 of deviation 1."""
        return self.vqgan.encode(pictures.to(self.vqgan.device) * 2 - 1).float()

    def decode(self, latent: Tensor) -> Tensor:
        """The autoencoder's decoder after its quantiser: from latents, (B, c, h, w), to pictures, (B, 3, H, W) float32
        in [0, 1]."""
        return (self.vqgan.decode(latent).float() * 0.5 + 0.5).clamp(0, 1)

    @torch.no_grad()
    def rebuild(self, pictures: Tensor) -> Tensor:
        """Faces through encoder, quantiser and decoder, from (B, 3, S, S) in [0, 1] to the same."""
        return self.decode(self.encode(pictures))

    def ceilings(self) -> dict[str, Callable[[Tensor], Tensor]]:
        """The way of the truth through the autoencoder, which no restoration in that latent can beat."""
        return {self.ceiling_name: self.rebuild}


def walk(
    x: Tensor,
    scheduler: Scheduler,
    timesteps: Iterable[Tensor],
    predict: Predict,
    eta: float,
    generators: list[torch.Generator],
    done: Callable[[int], None] | None = None,
    correct: Callable[[Tensor, int], Tensor] | None = None,
    after_step: AfterStep | None = None,
) -> Tensor:
    """Walks the reverse chain from a noisy x through the timesteps, descending, and returns the clean sample.

    Args:
        x: (B, ...), float32.
        scheduler: its timesteps set.
        timesteps: at which the net is asked.
        predict: the net.
        eta: 0 (deterministic) to 1. Only DDIM knows it.
        generators: of each row's noise, on the CPU.
        done: called with the number of steps done.
        correct: from the step's estimate of the clean sample and its timestep, what is added after the step; DDIM alone
            has such an estimate.
        after_step: see `FacePipeline.restore`.
    """
    settings = {"eta": eta, "generator": generators} if isinstance(scheduler, DDIMScheduler) else {}
    for count, t in enumerate(timesteps):
        level = torch.full((len(x),), int(t), device=x.device)
        step = scheduler.step(predict(x, level), int(t), x, **settings, return_dict=False)
        x = step[0]
        if correct:
            x = x + correct(step[1], int(t))
        if after_step:
            x = after_step(count + 1, int(t), x)
        if done:
            done(count + 1)
    return x


def _of_each(references: References | None, faces: int) -> list[Tensor | ReadReferences | None]:
    """The references of each face, None where it has none.

    Raises:
        LimnerError: if they are of more faces or of fewer.
    """
    if references is not None and len(references) != faces:
        raise LimnerError(f"{faces} faces need {faces} sets of references (empty ones too), not {len(references)}.")
    return [one if count_of(one) else None for one in references or [None] * faces]


def _on_cpu(out: Restored) -> Restored:
    return type(out)(**{name: part.cpu() for name, part in out.items()})


def _together(outputs: Sequence[Restored], order: Sequence[int], samples: int, size: Sequence[int]) -> Restored:
    """The results of all batches, in the order of the faces, their pictures of the size of the crops."""
    kind = type(outputs[0])
    back = torch.tensor(order).argsort()
    merged: dict[str, Tensor] = {}
    for one in fields(kind):
        parts = [out[one.name] for out in outputs if one.name in out]  # what is None is left out
        if not parts:
            continue
        rows = torch.cat(parts)[back]
        if one.name in kind.PER_FACE:
            rows = rows[::samples]
        merged[one.name] = restored_size(rows, *size) if one.name in kind.PICTURES else rows
    return kind(**merged)
