"""Blocked search against plain ones: the whole matrix, loops, a search through a graph."""

import numpy as np
import pytest
import torch

from limner.data.reference_set import neighbours
from limner.data.reference_set.neighbours import (
    close_pairs,
    components,
    distances,
    distinct,
    farthest_first,
    farthest_first_of_others,
)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clustered(count, people, length=32, spread=0.5, seed=0):
    """Vectors around random centres, and the centre of each; ends of a cluster may lie beyond the threshold."""
    generator = np.random.default_rng(seed)
    who = generator.integers(0, people, count)
    centres = unit(generator.normal(size=(people, length)))
    return unit(centres[who] + spread * generator.normal(size=(count, length)) / length**0.5), who


def on_a_circle(*degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def pairs_of(vectors, distance, **more):
    found = [np.stack(tile, axis=1) for tile in close_pairs(vectors, distance, **more)]
    return sorted(map(tuple, np.concatenate(found).tolist())) if found else []


def plain_pairs(vectors, distance):
    gaps = 1 - vectors.astype(np.float64) @ vectors.astype(np.float64).T
    return [(i, j) for i in range(len(vectors)) for j in range(i + 1, len(vectors)) if gaps[i, j] < distance]


def plain_components(count, pairs):
    """A search through the graph, with groups numbered by their first members."""
    beside = {i: set() for i in range(count)}
    for i, j in pairs:
        beside[i].add(j)
        beside[j].add(i)
    group = [-1] * count
    for start in range(count):
        if group[start] >= 0:
            continue
        number, todo = max(group) + 1, [start]
        while todo:
            i = todo.pop()
            if group[i] < 0:
                group[i] = number
                todo += beside[i]
    return group


@pytest.mark.parametrize("block", [1, 7, 64, 150, 151, 4096])
def test_tiles_of_any_size_find_what_the_whole_matrix_finds(block):
    vectors, _ = clustered(151, 30)
    wanted = plain_pairs(vectors, 0.4)
    assert 100 < len(wanted) < 151 * 75, "the case should have close and far pairs"
    assert pairs_of(vectors, 0.4, block=block) == wanted
    assert components(vectors, 0.4, block=block).tolist() == plain_components(151, wanted)


@pytest.mark.parametrize("seed", range(5))
def test_components_chain_as_a_search_through_the_graph(seed):
    # Sparse: just enough pairs that long chains form.
    vectors = unit(np.random.default_rng(seed).normal(size=(200, 4)))
    found = components(vectors, 0.03, block=32)
    assert found.tolist() == plain_components(200, plain_pairs(vectors, 0.03))
    assert 20 < found.max() < 199


def test_a_chain_is_one_person_however_far_its_ends():
    order = np.random.default_rng(0).permutation(90)
    vectors = on_a_circle(*(2.0 * order))
    assert distances(vectors[order == 0], vectors[order == 89])[0] > 1.99
    assert set(components(vectors, 0.001, block=8)) == {0}
    assert len(set(components(vectors, 0.0005, block=8))) == 90


def test_recovers_planted_people():
    vectors, who = clustered(600, 150, length=128)
    found = components(vectors, 0.4, block=100)
    assert len(np.unique(np.stack([found, who]), axis=1).T) == len(set(who)) == found.max() + 1


def test_the_threshold_itself_does_not_join():
    # cos 60 degrees is exactly 0.5 in float32, and so is the distance.
    vectors = np.array([[1, 0, 0], [0.5, 0.75**0.5, 0], [0, 0, 1]], dtype=np.float32)
    assert distances(vectors[:1], vectors[1:2])[0] == 0.5
    for block in (1, 2, 3):
        assert components(vectors, 0.5, block=block).tolist() == [0, 1, 2]
        assert components(vectors, np.nextafter(0.5, 1), block=block).tolist() == [0, 0, 1]
        assert pairs_of(vectors, 0.5, inclusive=True, block=block) == [(0, 1)]
    assert distinct(vectors[:2], 0.5).tolist() == [True, False], "no further apart: near-duplicates"
    assert distinct(vectors[:2], np.nextafter(0.5, 0)).tolist() == [True, True]


def test_pairs_at_the_threshold_do_not_depend_on_rounding():
    """Five hundred pairs whose distance is the threshold to within float32's rounding."""
    generator = np.random.default_rng(3)
    a, b = unit(generator.normal(size=(500, 512))), generator.normal(size=(500, 512))
    b -= (a * b).sum(1, keepdims=True) * a
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    vectors = np.concatenate([a, unit(0.6 * a.astype(np.float64) + 0.8 * b)])
    exact = distances(a, vectors[500:]) < 0.4
    assert 100 < exact.sum() < 400, "some on either side"
    wanted = [(i, i + 500) for i in np.flatnonzero(exact)]
    for block in (33, 256, 1000):
        assert pairs_of(vectors, 0.4, block=block) == wanted


def test_memory_does_not_grow_with_the_square(monkeypatch):
    shapes, plain = [], torch.mm

    def watched(a, b, **more):
        shapes.append((len(a), b.shape[1]))
        return plain(a, b, **more)

    monkeypatch.setattr(neighbours.torch, "mm", watched)
    assert components(unit(np.random.default_rng(0).normal(size=(1000, 64))), 0.1, block=128).max() == 999
    assert max(max(shape) for shape in shapes) == 128 and len(shapes) == 8 * 9 // 2


def test_progress_is_told_tile_by_tile():
    told = []
    list(close_pairs(clustered(50, 5)[0], 0.4, block=20, progress=lambda *step: told.append(step)))
    assert told == [(n, 6) for n in range(1, 7)]


def test_vectors_may_lie_in_a_file(tmp_path):
    vectors, _ = clustered(120, 20)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert components(mapped, 0.4, block=50).tolist() == components(vectors, 0.4).tolist()


def test_nothing_and_one():
    none = np.empty((0, 8), np.float32)
    assert components(none, 0.4).tolist() == [] and distinct(none, 0.1).tolist() == []
    one = unit(np.ones((1, 8)))
    assert components(one, 0.4).tolist() == [0] and distinct(one, 0.1).tolist() == [True]
    assert farthest_first(one, 5).tolist() == [0]


@pytest.mark.parametrize("seed", range(4))
def test_distinct_keeps_the_first_and_what_is_far_from_all_kept(seed):
    vectors, _ = clustered(150, 12, spread=0.4, seed=seed)
    kept = []
    for i in range(len(vectors)):
        if all(distances(vectors[i : i + 1], vectors[j : j + 1])[0] > 0.1 for j in kept):
            kept.append(i)
    assert 12 < len(kept) < 150
    assert np.flatnonzero(distinct(vectors, 0.1)).tolist() == kept


def test_what_a_dropped_one_resembles_may_stay():
    # 0 drops 1; 2 resembles 1 alone and stays.
    assert distinct(on_a_circle(0, 20, 40), 0.1).tolist() == [True, False, True]


def plain_farthest_first(vectors, most):
    vectors = vectors.astype(np.float64)
    mean = vectors.sum(0)
    chosen = [max(range(len(vectors)), key=lambda i: vectors[i] @ mean)]
    while len(chosen) < min(most, len(vectors)):
        rest = [i for i in range(len(vectors)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: min(1 - vectors[i] @ vectors[j] for j in chosen)))
    return chosen


@pytest.mark.parametrize("count", [2, 3, 10, 40])
def test_farthest_first_is_that_of_a_plain_loop(count):
    vectors, _ = clustered(count, 6, seed=count)
    for most in (1, 4, 9, 100):
        assert farthest_first(vectors, most).tolist() == plain_farthest_first(vectors, most)


@pytest.mark.parametrize("block", [1, 4, 256])
def test_the_references_of_each_are_the_order_of_the_others(block):
    vectors, _ = clustered(23, 5, seed=8)
    found = farthest_first_of_others(vectors, 9, block=block)
    assert found.shape == (23, 9)
    for i, references in enumerate(found.tolist()):
        others = [j for j in range(23) if j != i]
        assert references == [others[k] for k in plain_farthest_first(vectors[others], 9)]
    assert farthest_first_of_others(vectors[:4], 9).shape == (4, 3)


def test_the_first_is_typical_and_the_second_far_from_it():
    assert farthest_first(on_a_circle(0, 10, 22, 90), 4).tolist() == [2, 3, 0, 1]


def test_ties_go_to_the_earlier_one():
    assert farthest_first(on_a_circle(10, 10, 10, 40, 40), 5).tolist() == [0, 3, 1, 2, 4]
    assert farthest_first_of_others(on_a_circle(5, 5, 5), 9).tolist() == [[1, 2], [0, 2], [0, 1]]
    many = np.repeat(unit(np.random.default_rng(0).normal(size=(1, 509))), 7, axis=0)
    assert farthest_first(many, 7).tolist() == list(range(7)), "equal vectors in the order they came"
