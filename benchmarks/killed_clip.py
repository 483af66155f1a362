"""A clip of a minute that is killed again and again, and what memory its length takes.

    python benchmarks/killed_clip.py

Nobody is seen but for two and a half seconds in its middle. It is restored whole; then by processes that are killed
while they look for faces, after one segment and after three, and by one that goes on. Both results must be the same,
byte for byte.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from skimage.data import astronaut

from limner import Restorer, Settings
from limner.evaluate.made_clip import made_clip
from limner.faces.align import crop, similarity
from limner.video.clip import restore_clip

RATE, SIDE, SEEN = 5, 128, 12
POINTS = np.array([[203.2, 100.8], [247.0, 104.0], [224.3, 128.5], [202.1, 139.5], [243.0, 142.5]])
"""Eyes, nose and corners of the mouth of scikit-image's astronaut."""


def make(path: Path, seconds: int) -> None:
    """A clip of a pattern, with a face in its middle."""
    face = made_clip([crop(astronaut(), similarity(POINTS, 256), 256)], "ffhq-ref-moderate", SEEN, SIDE)
    y, x = np.mgrid[:SIDE, :SIDE]
    count = seconds * RATE
    frames = [np.stack([(x * 3 + 9 * n) % 256, (y * 5) % 256, x], -1).astype(np.uint8) for n in range(count)]
    frames[count // 2 : count // 2 + SEEN] = face.damaged
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for number, one in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(one, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def killed(command: list[str], work: Path, segments: int | None) -> bool:
    """Runs a command until so many segments are done (None: until a third of the faces have been looked for)."""
    process = subprocess.Popen(command)
    while process.poll() is None:
        time.sleep(0.1)
        lines = (work / "seen.jsonl").read_text().count("\n") if (work / "seen.jsonl").is_file() else 0
        if lines > 20 * RATE if segments is None else len(list(work.glob("*.packets"))) >= segments:
            process.kill()
            process.wait()
            return True
    return False


def main() -> None:
    if len(sys.argv) == 3:
        restore_clip(Restorer(Settings(threads=1)), Path(sys.argv[1]), Path(sys.argv[2]))
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        restorer = Restorer(Settings(threads=1))
        for seconds in (8, 60):
            source = folder / f"{seconds}.mp4"
            make(source, seconds)
            done = restore_clip(restorer, source, folder / f"whole_{seconds}.mp4")
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{seconds} s, {done.frames} frames: {done.pace:.1f} a second, {most:.0f} MB at most", flush=True)
        result = folder / "result.mp4"
        command, work = [sys.executable, __file__, str(folder / "60.mp4"), str(result)], folder / ".result.mp4.limner"
        kills = sum(killed(command, work, segments) for segments in (None, 1, 3))
        subprocess.run(command, check=True)
        same = result.read_bytes() == (folder / "whole_60.mp4").read_bytes()
        print(f"killed {kills} times, the result is {'the same' if same else 'ANOTHER'}")


if __name__ == "__main__":
    main()
