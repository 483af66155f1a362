"""Seconds to find faces after loading: one portrait, a group, a photo of 24 megapixels, 200 faces at once.

python benchmarks/speed_finder.py ../shared [--repeat 5] [--threads 1] [--detector limner]
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.evaluate.canvases import on_canvas
from limner.faces.find import find_faces
from limner.photo.photo import Photo
from machine import conditions

GROUP = "solvay_conference_1927_rgba.png"


def crowd(faces: FaceSet, count: int) -> np.ndarray:
    """So many faces in rows, crops of 90 px each, of which the faces are 53."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = [faces.image(n % len(faces), 90) for n in range(columns * -(-count // columns))]
    rows[count:] = [np.full_like(rows[0], 128)] * (len(rows) - count)
    return np.vstack([np.hstack(rows[first : first + columns]) for first in range(0, len(rows), columns)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, help="folder that holds faces and photos")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--detector", default="limner")
    wish = parser.parse_args()

    torch.set_num_threads(wish.threads)
    cv2.setNumThreads(wish.threads)
    faces = FaceSet.open(wish.shared / "faces", "test")
    canvas = on_canvas(faces.image(0, 512), faces.landmarks(0, 512), 0)[0]
    photos = {
        "portrait of 1,000 px": cv2.resize(canvas, (1000, 1000), interpolation=cv2.INTER_CUBIC),
        "group of 29": Photo.open(wish.shared / "photos" / GROUP).srgb(),
        "24 megapixels": cv2.resize(canvas, (6000, 4000), interpolation=cv2.INTER_CUBIC),
        "200 faces": crowd(faces, 200),
    }
    print(conditions())
    find_faces(photos["portrait of 1,000 px"], wish.detector)
    for name, photo in photos.items():
        clock, processor = [], []
        for _ in range(wish.repeat):
            began = time.perf_counter(), time.process_time()
            found = find_faces(photo, wish.detector)
            clock.append(time.perf_counter() - began[0])
            processor.append(time.process_time() - began[1])
        size = f"{photo.shape[1]} x {photo.shape[0]} px"
        print(
            f"{name}, {size}: {len(found)} found in {np.median(clock):.3f} s by the clock (least {min(clock):.3f}), "
            f"{np.median(processor):.3f} s of the processor"
        )
    print(conditions())


if __name__ == "__main__":
    main()
