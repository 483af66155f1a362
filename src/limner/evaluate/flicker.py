"""How much a restored clip flickers: frame by frame, and steadied.

    python -m limner.evaluate.flicker --data FACES [--frames 72] [--damage ffhq-ref-moderate] [--clear 6]

A made clip (`made_clip.py`) is restored as so many photographs and as a clip. Flicker is the mean difference of
neighbouring frames in the face, of 255, both laid on the known path of the face; PSNR and identity are those of the
face against the truth there. Grain is left out of all, for it shall move. With a method that can use references, the
clip is restored with its clearest frames and without; a frame that is left undamaged for that isn't measured itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.evaluate.dlib_identity import dlib_recogniser
from limner.evaluate.made_clip import CROP, MadeClip, made_clip, write_made_clip
from limner.faces.align import crop
from limner.faces.paste import face_mask
from limner.methods import find_method
from limner.photo.photo import Photo
from limner.pixels import to_tensor
from limner.restorer import Restorer
from limner.settings import Settings
from limner.video.clip import ClipSaving, restore_clip
from limner.video.picture import View
from limner.video.read import clip_info, frames_of

FACE = face_mask(CROP) > 0.9
"""Where flicker and PSNR are measured: the face, without the slope at its border."""


@dataclass(frozen=True)
class Measured:
    """A clip's figures.

    Attributes:
        flicker: mean absolute difference of neighbours, of 255.
        psnr: mean over the frames, in dB.
        identity: mean cosine with the truth by dlib's recogniser; None where that isn't installed.
    """

    flicker: float
    psnr: float
    identity: float | None


def measured(frames: Sequence[np.ndarray], clip: MadeClip, recogniser: object = None) -> Measured:
    """Measures frames against the truth.

    Args:
        frames: (H, W, 3) uint8 each.
        clip: that they are of.
        recogniser: dlib's; None leaves identity out.
    """
    laid = [crop(frame, matrix, CROP) for frame, matrix in zip(frames, clip.matrices, strict=True)]
    truth = [crop(frame, matrix, CROP) for frame, matrix in zip(clip.truth, clip.matrices, strict=True)]
    wrong = [
        np.square(one[FACE].astype(np.float64) - other[FACE]).mean() for one, other in zip(laid, truth, strict=True)
    ]
    return Measured(
        float(np.mean([np.abs(a[FACE].astype(np.float64) - b[FACE]).mean() for a, b in pairwise(laid)])),
        float(np.mean(10 * np.log10(255**2 / np.maximum(wrong, 1e-6)))),
        None if recogniser is None else _identity(recogniser, laid, truth),
    )


@torch.no_grad()
def _identity(recogniser, laid: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    vectors = [recogniser(torch.stack([to_tensor(one) for one in pictures])) for pictures in (laid, truth)]
    return float((vectors[0] * vectors[1]).sum(1).mean())


def frames_in(path: Path) -> list[np.ndarray]:
    """All frames of a clip as limner sees them, (H, W, 3) uint8 each."""
    info = clip_info(path)
    view = View(info, info.pixels)
    return [view.shown(frame) for frame in frames_of(info)]


def frame_by_frame(restorer: Restorer, path: Path) -> list[np.ndarray]:
    """A clip restored as so many photographs."""
    return [restorer.restore(Photo(frame, "PNG")).photo.pixels for frame in frames_in(path)]


def steady(restorer: Restorer, path: Path, folder: Path, **saving: object) -> list[np.ndarray]:
    """A clip restored as one, stored without loss."""
    target = folder / "steady.mkv"
    restore_clip(restorer, path, target, replace(ClipSaving(codec="ffv1"), **saving))  # type: ignore[arg-type]  # fields
    return frames_in(target)


def compared(
    settings: Settings, clip: MadeClip, folder: Path, recogniser: object = None, clear: Sequence[int] = ()
) -> Mapping[str, Measured]:
    """The figures of the truth, of the damaged clip, and of both ways; not of the frames that are `clear`."""
    path, restorer = folder / "made.mkv", Restorer(settings)
    write_made_clip(clip, path)
    rows = {"truth": clip.truth, "damaged": frames_in(path)}
    rows["frame by frame"] = frame_by_frame(restorer, path)
    if find_method(settings.method).references:
        rows["steady, without references"] = steady(restorer, path, folder, own_references=False)
        (folder / "steady.mkv").unlink()
    rows["steady"] = steady(restorer, path, folder)
    kept = [number for number in range(len(clip.truth)) if number not in clear]
    return {
        name: measured([frames[number] for number in kept], clip.some(kept), recogniser)
        for name, frames in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.flicker", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--frames", type=int, default=72, help="of the clip, 24 a second")
    parser.add_argument("--side", type=int, default=320, help="of a frame in pixels")
    parser.add_argument("--face", type=int, default=0, help="which of the test faces of 512 px")
    parser.add_argument("--damage", default="ffhq-ref-moderate", help="a preset, drawn anew for each frame")
    parser.add_argument("--method", default="difface")
    parser.add_argument("--clear", type=int, nargs="*", default=[], help="frames that are left undamaged")
    arguments = parser.parse_args()
    faces = FaceSet.open(arguments.data, "test")
    large = [place for place, side in enumerate(faces.sides) if side == 512]
    face = faces.read(large[arguments.face], 512)
    clip = made_clip([face], arguments.damage, arguments.frames, arguments.side, arguments.clear)
    settings = Settings(method=arguments.method, grain=False)
    print(f"{arguments.frames} frames of {arguments.side} px, {arguments.damage}, {arguments.method}, without grain")
    print("| | flicker of 255 | PSNR dB | identity (dlib) |")
    print("|---|---|---|---|")
    with TemporaryDirectory() as folder:
        rows = compared(settings, clip, Path(folder), dlib_recogniser(), arguments.clear)
        for name, one in rows.items():
            print(f"| {name} | {one.flicker:.2f} | {one.psnr:.2f} | {one.identity:.3f} |")


if __name__ == "__main__":
    main()
