"""Who a face is, in an album of 100,000 faces: seconds to read the album and to ask it.

    python benchmarks/speed_album.py [--faces 100000] [--people 2000] [--threads 1]

The vectors are random, people with equally many faces around random centres. What is asked for is a new face of each of
some people, who must be told. Goal: 0.2 s for a face, the album being read.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from limner.album.people import name_faces
from limner.album.recognise import Looks
from limner.album.store import Album, AlbumFace, AlbumPhoto
from limner.faces.recogniser import Recogniser
from machine import conditions

FACES_A_PHOTO = 100
ASKED = 20


def near(centres: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A face around each centre, as alike as two photographs of one person are, .8 on the mean; of unit length."""
    noise = generator.standard_normal(centres.shape, dtype=np.float32) / centres.shape[1] ** 0.5
    vectors = centres + 0.5 * noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(album: Album, vectors: np.ndarray) -> None:
    """Puts faces into an album, some on each photograph."""
    face = AlbumFace((0.0, 0.0, 99.0, 99.0), np.zeros((5, 2), np.float32), 0.9, damage=0.1, side=200.0)
    for first in range(0, len(vectors), FACES_A_PHOTO):
        some = vectors[first : first + FACES_A_PHOTO]
        album.put(AlbumPhoto(Path(f"/photos/{first}.jpg"), 1, 1, str(first)), [face] * len(some), some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=1)
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    generator = np.random.default_rng(0)
    centres = near(np.zeros((wish.people, Recogniser().width), np.float32), generator)
    who = np.arange(wish.faces) % wish.people
    print(conditions())
    with TemporaryDirectory() as folder, Album(Path(folder) / "album.sqlite", create=True) as album:
        fill(album, near(centres[who], generator))
        for person in range(wish.people):
            name_faces(album, range(person + 1, wish.faces + 1, wish.people), f"nr {person}")
        names = dict(album.ask("SELECT id, name FROM people"))
        print(f"{wish.faces} faces of {wish.people} people: {album.path.stat().st_size / 1e6:.0f} MB")
        started = time.perf_counter()
        looks = Looks(album.vectors())
        print(f"read once for each state of the album: {time.perf_counter() - started:.2f} s")
        seconds, told = [], 0
        for person in range(ASKED):
            (face,) = near(centres[person : person + 1], generator)
            started = time.perf_counter()
            found = looks.recognise(face)
            seconds.append(time.perf_counter() - started)
            told += found.verdict == "known" and names[found.person] == f"nr {person}"
        took = f"median {statistics.median(seconds):.3f} s, most {max(seconds):.3f} s"
        print(f"who a face is: {took}; {told} of {ASKED} told")
    print(conditions())


if __name__ == "__main__":
    main()
