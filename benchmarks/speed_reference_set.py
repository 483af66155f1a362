"""Making a reference set from embeddings that are there: people, near-duplicates, splits, orders of references.

    python benchmarks/speed_reference_set.py [--sizes 5000 20000 70000] [--length 512] [--threads 1]

The embeddings are random: people with one to a dozen pictures around random centres, one in ten a near-duplicate. The
people that are found must be the planted ones. At the first size the search in tiles takes turns with the plain one,
which holds the whole matrix of distances. Goal: 70,000 embeddings in minutes on a CPU.
"""

import argparse
import resource
import sys
import time

import numpy as np
import torch

from limner.data.reference_set.neighbours import components
from limner.data.reference_set.sets import Rules, build
from machine import conditions, interleaved


def planted(count: int, length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (N, D) float32 and who each belongs to, in random order; two pictures of one person are about 0.25
    apart, near-duplicates 0.02."""
    generator = np.random.default_rng(seed)
    sizes = generator.choice([1, 1, 1, 1, 2, 2, 3, 4, 6, 12], size=count)
    who = np.repeat(np.arange(count), sizes)[:count]
    vectors = generator.standard_normal((count, length), dtype=np.float32)[who]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors += 0.57 / length**0.5 * generator.standard_normal((count, length), dtype=np.float32)
    again = np.flatnonzero((generator.random(count - 1) < 0.1) & (who[1:] == who[:-1])) + 1
    noise = generator.standard_normal((len(again), length), dtype=np.float32)
    vectors[again] = vectors[again - 1] + 0.2 / length**0.5 * noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = generator.permutation(count)
    return vectors[order], who[order]


def whole_matrix(vectors: np.ndarray, distance: float) -> int:
    """Pairs closer than `distance`, by the matrix of all distances."""
    everything = torch.from_numpy(vectors)
    return int(((everything @ everything.T).triu(1) > 1 - distance).nonzero().shape[0])


def same_groups(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 20_000, 70_000])
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=3, help="turns of the two searches at the first size")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    rules = Rules(val=0.046, test=0.023)  # the paper's shares: 300 and 150 of 6,523 people

    print(conditions())
    first, _ = planted(wish.sizes[0], wish.length)
    turns = {
        "tiles": lambda: components(first, rules.threshold),
        "whole matrix": lambda: whole_matrix(first, rules.threshold),
    }
    seconds = interleaved(turns, wish.repeat)
    told = ", ".join(f"{name} {second:.2f} s" for name, second in seconds.items())
    print(f"{len(first)} x {wish.length}, medians of {wish.repeat}: {told}")

    for size in wish.sizes:
        vectors, who = planted(size, wish.length)
        start = time.perf_counter()
        found = components(vectors, rules.threshold)
        searching, start = time.perf_counter() - start, time.perf_counter()
        made = build([f"{i:05d}.png" for i in range(size)], vectors, rules)  # searches once more
        whole = time.perf_counter() - start
        images = " ".join(f"{name} {count['images']}/{count['people']}" for name, count in made.counts().items())
        print(
            f"{size} x {wish.length}: {found.max() + 1} people found in {searching:.1f} s, "
            f"{'just' if same_groups(found, who) else 'NOT'} the planted ones; whole set {whole:.1f} s, "
            f"images/people {images}; peak memory {peak():.0f} MB"
        )
    print(conditions())


if __name__ == "__main__":
    main()
