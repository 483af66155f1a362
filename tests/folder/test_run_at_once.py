"""Several photographs at once: the bytes of one at a time, failures that stay one photo's, and a clean end."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner import Cancelled, LimnerError, Photo, Restorer, Settings
from limner.faces import put_back
from limner.folder import run as folder_run
from limner.folder.find import find_photos
from limner.folder.pictures import SidePictures
from limner.folder.run import Outcome, Saving, at_once_of, restore_all, workers
from limner.folder.targets import Target, targets_of
from limner.holes.mask import MaskFiles
from limner.methods.loaded import LoadedMethod
from limner.photo import write

FAST = Settings(options={"steps": 1}, finish=0, dtype="fp32", threads=3)
"""With three photographs worked on, one in each thread."""
STAGES = ("read", "find", "nets", "put back", "write")


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(FAST)


def photographs(folder: Path) -> Path:
    """Photographs with 1, 0, 3 and 1 faces."""
    face = cv2.resize(astronaut()[:300, 80:380], (150, 150), interpolation=cv2.INTER_AREA)
    group = np.concatenate([np.roll(face, n, axis=1) for n in range(3)], axis=1)
    pictures = {"a": face, "b": np.full_like(face, 90), "c": group, "d": np.ascontiguousarray(face[:, ::-1])}
    folder.mkdir()
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return photographs(tmp_path / "in")


@pytest.fixture(scope="module")
def wanted(restorer, tmp_path_factory) -> dict[str, bytes]:
    """What becomes of them."""
    folder = photographs(tmp_path_factory.mktemp("wanted") / "in")
    alone(restorer, targets_in(folder), Saving())
    return files(folder.parent / "out")


def targets_in(folder: Path, out: str = "out", samples: int = 1) -> list[Target]:
    return targets_of(find_photos([folder]), folder.parent / out, samples)


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()} if folder.is_dir() else {}


def nobody_works() -> bool:
    return not any(one.name.startswith("limner-in-order") for one in threading.enumerate())


def alone(restorer: Restorer, targets: list[Target], saving: Saving) -> None:
    """Each photograph by itself, as `Restorer.restore` has it, in this thread, which computes alone."""
    restorer = restorer.for_a_thread()
    for target in targets:
        mask = saving.masks.of(target.source.place) if saving.masks else None
        done = restorer.restore(target.source.path, mask=mask)
        for path, photo in zip(target.outputs, done.photos, strict=True):
            path.parent.mkdir(exist_ok=True)
            if done.provenance:
                photo.save(path, provenance=done.provenance)
            else:
                path.write_bytes(target.source.path.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("case", ["one sample", "two samples", "references", "masks", "cleaned", "bf16"])
def test_the_bytes_are_those_of_one_photograph_at_a_time(case, folder, monkeypatch):
    asked: dict[str, dict[str, Any]] = {
        "two samples": {"samples": 2},
        "references": {"method": "refldm", "references": [folder / "a.png", folder / "d.png"]},
        "cleaned": {"background": "clean"},
        "bf16": {"dtype": "bf16"},
    }
    settings, saving = replace(FAST, **asked.get(case, {})), Saving()
    if case == "masks":
        holes = np.zeros((150, 150), np.uint8)
        holes[78:84, 60:66] = holes[5:30, 5:30] = 255  # on the cheek, and beside the face
        (folder.parent / "masks").mkdir()
        for name in "bd":
            Image.fromarray(holes).save(folder.parent / "masks" / f"{name}.png")
        saving = Saving(masks=MaskFiles(str(folder.parent / "masks"), single=False))
    restorer = Restorer(settings)
    alone(restorer, targets_in(folder, "alone", settings.results), saving)
    outcomes = list(restore_all(restorer, targets_in(folder, "out", settings.results), saving))
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert [len(one.restoration.faces) for one in outcomes if one.restoration] == [1, 0, 3, 1]
    wanted, made = files(folder.parent / "alone"), files(folder.parent / "out")
    assert len(made) == 4 * settings.results and made == wanted
    assert nobody_works()


@dataclass
class Stage:
    """A station of the way at which something happens to a photograph: what `happens` does, given its name."""

    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def at(self, stage: str, happens: Callable[[str], None]) -> None:
        """Photographs are told apart by the files that their threads opened last."""
        own, opened = threading.local(), Photo.open

        def opening(path: Any, *given: Any) -> Photo:
            own.name = Path(path).name
            if stage == "read":
                happens(own.name)
            return opened(path, *given)

        self.monkeypatch.setattr(folder_run.Photo, "open", opening)
        owner, name = {
            "read": (Photo, "srgb"),
            "find": (Photo, "srgb"),
            "nets": (LoadedMethod, "__call__"),
            "put back": (put_back.PutBack, "face"),
            "write": (write, "write_atomically"),
        }[stage]
        real = getattr(owner, name)

        def meeting(*given: Any, **named: Any) -> Any:
            if stage != "read":
                happens(getattr(own, "name", ""))
            return real(*given, **named)

        self.monkeypatch.setattr(owner, name, meeting)


@pytest.fixture
def stage(monkeypatch, folder) -> Stage:
    return Stage(monkeypatch, folder)


@pytest.mark.slow
@pytest.mark.parametrize("where", STAGES)
def test_a_failure_anywhere_is_one_photo_s(where, folder, restorer, stage):
    def failing(name: str) -> None:
        if name == "c.png":
            raise ValueError(f"odd while {where}")

    stage.at(where, failing)
    outcomes = list(restore_all(restorer, targets_in(folder)))
    assert [outcome.source.name for outcome in outcomes] == [f"{name}.png" for name in "abcd"]
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, True]
    assert f"odd while {where}" in str(outcomes[2].error)
    assert sorted(files(folder.parent / "out")) == ["a.png", "b.png", "d.png"]
    assert nobody_works()


@pytest.mark.slow
@pytest.mark.parametrize("where", STAGES)
def test_an_end_anywhere_is_clean(where, folder, restorer, wanted, stage):
    """What is there is whole, nothing else is, and the same restorer goes on where it stopped."""
    error = KeyboardInterrupt if where in ("find", "put back") else Cancelled

    def ending(name: str) -> None:
        if name == "c.png":
            raise error

    with pytest.MonkeyPatch.context() as patched:
        replace(stage, monkeypatch=patched).at(where, ending)
        got = list[Outcome]()
        with pytest.raises(error):
            for outcome in restore_all(restorer, targets_in(folder)):
                got.append(outcome)
    assert nobody_works()
    there = files(folder.parent / "out")
    assert "c.png" not in there and there.items() <= wanted.items(), "no temporary file, and no half a result"
    assert {outcome.source.name for outcome in got} <= set(there)
    again = list(restore_all(restorer, targets_in(folder)))
    assert {outcome.source.name for outcome in again if outcome.kept} == set(there)
    assert files(folder.parent / "out").keys() == wanted.keys()


@pytest.mark.slow
def test_the_callback_calls_a_run_off(folder, restorer):
    def called_off(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        list(restore_all(restorer, targets_in(folder), progress=called_off))
    assert nobody_works() and set(files(folder.parent / "out")) <= {"b.png"}


@pytest.mark.slow
def test_whoever_has_seen_enough_closes_the_run(folder, restorer):
    run = restore_all(restorer, targets_in(folder), Saving(beside=SidePictures(maps=folder.parent / "maps")))
    assert next(run).source.name == "a.png"
    run.close()
    assert nobody_works()
    there = files(folder.parent / "out")
    assert "a.png" in there and set(there) <= {"a.png", "b.png", "c.png", "d.png"}


def blank(folder: Path, count: int, side: int = 20) -> list[Target]:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (side, side), (number, 9, 9)).save(folder / f"{number:03}.png")
    return targets_of(find_photos([folder]), folder.parent / "out")


def test_targets_are_drawn_no_further_ahead_than_may_be_under_way(tmp_path, restorer):
    drawn, told = 0, 0

    def lazy(targets: list[Target]) -> Iterator[Target]:
        nonlocal drawn
        for target in targets:
            drawn += 1
            yield target

    most = folder_run.bounds_of(3).most
    targets = blank(tmp_path / "in", 3 * most)
    for outcome, target in zip(restore_all(restorer, lazy(targets)), targets, strict=True):
        assert outcome.source == target.source.path and outcome.error is None
        told += 1
        assert drawn - told <= most
    assert told == len(targets) == drawn


def test_no_more_megapixels_are_under_way_than_may_be(tmp_path, restorer, monkeypatch):
    """Pictures of 0.04 megapixels, of which two fit; three threads would take three."""
    monkeypatch.setattr(folder_run, "MEGAPIXELS", 0.09)
    monkeypatch.setattr(folder_run, "MEGAPIXEL", float("inf"))
    inside, most, lock, restore = 0, 0, threading.Lock(), Restorer.restore

    def counted(self: Restorer, *given: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        try:
            return restore(self, *given)
        finally:
            with lock:
                inside -= 1

    monkeypatch.setattr(Restorer, "restore", counted)
    targets = blank(tmp_path / "in", 8, side=200)
    assert len(list(restore_all(restorer, targets))) == 8 and most <= 2
    most = 0
    large = Restorer(replace(FAST, upscale=4, background="keep"))
    assert len(list(restore_all(large, targets, Saving(overwrite=True)))) == 8 and most == 1


def test_a_photograph_that_takes_too_long_fails_alone(tmp_path, restorer, folder, monkeypatch):
    clock = iter(range(0, 10**6, 10))  # seconds from one look to the next
    monkeypatch.setattr(folder_run.time, "monotonic", lambda: next(clock))
    outcomes = list(restore_all(restorer, targets_in(folder), Saving(timeout=5)))
    failed = {outcome.source.name: outcome.error for outcome in outcomes if outcome.error}
    assert set(failed) == {"a.png", "c.png", "d.png"}, "one without a face asks no net"
    assert str(failed["a.png"]).endswith("a.png: It took longer than 5 s and was given up: raise --timeout for it.")
    assert set(files(folder.parent / "out")) == {"b.png"}


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_number_above_0(timeout):
    with pytest.raises(LimnerError, match="choose a number above 0, or leave it out"):
        Saving(timeout=timeout)


def test_one_thread_is_one_photograph_at_a_time(tmp_path, monkeypatch):
    restorer, by = Restorer(replace(FAST, threads=1)), set[int]()
    monkeypatch.setattr(Restorer, "restore", lambda self, *given: by.add(threading.get_ident()) or 1 / 0)
    outcomes = list(restore_all(restorer, blank(tmp_path / "in", 6)))
    assert all("ZeroDivisionError" in str(outcome.error) for outcome in outcomes) and len(by) == 1


def test_one_photograph_at_a_time_has_all_threads(tmp_path, monkeypatch):
    seen = set[tuple[int, int | None]]()

    def looked(self: Restorer, *given: Any) -> None:
        seen.add((threading.get_ident(), self.settings.threads))
        raise LimnerError("seen")

    monkeypatch.setattr(Restorer, "restore", looked)
    list(restore_all(Restorer(FAST), blank(tmp_path / "in", 6), at_once=1))
    assert len(seen) == 1 and {threads for _, threads in seen} == {3}
    seen.clear()
    list(restore_all(Restorer(FAST), blank(tmp_path / "more", 30)))
    assert {threads for _, threads in seen} == {1}, "as many photographs as threads, each in one"


def test_afterwards_torch_has_as_many_threads_as_before(tmp_path):
    before = torch.get_num_threads()
    outcomes = list(restore_all(Restorer(FAST), blank(tmp_path / "in", 4)))
    assert not any(outcome.error for outcome in outcomes) and torch.get_num_threads() == before


def test_restorers_for_threads_share_their_nets_and_don_t_wait_for_each_other(restorer):
    one, other = restorer.for_a_thread(2), restorer.for_a_thread(2)
    assert one.method is other.method is restorer.method
    assert one.settings.threads == 1 and one.at_once is not other.at_once and one.at_once.sharing == 2
    with one._one_at_a_time, ThreadPoolExecutor(1) as pool:
        assert pool.submit(other._one_at_a_time.acquire, timeout=5).result()


def test_where_memory_is_short_a_photograph_has_one_thread_all_the_same(restorer, monkeypatch):
    monkeypatch.setattr("limner.device.free_memory", lambda device: 250_000_000)
    assert at_once_of(restorer) == 1
    (one,) = workers(restorer, 1)
    assert one.settings.threads == 1 and restorer.settings.threads == 3
