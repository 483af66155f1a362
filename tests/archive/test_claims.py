"""Processes that share an archive."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from limner.archive.claims import AT_ONCE, LEASE, Claims, SeenFrom, workers
from limner.archive.manifest import CLAIMED, WAITING, Manifest
from limner.errors import LimnerError

from .conftest import ASKED, Archive


@pytest.fixture
def other(archive, manifest):
    """A second connection."""
    with Manifest(archive.out, create=True) as opened:
        yield opened


def prepared(archive: Archive, claims: Claims) -> list[bytes]:
    planned = archive.plan(claims.manifest, since=claims.since)
    claims.prepare(planned)
    return [place for place, _ in planned.todo]


def age(manifest: Manifest, worker: int, seconds: float, where: str = "elsewhere") -> None:
    """As if a process of another machine had last been seen so long ago."""
    with manifest.change() as rows:
        rows.execute("UPDATE workers SET seen = ?, processes = ? WHERE id = ?", (time.time() - seconds, where, worker))


def test_two_share_and_each_photo_is_claimed_once(archive, manifest, other):
    for number in range(30):
        archive.photo(f"{number}.jpg")
    with Claims(manifest, ASKED) as one, Claims(other, ASKED) as two:
        places = prepared(archive, one)
        assert prepared(archive, two) == places and len(places) == 36
        first, second = one.each(places), two.each(places)
        taken = [(next(first, None), next(second, None)) for _ in range(20)]
        mine, theirs = ([one[0] for one in share if one] for share in zip(*taken, strict=True))
    assert sorted(mine + theirs) == list(range(36)) and len(mine) >= 10 and len(theirs) >= 10


def test_no_more_is_claimed_than_a_few(archive, manifest):
    with Claims(manifest, ASKED) as claims:
        next(claims.each(prepared(archive, claims)))
        assert manifest.counts()[CLAIMED] == AT_ONCE
    assert manifest.counts()[CLAIMED] == 0 and manifest.counts()[WAITING] == 6, "who takes leave gives back"
    assert workers(manifest) == []


def test_what_others_are_at_is_left_to_them(archive, manifest, other):
    with Claims(manifest, ASKED) as one, Claims(other, ASKED) as two:
        places = prepared(archive, one)
        next(one.each(places))
        assert [number for number, _ in two.each(places)] == [4, 5]
        assert one.held_by_others(places) == 6 and two.held_by_others(places[:4]) == 4


def test_a_lease_that_has_run_out_frees_its_claims(archive, manifest, other):
    with Claims(manifest, ASKED) as one, Claims(other, ASKED) as two:
        places = prepared(archive, one)
        next(one.each(places))
        age(other, one.id, LEASE - 10)
        assert len(list(two.each(places))) == 2
        assert two.changes == 0
        age(other, one.id, LEASE + 1)
        assert len(list(two.each(places))) == 4
        assert two.changes == 1 and [worker.id for worker in workers(other)] == [two.id]


def test_who_goes_on_sees_that_a_third_process_has_found_one_ended(archive, manifest, other):
    """What the ended one left lies where the first will write next."""
    first = Claims(manifest, ASKED)
    with Claims(other, ASKED) as two:
        places = prepared(archive, two)
        drawn = two.each(places)
        next(drawn)
        age(other, first.id, LEASE + 1)
        with Claims(manifest, ASKED):
            assert two.changes == 0, "not looked yet"
            list(drawn)
        assert two.changes == 1


def test_a_killed_process_of_this_machine_frees_its_claims_at_once(archive, manifest):
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from limner.archive.manifest import Manifest
from limner.archive.claims import Claims
from tests.archive.conftest import ASKED, Archive
archive = Archive(Path({str(archive.out.parent)!r}))
manifest = Manifest(archive.out, create=True)
claims = Claims(manifest, ASKED)
planned = archive.plan(manifest)
claims.prepare(planned)
next(claims.each([place for place, _ in planned.todo]))
print("claimed", flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout and process.stdout.readline() == "claimed\n"
        assert manifest.counts()[CLAIMED] == AT_ONCE and [one.at_work for one in workers(manifest)] == [True]
        process.kill()
        process.wait()
    assert [one.at_work for one in workers(manifest)] == [False]
    assert archive.restore(manifest) == 6 and workers(manifest) == []


def test_the_heart_beats(archive, manifest, monkeypatch):
    monkeypatch.setattr("limner.archive.claims.HEARTBEAT", 0.01)
    with Claims(manifest, ASKED) as claims:
        age(manifest, claims.id, 999)
        while workers(manifest)[0].seen < time.time() - 5:
            time.sleep(0.01)
        with manifest.change() as rows:
            rows.execute("DELETE FROM workers")  # another took it for dead
        while not workers(manifest):
            time.sleep(0.01)
        assert workers(manifest)[0].id == claims.id


def test_other_settings_at_the_same_time_are_refused(archive, manifest, other):
    told = r"Process \d+ on .* is restoring into .*out with other settings: wait"
    with Claims(manifest, ASKED), pytest.raises(LimnerError, match=told):
        Claims(other, replace(ASKED, settings='{"seed": 1}'))
    with Claims(other, replace(ASKED, settings='{"seed": 1}')):
        pass


def test_what_another_has_done_meanwhile_stays_done(archive, manifest, other):
    """Both make all anew: what the first has done since it started isn't done again."""
    archive.restore(manifest)
    with manifest.change() as rows:
        rows.execute("UPDATE photos SET ended = ended - 100")
    with Claims(manifest, ASKED) as one:
        planned = archive.plan(manifest, overwrite=True)
        one.prepare(planned)
        number, photo = next(one.each([place for place, _ in planned.todo]))
        with Claims(other, ASKED) as two:
            late = archive.plan(other, overwrite=True, since=two.since)
            archive.finish(one, planned.todo[number][1], photo)
            two.prepare(late)
            assert number not in [place for place, _ in two.each([place for place, _ in late.todo])]
            time.sleep(1.1)  # `finish` counts whole seconds
            again = archive.plan(other, overwrite=True, since=min(two.since or 0, time.time() - 50))
            assert len(again.done) == 1 and len(again.todo) == 5


def test_paths_as_they_are_seen(tmp_path):
    seen = SeenFrom(tmp_path / "out")
    assert [seen(tmp_path / name) for name in ("in/a.jpg", "in/b.jpg", "out/c.jpg")] == [
        "../in/a.jpg",
        "../in/b.jpg",
        "./c.jpg",
    ]
