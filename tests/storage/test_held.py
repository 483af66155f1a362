"""One process at a time has a folder of results in a store."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limner.archive.manifest import Manifest, manifest_file
from limner.errors import LimnerError
from limner.process import processes
from limner.storage import held as holding
from limner.storage.address import Address
from limner.storage.objects import Objects

LOCK, MANIFEST = "out/.limner/lock.json", "out/.limner/manifest.sqlite"


@pytest.fixture
def mirrors(bucket, tmp_path, monkeypatch):
    """Makes one process's objects and its folder of results after another."""
    monkeypatch.setattr(holding, "WATCH", 0.5)

    def made() -> tuple[Objects, Path]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        objects = Objects(folder)
        return objects, objects.output(Address("s3", f"{bucket.name}/out"), folder=True)

    return made


def lock_of(number: int, where: str) -> bytes:
    return json.dumps({"id": "other", "host": "elsewhere", "processes": where, "pid": number, "written": 0}).encode()


def test_a_manifest_comes_and_goes_with_the_run(bucket, mirrors):
    for count in range(3):
        objects, out = mirrors()
        with objects.held(out):
            assert bucket.notes() == {LOCK} | ({MANIFEST} if count else set())
            with Manifest(out, create=True) as manifest, manifest.change() as rows:
                ((before,),) = rows.execute("SELECT count(*) FROM photos").fetchall()
                rows.execute(
                    "INSERT INTO photos (place, source, size, mtime_ns, state) VALUES (?, '', 0, 0, '')", [str(count)]
                )
            assert before == count
        assert bucket.notes() == {MANIFEST}


def test_a_second_process_is_refused(bucket, mirrors, monkeypatch):
    monkeypatch.setattr(holding, "BEAT", 0.1)
    (first, out), (second, other) = mirrors(), mirrors()
    with (
        first.held(out),
        pytest.raises(
            LimnerError, match=r"is restoring into .*out, which a store lends to one process at a time: wait"
        ),
        second.held(other),
    ):
        pass
    assert bucket.notes() == set(), "the refused one has taken away nothing of the first's, nor left anything"
    with second.held(other):
        pass


def test_the_lock_of_a_process_that_ended_here_is_taken_over_at_once(bucket, mirrors, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    bucket.put(LOCK, lock_of(ended.pid, processes()))
    monkeypatch.setattr(holding, "WATCH", 600)
    objects, out = mirrors()
    with objects.held(out):
        assert json.loads(bucket.get(LOCK))["pid"] == os.getpid()
    assert bucket.notes() == set()


def test_the_lock_of_another_machine_is_watched(bucket, mirrors):
    bucket.put(LOCK, lock_of(1, "00000000"))
    objects, out = mirrors()
    begun = time.monotonic()
    with objects.held(out):
        assert time.monotonic() - begun >= holding.WATCH
        assert json.loads(bucket.get(LOCK))["pid"] == os.getpid()


def test_whoever_was_taken_over_ends_and_leaves_the_other_s_alone(bucket, mirrors, monkeypatch):
    monkeypatch.setattr(holding, "BEAT", 0.1)
    objects, out = mirrors()
    taken = pytest.raises(LimnerError, match="Another process has taken .*out over while this one couldn't be heard of")
    with taken, objects.held(out):
        objects.check()
        bucket.put(LOCK, lock_of(1, "00000000"))
        until = time.monotonic() + 20
        while time.monotonic() < until:
            objects.check()
            time.sleep(0.05)
        pytest.fail("it wasn't noticed")
    assert bucket.get(LOCK) == lock_of(1, "00000000") and bucket.notes() == {LOCK}


def test_a_process_that_slept_stores_nothing_over_its_successor_s(bucket, mirrors, monkeypatch):
    monkeypatch.setattr(holding, "SAVED", 0.1)  # and no beat, that would tell it first
    objects, out = mirrors()
    with pytest.raises(LimnerError, match="Another process has taken"), objects.held(out):
        bucket.put(LOCK, lock_of(1, "00000000"))
        bucket.put(MANIFEST, b"the successor's")
        with Manifest(out, create=True):
            time.sleep(1)
    assert bucket.get(MANIFEST) == b"the successor's" and bucket.get(LOCK) == lock_of(1, "00000000")


def test_the_manifest_is_stored_while_the_run_goes_on(bucket, mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(holding, "SAVED", 0.1)
    objects, out = mirrors()
    with objects.held(out), Manifest(out, create=True) as manifest:
        with manifest.change() as rows:
            rows.execute("INSERT INTO photos (place, source, size, mtime_ns, state) VALUES ('a', '', 0, 0, 'done')")
        copy = manifest_file(tmp_path / "copy")
        copy.parent.mkdir(parents=True)
        until, counts = time.monotonic() + 20, {}
        while counts.get("done") != 1 and time.monotonic() < until:
            time.sleep(0.05)
            if MANIFEST in bucket.notes():
                copy.write_bytes(bucket.get(MANIFEST))
                try:
                    with Manifest(tmp_path / "copy") as stored:
                        counts = stored.counts()
                except LimnerError:  # stored before its tables were made
                    continue
        assert counts["done"] == 1


def test_a_store_that_fails_at_the_end_is_told(bucket, mirrors, monkeypatch):
    objects, out = mirrors()

    def fails(*_: object) -> None:
        raise OSError("no answer")

    with pytest.raises(LimnerError, match=r"out can't be reached \(no answer\)"), objects.held(out):
        monkeypatch.setattr(objects._object(out)[0], "rm_file", fails)
