"""How fast a clip of a minute at its full rate is restored.

    python benchmarks/speed_clip.py [--seconds 60] [--seen 4]

Frames of 320 x 240, 25 a second, in which a face is seen for some seconds in the middle. Frames a second depend on what
else the machine does, so its load is printed, too; the processor's seconds hardly do.
"""

from __future__ import annotations

import argparse
import os
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from skimage.data import astronaut

from killed_clip import POINTS
from limner import Restorer, Settings
from limner.evaluate.made_clip import made_clip
from limner.faces.align import crop, similarity
from limner.video.clip import restore_clip

RATE, WIDTH, HEIGHT = 25, 320, 240


def make(path: Path, seconds: float, seen: float) -> None:
    """A clip of a pattern that moves, with a face in its middle."""
    count, shown = round(seconds * RATE), round(seen * RATE)
    face = made_clip([crop(astronaut(), similarity(POINTS, 256), 256)], "ffhq-ref-moderate", shown, HEIGHT)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    first, beside = (count - shown) // 2, (WIDTH - HEIGHT) // 2
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(count):
            if first <= number < first + shown:
                picture = np.pad(face.damaged[number - first], ((0, 0), (beside, beside), (0, 0)), mode="edge")
            else:
                picture = np.stack([(x + 3 * number) % 256, (y * 2) % 256, x % 256], -1).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seen", type=float, default=4, help="seconds in which a face is seen")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        source = Path(name) / "film.mp4"
        make(source, arguments.seconds, arguments.seen)
        restorer, began = Restorer(Settings()), time.process_time()
        done = restore_clip(restorer, source, Path(name) / "restored.mp4")
        spent = time.process_time() - began
    faces = sum(len(track.frames) for track in done.restored)
    print(f"{done.frames} frames of {WIDTH} x {HEIGHT}, {RATE} a second, a face in {faces} of them:")
    print(f"{done.pace:.2f} frames a second, {done.frames / spent:.2f} for each second of a processor ({spent:.0f} s)")
    if hasattr(os, "getloadavg"):
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{os.cpu_count()} cores, load average in 1, 5 and 15 minutes: {load}")


if __name__ == "__main__":
    main()
