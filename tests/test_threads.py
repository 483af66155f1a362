"""What several threads at once give is what one gives."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner import Cancelled, Photo, Restorer, Settings
from limner.device import Compute
from limner.faces.find import find_faces, load_alignnet, load_proposal_net
from limner.faces.recogniser import identity_net
from limner.methods.loaded import LoadedMethod
from limner.methods.schedules import SCHEDULERS, swap

from .methods.tiny import PIPELINES, pictures, seeded

THREADS = 8


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give, each in a thread of its own, all begun at the same moment."""
    barrier = Barrier(len(calls))

    def begun(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(begun, call) for call in calls]]


@pytest.fixture(scope="module")
def portraits() -> list[np.ndarray]:
    """One face in pictures of different sizes."""
    portrait = astronaut()[:300, 80:380]
    sides = np.linspace(150, 330, THREADS).astype(int)
    return [cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA) for side in sides]


@pytest.mark.slow
def test_faces_are_found_as_by_one(portraits):
    alone = [find_faces(portrait) for portrait in portraits]
    assert all(len(found) == 1 for found in alone)
    for _ in range(2):
        together = at_once(*(lambda portrait=portrait: find_faces(portrait) for portrait in portraits))
        for one, other in zip(alone, together, strict=True):
            assert len(other) == 1 and other[0].score == one[0].score
            np.testing.assert_array_equal(other[0].landmarks, one[0].landmarks)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("name", PIPELINES)
def test_one_pipeline_serves_them_all(name, scheduler):
    """Each with another number of steps: a solver's state is nobody else's."""
    pipeline = swap(PIPELINES[name](), scheduler)
    faces = pictures(1, 5, pipeline.size)
    start = {"start": 400} if hasattr(pipeline.paper, "start") else {}

    def restored(steps: int) -> torch.Tensor:
        return pipeline(faces, steps=steps, **start, generator=seeded()).images

    counts = range(3, 3 + THREADS)
    alone = [restored(steps) for steps in counts]
    together = at_once(*(lambda steps=steps: restored(steps) for steps in counts))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["difface", "refldm"])
def test_one_restorer_serves_them_all(method, portraits):
    settings = Settings(method=method, dtype="fp32", threads=1, scheduler="dpmsolver++")
    restorer = Restorer(settings)
    photos = [Photo(portrait, "PNG") for portrait in portraits]
    alone = [restorer.restore(photo).photos[0].pixels for photo in photos]
    together = at_once(*(lambda photo=photo: restorer.restore(photo).photos[0].pixels for photo in photos))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.fixture
def alone_in_the_nets(monkeypatch) -> Iterator[None]:
    """Fails where two threads' faces go through a method's nets at once."""
    busy, call = Lock(), LoadedMethod.__call__
    met = []

    def watched(method: LoadedMethod, *given: Any, **named: Any) -> Any:
        free = busy.acquire(blocking=False)
        met.append(free)
        try:
            return call(method, *given, **named)
        finally:
            if free:
                busy.release()

    monkeypatch.setattr(LoadedMethod, "__call__", watched)
    yield
    assert met and all(met)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["refldm", "clrface"])
def test_one_restorer_with_references_serves_them_all(method, portraits, tmp_path, alone_in_the_nets):
    """Each photo lies among its own references, and is left out of them: what was read of the others serves one photo
    only, while another thread wants other references."""
    for number, portrait in enumerate(portraits[-3:]):
        Photo.of(np.roll(portrait, number, axis=1)).save(tmp_path / f"{number}.png")
    paths = sorted(tmp_path.iterdir())
    settings = Settings(method=method, references=[tmp_path], options={"steps": 1}, dtype="fp32", threads=1)
    restorer = Restorer(settings)
    alone = [restorer.restore(path) for path in paths]
    assert all(one.provenance and one.provenance.references == 2 for one in alone)
    together = at_once(*(lambda path=path: restorer.restore(path) for path in paths))
    for one, other in zip(alone, together, strict=True):
        assert other.provenance == one.provenance and other.notes == one.notes
        np.testing.assert_array_equal(one.photo.pixels, other.photo.pixels)


@pytest.mark.slow
def test_one_that_is_called_off_is_nothing_to_the_others(portraits):
    restorer = Restorer(Settings(dtype="fp32", threads=1))

    def called_off(done: int, total: int) -> None:
        raise Cancelled

    def whole(portrait: np.ndarray) -> np.ndarray:
        return restorer.restore(portrait).photo.pixels

    def broken_off(portrait: np.ndarray) -> None:
        with pytest.raises(Cancelled):
            restorer.restore(portrait, called_off)

    alone = [whole(portrait) for portrait in portraits[:3]]
    others = [lambda portrait=portrait: broken_off(portrait) for portrait in portraits[3:6]]
    together = at_once(*(lambda portrait=portrait: whole(portrait) for portrait in portraits[:3]), *others)
    assert all(np.array_equal(one, other) for one, other in zip(alone, together[:3], strict=True))


@pytest.mark.slow
def test_a_callback_may_restore_another_photo(portraits):
    restorer = Restorer(Settings(dtype="fp32", threads=1))
    inner = []

    def other(done: int, total: int) -> None:
        if not inner:
            inner.append(None)
            inner.append(restorer.restore(portraits[1]).photo.pixels)

    outer = restorer.restore(portraits[0], other).photo.pixels
    np.testing.assert_array_equal(inner[1], restorer.restore(portraits[1]).photo.pixels)
    np.testing.assert_array_equal(outer, restorer.restore(portraits[0]).photo.pixels)


@pytest.mark.slow
def test_nets_that_all_share_are_first_loaded_by_several_at_once(portraits):
    (alone,) = find_faces(portraits[0])
    for load in (load_proposal_net, load_alignnet, identity_net):
        load.cache_clear()
    for (found,) in at_once(*(lambda: find_faces(portraits[0]) for _ in range(4))):
        np.testing.assert_array_equal(found.landmarks, alone.landmarks)


def test_a_restorer_s_number_of_threads_holds_in_every_thread():
    """torch's number is taken over by a thread when it first computes, and not again."""
    seen = []

    def count(done: int, total: int) -> None:
        seen.append(torch.get_num_threads())

    with ThreadPoolExecutor(1) as pool:
        try:
            torch.set_num_threads(2)
            assert pool.submit(torch.get_num_threads).result() == 2
            restorer = Restorer(Settings(options={"steps": 1}, dtype="fp32", threads=1))
            assert pool.submit(torch.get_num_threads).result() == 2, "torch has learnt it: `use_threads` may go"
            pool.submit(restorer.restore_crops, [np.zeros((256, 256, 3), np.uint8)], progress=count).result()
        finally:
            torch.set_num_threads(1)
    assert seen and set(seen) == {1}


@pytest.mark.slow
def test_restorers_of_their_own_are_made_and_used_at_once(portraits, tmp_path):
    def whole(number: int) -> np.ndarray:
        """From a file to a file and back, with a restorer and settings of its own."""
        settings = Settings(method=("difface", "ldbfr")[number % 2], seed=number, dtype="fp32", threads=1)
        source, target = tmp_path / f"{number}.png", tmp_path / f"restored_{number}.png"
        Photo(portraits[number], "PNG").save(source)
        Restorer(settings).restore(Photo.open(source)).photos[0].save(target)
        return Photo.open(target).pixels

    alone = [whole(number) for number in range(4)]
    together = at_once(*(lambda number=number: whole(number) for number in range(4)))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["difface", "refldm"])
def test_other_batches_and_thread_counts_only_round_otherwise(method, portraits, monkeypatch):
    """What docs/the-way-of-a-photograph.md promises of them in fp32: hardly a pixel differs, and by 1 of 255."""
    restorer = Restorer(Settings(method=method, dtype="fp32"))
    crops = [cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_CUBIC) for portrait in portraits[:4]]

    def restored(threads: int, batch: int) -> np.ndarray:
        torch.set_num_threads(threads)
        monkeypatch.setattr(Compute, "batch_size", lambda *_: batch)
        return np.rint([255 * one.samples[0] for one in restorer.restore_crops(crops, range(4))])

    try:
        first = restored(1, 4)
        assert np.array_equal(restored(1, 4), first)
        for threads, batch in ((2, 4), (1, 1), (1, 3)):
            apart = np.abs(restored(threads, batch) - first)
            assert apart.max() <= 1 and apart.any(axis=-1).mean() < 1e-3
    finally:
        torch.set_num_threads(1)
