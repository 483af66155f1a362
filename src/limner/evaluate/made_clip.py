"""A made clip: a face that moves, turns and scales on a known path, every frame damaged anew, a tone as its sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from limner.degrade.degrade import degrade
from limner.faces.align import invert, scaled, warp
from limner.video.pyav import pyav

RATE = 24
TIME_BASE = Fraction(1, 12_000)
TONE, SAMPLES = 440, 48_000  # hertz, samples a second
CROP = 256
"""Side in pixels of the aligned crop to which the path leads."""


@dataclass(frozen=True, eq=False)
class MadeClip:
    """A clip of which everything is known.

    Attributes:
        truth, damaged: frames, (H, W, 3) uint8 each.
        matrices: of each the 2x3 from the frame to the face's aligned crop of `CROP` px.
        times: of each, in `TIME_BASE`.
    """

    truth: list[np.ndarray]
    damaged: list[np.ndarray]
    matrices: list[np.ndarray]
    times: list[int]

    def some(self, numbers: Sequence[int]) -> MadeClip:
        """These frames alone."""
        truth, damaged, matrices = (
            [part[number] for number in numbers] for part in (self.truth, self.damaged, self.matrices)
        )
        return MadeClip(truth, damaged, matrices, [self.times[number] for number in numbers])


def made_clip(
    faces: Sequence[np.ndarray],
    preset: str,
    frames: int = 72,
    side: int = 320,
    clear: Sequence[int] = (),
    varying: bool = False,
    seed: int = 0,
) -> MadeClip:
    """Makes a clip.

    Args:
        faces: aligned crops, (S, S, 3) uint8, one for each shot; shots are equally long.
        preset: of the damage, drawn anew for each frame (`limner.degrade.degrade`).
        frames: how many.
        side: of them in pixels.
        clear: frames that are not damaged.
        varying: whether some frames are shown twice as long.
        seed: of damage and times.
    """
    generator, scenes = np.random.default_rng(seed), [_scene(face) for face in faces]
    truth, damaged, matrices = [], [], []
    for number in range(frames):
        face = scenes[number * len(faces) // frames]
        matrix = path(number / RATE, side)
        picture = warp(face, invert(_to_scene(matrix, len(face))), side, side)
        truth.append(picture)
        damaged.append(picture if number in clear else degrade(picture, preset, generator))
        matrices.append(matrix)
    lengths = np.where(generator.random(frames) < (0.3 if varying else 0), 2, 1) * int(1 / (RATE * TIME_BASE))
    times = np.concatenate([[0], np.cumsum(lengths)[:-1]]).tolist()
    return MadeClip(truth, damaged, matrices, times)


def path(time: float, side: int) -> np.ndarray:
    """From a frame of `side` px to the crop, 2x3, at a second: the face moves by a tenth of the frame, turns by 12
    degrees to either side, and grows and shrinks by an eighth."""
    scale = CROP / (0.75 * side) * (1 + np.sin(2 * np.pi * time / 2.5) / 8)
    turn = np.radians(12) * np.sin(2 * np.pi * time / 3.1)
    x, y = 0.05 * side * np.sin(2 * np.pi * time / 1.9), 0.05 * side * np.cos(2 * np.pi * time / 2.3)
    linear = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    centre = np.array([side / 2 + x, side / 2 + y])
    return np.hstack([linear, (np.full(2, CROP / 2) - linear @ centre)[:, None]])


def _scene(face: np.ndarray) -> np.ndarray:
    """A crop amid what its edge shows, blurred, twice as large each way."""
    size = len(face)
    half = size // 2
    around = cv2.copyMakeBorder(face, half, half, half, half, cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(around, (0, 0), size / 16)
    inside = np.zeros((2 * size, 2 * size, 1), np.float32)
    inside[half:-half, half:-half] = 1
    share = np.minimum(inside, cv2.GaussianBlur(inside, (0, 0), size / 64)[..., None] * 2 - 1).clip(0, 1)
    return np.rint(blurred + share * (around.astype(np.float32) - blurred)).astype(np.uint8)


def _to_scene(matrix: np.ndarray, size: int) -> np.ndarray:
    """From a frame to the scene of `size` px, of a matrix to the crop in its middle."""
    scaled_up = scaled(matrix, size / 2 / CROP)
    scaled_up[:, 2] += size / 4
    return scaled_up


def write_made_clip(clip: MadeClip, target: Path) -> None:
    """Writes a clip without loss, with a tone: Matroska with FFV1 and FLAC.

    Args:
        clip: to write.
        target: ending in .mkv.
    """
    av = pyav()
    with av.open(str(target), "w", format="matroska", container_options={"fflags": "+bitexact"}) as file:
        picture = file.add_stream("ffv1", rate=RATE)
        picture.height, picture.width = clip.truth[0].shape[:2]
        picture.pix_fmt = "yuv420p"
        picture.codec_context.time_base = picture.time_base = TIME_BASE
        sound = file.add_stream("flac", rate=SAMPLES)
        sound.codec_context.layout = "mono"
        file.start_encoding()
        for time, frame in zip(clip.times, clip.damaged, strict=True):
            one = av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="yuv420p", interpolation="BICUBIC")
            one.pts, one.time_base = time, TIME_BASE
            file.mux(picture.encode(one))
        file.mux(picture.encode())
        samples = int((clip.times[-1] * TIME_BASE + Fraction(1, RATE)) * SAMPLES)
        tone = np.rint(8000 * np.sin(2 * np.pi * TONE * np.arange(samples) / SAMPLES)).astype(np.int16)
        for start in range(0, samples, 4096):
            one = av.AudioFrame.from_ndarray(tone[None, start : start + 4096], format="s16", layout="mono")
            one.sample_rate, one.pts = SAMPLES, start
            file.mux(sound.encode(one))
        file.mux(sound.encode())
