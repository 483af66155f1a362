"""Who is near whom among unit vectors: close pairs, groups of them, near-duplicates, and diverse orders.

The cosine distance of the unit vectors a and b is 1 - a.b, from 0 to 2. All N (N - 1) / 2 distances are looked at
in square tiles, so that memory grows with N and never with its square. Tiles are computed in float32; a pair whose
distance lies so near the threshold that rounding could decide is computed again in float64. So the result does not
depend on the size of the tiles or on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

BLOCK = 2048
"""Rows and columns of a tile: 17 MB of distances at a time."""

MARGIN = 1e-5
"""More than float32 can be wrong by in a product of unit vectors of some thousand dimensions."""

TIE = 1e-9
"""Distances (float64) that differ by less are equal, so that a rule, not rounding, says which of two comes first."""

Progress = Callable[[int, int], None]


def distances(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosine distances row by row, (N, D) and (N, D) to (N,) float64."""
    return 1 - (vectors.astype(np.float64) * others.astype(np.float64)).sum(axis=1)


def close_pairs(
    vectors: np.ndarray,
    distance: float,
    *,
    inclusive: bool = False,
    block: int = BLOCK,
    progress: Progress | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs i < j that are closer than `distance`, tile by tile.

    Args:
        vectors: (N, D) unit vectors, float32; an array that is mapped from a file will do.
        distance: cosine distance.
        inclusive: whether a pair at exactly that distance counts.
        block: rows and columns of a tile.
        progress: called with (tiles done, of how many).

    Yields:
        The indices i and j of the pairs found in one tile, int64; tiles without a pair yield nothing.
    """
    least = 1 - distance - MARGIN
    starts = range(0, len(vectors), block)
    tiles, done = len(starts) * (len(starts) + 1) // 2, 0
    room = torch.empty(block, block)
    for top in starts:
        rows = _slice(vectors, top, block)
        for left in range(top, len(vectors), block):
            columns = rows if left == top else _slice(vectors, left, block)
            # A view of the room would not be contiguous for the smaller tiles at the edges.
            full = len(rows) == len(columns) == block
            alike = torch.mm(rows, columns.T, out=room) if full else torch.mm(rows, columns.T)
            # Hardly any row of a tile holds a close pair. Its maximum tells, which spares a search of the whole tile.
            rows_hit = (alike.amax(1) >= least).nonzero()[:, 0]
            if len(rows_hit):
                hits = alike[rows_hit]
                if left == top:
                    hits.masked_fill_(torch.arange(len(columns)) <= rows_hit[:, None], -2)
                i, j = (hits >= least).nonzero(as_tuple=True)
                near = hits[i, j].numpy()
                i, j = rows_hit[i].numpy() + top, j.numpy() + left
                close = near >= 1 - distance + MARGIN
                unsure = ~close
                close[unsure] = _close(vectors, i[unsure], j[unsure], distance, inclusive)
                if close.any():
                    yield i[close], j[close]
            done += 1
            if progress:
                progress(done, tiles)


def _slice(vectors: np.ndarray, start: int, block: int) -> torch.Tensor:
    return torch.from_numpy(np.array(vectors[start : start + block], dtype=np.float32))


def _close(
    vectors: np.ndarray, i: np.ndarray, j: np.ndarray, distance: float, inclusive: bool, at_once: int = 1 << 14
) -> np.ndarray:
    """Which of the pairs are close, computed in float64, (P,) bool."""
    close = np.empty(len(i), dtype=bool)
    for start in range(0, len(i), at_once):
        part = slice(start, start + at_once)
        found = distances(vectors[i[part]], vectors[j[part]])
        close[part] = found <= distance if inclusive else found < distance
    return close


def components(
    vectors: np.ndarray, distance: float, *, block: int = BLOCK, progress: Progress | None = None
) -> np.ndarray:
    """Groups that are connected by pairs closer than `distance`, though their ends may lie further apart.

    Args:
        vectors, block, progress: as `close_pairs` takes them.
        distance: cosine distance below which two vectors are joined; the paper's is 0.4.

    Returns:
        (N,) int64, the group of each vector. Groups are numbered from 0 in the order of their first members.
    """
    root = np.arange(len(vectors))
    for i, j in close_pairs(vectors, distance, block=block, progress=progress):
        root = _joined(root, i, j)
    return np.unique(root, return_inverse=True)[1].astype(np.int64)


def _joined(root: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The roots after joining i with j; a group's root is its smallest index, and each entry names it directly."""
    while True:
        a, b = root[i], root[j]
        apart = a != b
        if not apart.any():
            return root
        i, j, a, b = i[apart], j[apart], a[apart], b[apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while True:
            above = root[root]
            if (above == root).all():
                break
            root = above


def distinct(vectors: np.ndarray, distance: float) -> np.ndarray:
    """Which vectors stay when near-duplicates go, (N,) bool: each that is further than `distance` from every earlier
    one that stays. So the first always stays, and all that stay are further apart than `distance`."""
    stays = np.ones(len(vectors), dtype=bool)
    found = list(close_pairs(vectors, distance, inclusive=True))
    if not found:
        return stays
    i, j = (np.concatenate(side) for side in zip(*found, strict=True))
    order = np.argsort(i, kind="stable")
    i, j = i[order], j[order]
    firsts, starts = np.unique(i, return_index=True)
    for first, later in zip(firsts, np.split(j, starts[1:]), strict=True):
        if stays[first]:
            stays[later] = False
    return stays


def farthest_first(vectors: np.ndarray, most: int) -> np.ndarray:
    """Farthest-point order of a set: the first k are diverse, for every k.

    It starts with the vector nearest to the mean of all, the most typical one, and goes on with the one whose nearest
    chosen neighbour is farthest. Of equal candidates (within `TIE`) the earlier one is taken.

    Args:
        vectors: (N, D) unit vectors.
        most: how many to choose at most.

    Returns:
        (min(most, N),) int64 indices.
    """
    return _spread(vectors.astype(np.float64), np.array([-1]), min(most, len(vectors)))[0]


def farthest_first_of_others(vectors: np.ndarray, most: int, block: int = 256) -> np.ndarray:
    """For each vector of a set, the farthest-point order of the others: its references.

    As `farthest_first` of the set without that vector, which has no say in the order of its references.

    Args:
        vectors: (N, D) unit vectors, N at least 2.
        most: how many references at most.
        block: vectors whose orders are found at once.

    Returns:
        (N, min(most, N - 1)) int64 indices.
    """
    exact, count = vectors.astype(np.float64), min(most, len(vectors) - 1)
    parts = [np.arange(s, min(s + block, len(vectors))) for s in range(0, len(vectors), block)]
    return np.concatenate([_spread(exact, absent, count) for absent in parts])


def _spread(vectors: np.ndarray, absent: np.ndarray, count: int) -> np.ndarray:
    """Farthest-point orders (B, count), one for each set that lacks the vector `absent[b]` (-1: lacks none)."""
    rows, lacking = np.arange(len(absent)), absent >= 0
    means = vectors.sum(axis=0) - np.where(lacking[:, None], vectors[absent], 0)
    gaps = np.full((len(absent), len(vectors)), np.inf)
    gaps[rows[lacking], absent[lacking]] = -np.inf
    merit = np.where(np.isinf(gaps) & (gaps < 0), -np.inf, means @ vectors.T)
    order = np.empty((len(absent), count), dtype=np.int64)
    for place in range(count):
        chosen = (merit >= merit.max(axis=1, keepdims=True) - TIE).argmax(axis=1)
        order[:, place] = chosen
        np.minimum(gaps, 1 - vectors[chosen] @ vectors.T, out=gaps)
        gaps[rows, chosen] = -np.inf
        merit = gaps
    return order
