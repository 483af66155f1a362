"""Seconds for an aligned face with the embedded weights, after loading: what most users wait for.

python benchmarks/speed_mini.py [--weights mini] [--faces 4] [--repeat 5] [--threads N] [--dtype auto]
"""

import argparse
import time

import numpy as np
import torch

from limner.restorer import Restorer, Settings
from machine import conditions, interleaved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="mini")
    parser.add_argument("--faces", type=int, default=4, help="faces of the batch that is timed beside one face")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16"), default="auto")
    wish = parser.parse_args()

    start = time.perf_counter()
    settings = Settings(weights=wish.weights, threads=wish.threads, dtype=wish.dtype, device="cpu")
    restorer = Restorer(settings)
    loading = time.perf_counter() - start
    size, steps = restorer.size, restorer.options.steps
    faces = list(np.random.default_rng(0).integers(0, 256, (wish.faces, size, size, 3), np.uint8))

    print(conditions())
    print(f"weights {wish.weights}, {restorer.compute.dtype}, {size} px, {steps} steps; loading {loading:.1f} s")
    batch = f"{wish.faces} faces"
    seconds = interleaved(
        {
            "1 face": lambda: restorer.restore_crops(faces[:1], [0]),
            batch: lambda: restorer.restore_crops(faces, list(range(wish.faces))),
        },
        wish.repeat,
    )
    each = seconds[batch] / wish.faces
    print(f"1 face {seconds['1 face']:.2f} s; {batch} together {seconds[batch]:.2f} s, {each:.2f} s each")
    print(conditions())


if __name__ == "__main__":
    main()
