"""Films a photograph as an old newsreel would have, restores the clip, and lays frames beside each other to look at.

    python benchmarks/newsreel.py PHOTO FROM TO -o FOLDER [--seconds 2.5]
    python benchmarks/newsreel.py solvay.png 470,150,400 780,170,200 -o reel

The camera moves from one part of the photograph to another, each given as left, top and width in pixels. Frames are
320 x 240, 16 a second; they tremble, flicker, are soft and grainy, and are stored by MPEG-4 at a low quality. The sheet
shows four frames' largest faces at full size, and the first and last frame, before above after.
"""

from __future__ import annotations

import argparse
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from limner import Restorer, Settings
from limner.evaluate.flicker import frames_in
from limner.photo.photo import Photo
from limner.video.clip import restore_clip

RATE, WIDTH, HEIGHT = 16, 320, 240
SHOWN, FACE = 6, 120
"""Moments on the sheet, and the side in pixels of the part of a frame that is shown of each face."""


def film(photo: np.ndarray, start: np.ndarray, end: np.ndarray, frames: int, path: Path) -> None:
    """Writes the clip of a photograph, (H, W, 3) uint8, between two parts of it, (3,) each: left, top, width."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=RATE, options={"qmin": "7", "qmax": "7"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            share = 0.5 - np.cos(np.pi * number / max(frames - 1, 1)) / 2
            left, top, width = start + share * (end - start)
            scale = WIDTH / width
            tremble = random.normal(0, 0.6, 2)
            matrix = np.array([[scale, 0, tremble[0] - scale * left], [0, scale, tremble[1] - scale * top]])
            small = cv2.GaussianBlur(photo, (0, 0), 0.5 / scale) if scale < 1 else photo
            shown = cv2.warpAffine(
                small, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            soft = cv2.GaussianBlur(shown, (0, 0), 0.9).astype(np.float32)
            grain = cv2.GaussianBlur(random.normal(0, 16, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 0.7)
            grey = soft.mean(-1) * random.normal(1, 0.03) + grain
            picture = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, -1)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def sheet(before: list[np.ndarray], after: list[np.ndarray], centres: dict[int, np.ndarray]) -> np.ndarray:
    """The contact sheet: faces at full size, before above after, then whole frames likewise.

    Args:
        before, after: all frames, (H, W, 3) uint8 each.
        centres: of a face by its frame, (2,) in pixels.
    """
    chosen = sorted(centres)[:: max(len(centres) // SHOWN, 1)][:SHOWN]

    def face(frames: list[np.ndarray], number: int) -> np.ndarray:
        x, y = np.rint(np.clip(centres[number], FACE // 2, [WIDTH - FACE // 2, HEIGHT - FACE // 2])).astype(int)
        return frames[number][y - FACE // 2 : y + FACE // 2, x - FACE // 2 : x + FACE // 2]

    faces = [np.hstack([face(frames, number) for number in chosen]) for frames in (before, after)]
    whole = [np.hstack([frames[0], frames[-1]]) for frames in (before, after)]
    width = max(one.shape[1] for one in (*faces, *whole))
    return np.vstack([np.pad(one, ((2, 2), (0, width - one.shape[1]), (0, 0))) for one in (*faces, *whole)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("start", metavar="FROM", help="left, top and width of what the first frame shows")
    parser.add_argument("end", metavar="TO", help="of what the last one shows")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    parser.add_argument("--seconds", type=float, default=2.5)
    arguments = parser.parse_args()
    folder = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    start, end = (np.array([float(one) for one in part.split(",")]) for part in (arguments.start, arguments.end))
    film(Photo.open(arguments.photo).srgb(), start, end, round(arguments.seconds * RATE), folder / "film.mp4")
    done = restore_clip(Restorer(Settings()), folder / "film.mp4", folder / "restored.mp4")
    load = f"{os.getloadavg()[0]:.1f} programs wanted {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    print(f"{done.frames} frames, {done.pace:.2f} a second; {len(done.restored)} of {len(done.tracks)} faces. {load}")
    for track in done.tracks:
        print(f"  face {track.number}: frames {track.frames[0]} to {track.frames[-1]}, {track.size:.0f} px")
    if done.restored:
        track = done.restored[0]
        centres = {frame: seen.centre for frame, seen in zip(track.frames, track.seen, strict=True)}
        laid = sheet(frames_in(folder / "film.mp4"), frames_in(folder / "restored.mp4"), centres)
        cv2.imwrite(str(folder / "sheet.png"), laid[..., ::-1])


if __name__ == "__main__":
    main()
