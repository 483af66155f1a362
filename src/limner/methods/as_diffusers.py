"""A pipeline called as users of diffusers call one: their names, pictures in and out, and their callback, translated
here and nowhere else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from limner.errors import LimnerError
from limner.pixels import to_picture, to_tensor

OUR_NAMES = {"num_inference_steps": "steps", "guidance_scale": "guidance", "latents": "noise"}
"""What limner calls the arguments that diffusers' pipelines share."""

Picture = Image.Image | np.ndarray | Tensor
OutputType = Literal["pil", "pt", "np"]
AfterStep = Callable[[int, int, Tensor], Tensor]
"""From (steps done, timestep, noisy sample) to the sample that the chain goes on with."""
StepEnd = Callable[[Any, int, int, dict[str, Any]], Mapping[str, Any] | None]
"""diffusers' callback: (pipeline, number of the step from 0, timestep, the tensors that it asked for), to those of them
that it changed."""


class CalledAsDiffusers:
    """What makes a pipeline of `restore` that is called as diffusers' own are."""

    _callback_tensor_inputs = ("latents",)

    @abstractmethod
    def restore(self, crops: Tensor, **given: Any) -> Any:
        """Restores faces."""

    def __call__(
        self,
        image: Picture | Sequence[Picture],
        *,
        output_type: OutputType | None = None,
        return_dict: bool = True,
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        **given: Any,
    ) -> Any:
        """Restores faces, asked in diffusers' words or limner's.

        Args:
            image: aligned faces of one size: a picture of Pillow's, (H, W, 3) uint8 or float32 in [0, 1], (3, H, W) or
                (B, 3, H, W) float32 in [0, 1], or a list of such.
            output_type: of the result's `images`: `pil`, a list of pictures of Pillow's; `np`, (B * samples, H, W, 3)
                float32 in [0, 1]; `pt`, (B * samples, 3, H, W) likewise. None is `pil` for Pillow's, `pt` for others.
            return_dict: False gives the fields of the result as a tuple, `images` first.
            callback_on_step_end: called after each step of a batch with (pipeline, number of the step from 0, timestep,
                tensors); the `latents` that it returns are gone on with.
            callback_on_step_end_tensor_inputs: the tensors that it wants: `latents`, the noisy sample, or none.
            given: as for `restore`; `num_inference_steps`, `guidance_scale` and `latents` are understood.

        Returns:
            The method's own `Restored`.

        Raises:
            LimnerError: what `restore` raises, and for pictures, types and tensors that can't be.
        """
        if output_type is not None and output_type not in get_args(OutputType):
            raise LimnerError(f"There is no output type '{output_type}': choose {', '.join(get_args(OutputType))}.")
        pictures = list(image) if isinstance(image, Sequence) else [image]
        after_step = self._after_step(callback_on_step_end, callback_on_step_end_tensor_inputs)
        out = self.restore(crops_of(pictures), after_step=after_step, **in_our_names(given))
        out.images = converted(out.images, output_type or ("pil" if isinstance(pictures[0], Image.Image) else "pt"))
        return out if return_dict else out.to_tuple()

    def _after_step(self, callback: StepEnd | None, wanted: Sequence[str]) -> AfterStep | None:
        if callback is None:
            return None
        if others := set(wanted) - set(self._callback_tensor_inputs):
            raise LimnerError(f"A callback can have the tensors latents, not {', '.join(sorted(others))}.")

        def after_step(done: int, timestep: int, sample: Tensor) -> Tensor:
            changed = callback(self, done - 1, timestep, {"latents": sample} if wanted else {})
            return (changed or {}).get("latents", sample)

        return after_step


def in_our_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by limner's names; what is None was not given.

    Raises:
        LimnerError: if one is given by both names, or a generator isn't the CPU's.
    """
    named: dict[str, Any] = {}
    for name, value in given.items():
        ours = OUR_NAMES.get(name, name)
        if value is None and name in OUR_NAMES:
            continue
        if ours in named:
            raise LimnerError(f"{ours} is given twice, by limner's name and by diffusers': leave out one.")
        named[ours] = value
    generators = named.get("generator")
    for one in generators if isinstance(generators, Sequence) else [generators]:
        if isinstance(one, torch.Generator) and one.device.type != "cpu":
            raise LimnerError(f"Noise is drawn on the CPU, not on {one.device}: give a torch.Generator() as it is.")
    return named


def crops_of(pictures: Sequence[Picture]) -> Tensor:
    """Aligned faces as `restore` takes them, (B, 3, H, W) float32 in [0, 1], see `CalledAsDiffusers.__call__`.

    Raises:
        LimnerError: if they aren't RGB, of one size and in that range.
    """
    crops = [_crop_of(one) for one in pictures]
    if not crops or len({one.shape[1:] for one in crops}) > 1:
        raise LimnerError("The faces must be one or several, all of one size: call once for each size.")
    together = torch.cat(crops)
    if not ((together > -0.01) & (together < 1.01)).all():
        raise LimnerError("The faces must lie in [0, 1]: divide 0 to 255 by 255, and halve -1 to 1 and add 0.5.")
    return together


def _crop_of(picture: Picture) -> Tensor:
    """One or several pictures as (B, 3, H, W)."""
    if isinstance(picture, Image.Image):
        if picture.mode[0] in "IF":
            raise LimnerError(f"A picture of mode {picture.mode} has no plain 8-bit colours: convert it to RGB first.")
        picture = np.asarray(picture.convert("RGB"))
    if isinstance(picture, np.ndarray):
        stack = picture if picture.ndim == 4 else picture[None]
        if stack.ndim == 4 and stack.shape[-1] == 3:
            eight = stack.dtype == np.uint8
            return torch.stack([to_tensor(one) for one in stack]) if eight else _channels_first(stack)
    elif isinstance(picture, Tensor) and picture.is_floating_point():
        stack = picture if picture.ndim == 4 else picture[None]
        if stack.ndim == 4 and stack.shape[1] == 3:
            return stack.float()
    raise LimnerError("A face must be a picture of Pillow's, (H, W, 3) uint8 or float, or (3, H, W) float.")


def _channels_first(stack: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(stack.transpose(0, 3, 1, 2), dtype=np.float32))


def converted(images: Tensor, output_type: OutputType) -> Tensor | np.ndarray | list[Image.Image]:
    """Results, (B, 3, H, W) in [0, 1], as diffusers' output types, see `CalledAsDiffusers.__call__`."""
    if output_type == "pt":
        return images
    if output_type == "np":
        return images.permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(to_picture(one)) for one in images]
