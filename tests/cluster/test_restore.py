"""Photographs restored by workers have the bytes of one process, whatever becomes of the workers."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.archive.facts import ElsewhereOutcome, facts_of, of_file
from limner.archive.manifest import Manifest
from limner.cli.report import Report
from limner.cluster.pool import Pool
from limner.cluster.ray_package import ray
from limner.cluster.restore import RestoreJob, _Restores, without_pixels
from limner.errors import LimnerError
from limner.folder.find import Source
from limner.folder.in_order import Stop
from limner.folder.run import Outcome, Run, Saving
from limner.folder.targets import Target
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance
from limner.restoration import Restoration
from limner.settings import Settings

FAST = ["--steps", "1", "--finish", "0"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Faces, a wall, a broken file, a result of limner's."""
    folder = tmp_path_factory.mktemp("cluster") / "photos"
    (folder / "1950").mkdir(parents=True)
    face = Image.fromarray(astronaut()[:300, 80:380])
    for number in range(6):
        face.resize((96 + number, 96 + number)).save(folder / ("1950" if number % 2 else "") / f"face{number}.jpg")
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(folder / "wall.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    Photo.open(folder / "wall.png").save(folder / "own.png", provenance=Provenance("fill", "mini", None, 0, "0"))
    return folder


@pytest.fixture(scope="module")
def alone(photos) -> dict:
    """What one process makes of them on one thread, and its manifest."""
    out = photos.parent / "alone"
    words = ["restore", str(photos), "-o", str(out), *FAST, "--threads", "1"]
    done = subprocess.run([sys.executable, "-m", "limner", *words], capture_output=True, text=True)
    assert done.returncode == 1 and "1 of 9 photos failed" in done.stderr, done.stderr
    return made(out)


def made(out: Path) -> dict:
    """All results, and what the manifest knows that doesn't depend on the clock."""
    with Manifest(out) as manifest:
        rows = manifest.ask(
            "SELECT place, source, photos.size, mtime_ns, photos.sha256, mask, settings, weights, version, limits, "
            "state, sentence, faces, notes, tries, path, outputs.size, outputs.sha256 "
            "FROM photos JOIN asked ON asked.id = asked LEFT JOIN outputs ON photo = photos.id ORDER BY photos.id"
        )
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    files = {name: data for name, data in files.items() if not name.startswith(".limner")}
    return {"rows": rows, "files": files}


@pytest.mark.slow
def test_two_workers_give_the_bytes_of_one_process(two_cpus, run, photos, alone):
    code, _, err = run("restore", photos, "-o", photos.parent / "two", *FAST, "--engine", "ray")
    assert code == 1 and "1 of 9 photos failed" in err and "own.png: made by limner earlier, so left alone" in err
    assert len(alone["files"]) == 7 and made(photos.parent / "two") == alone


@pytest.mark.slow
def test_so_they_do_when_one_of_them_is_killed(two_cpus, run, photos, alone, monkeypatch):
    pools, add = list[Pool](), Report.add
    monkeypatch.setattr(Pool, "__enter__", lambda pool: pools.append(pool) or pool)

    def add_and_kill(report: Report, outcome: Outcome) -> None:
        if not report.results:
            os.kill(pools[0].ready[0].process, signal.SIGKILL)
        add(report, outcome)

    monkeypatch.setattr(Report, "add", add_and_kill)
    code, _, err = run("restore", photos, "-o", photos.parent / "killed", *FAST, "--engine", "ray")
    assert code == 1 and "1 of 9 photos failed" in err
    assert made(photos.parent / "killed") == alone
    assert len(pools[0].ready) >= 2 and not list((photos.parent / "killed").rglob("*.part"))


@pytest.mark.slow
def test_a_run_that_is_asked_to_end_ends_its_workers_and_goes_on_where_it_stopped(two_cpus, run, photos, alone):
    out = photos.parent / "asked"
    words = ["restore", str(photos), "-o", str(out), *FAST, "--engine", f"ray:{ray.get_runtime_context().gcs_address}"]
    command = [sys.executable, "-m", "limner", *words, "--json"]
    asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while asked.poll() is None and not list(out.glob("face*.jpg")):
        time.sleep(0.05)
    asked.terminate()
    told, err = asked.communicate(timeout=100)
    assert asked.returncode == 130 and "limner: interrupted." in err, err
    *done, last = json.loads(told)
    assert last["error"] == "Interrupted." and len(done) < 9
    assert not list(out.rglob("*.part"))
    for path in out.rglob("*.jpg"):
        assert path.read_bytes() == alone["files"][str(path.relative_to(out))]
    while ray.available_resources().get("CPU") != 2:  # its workers have ended
        time.sleep(0.05)
    assert run(*words)[0] == 1 and made(out)["files"] == alone["files"]


def target(folder: Path, name: str = "a.png") -> Target:
    return Target(Source(folder / name, Path(name)), (folder / "out" / name,))


def test_a_machine_that_does_not_see_the_photos_is_told(tmp_path):
    job = RestoreJob(Settings(), Saving(), (tmp_path, tmp_path / "a.jpg"))
    with pytest.raises(LimnerError, match=rf"^{tmp_path}/a.jpg isn't seen here: photos, results and weights of one's"):
        job.begin()


def test_a_photo_that_kills_workers_is_told_and_known_by_its_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(b"any")
    lost = RestoreJob(Settings(), Saving()).lost(target(tmp_path), 3)
    assert lost.error and lost.error.startswith(f"{tmp_path}/a.png ended 3 workers, one after another, as where memory")
    assert lost.facts == facts_of(target(tmp_path), None) and lost.facts.size == 3


def test_what_goes_back_has_no_pixels(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"result")
    pixels = np.zeros((9, 9, 3), np.uint8)
    whole = Restoration([Photo(pixels, "PNG")], [], None, 0.5, pixels[..., 0], aligned=[pixels], notes=["It is small."])
    facts = facts_of(target(tmp_path), None)
    told = without_pixels(Outcome(tmp_path / "a.png", target(tmp_path).outputs, whole), facts)
    assert isinstance(told, ElsewhereOutcome) and told.restoration
    assert told.results == (of_file(tmp_path / "out" / "a.png"),)
    assert (told.restoration.notes, told.restoration.seconds) == (["It is small."], 0.5)
    assert not told.restoration.photos and not told.restoration.aligned and not told.restoration.invented.size
    gone = without_pixels(Outcome(tmp_path / "a.png", (tmp_path / "gone.png",), whole), facts)
    assert gone.results is None and gone.restoration


def test_a_result_among_the_photos_is_told_unless_it_was_named(photos, monkeypatch):
    monkeypatch.setattr(Run, "outcome", lambda run, target, stop: Outcome(target.source.path, target.outputs))
    own = target(photos, "own.png")
    job, run = RestoreJob(Settings(), Saving(), opened=True), Run(None, Saving())  # type: ignore[arg-type]  # not asked
    assert _Restores(job, run, set())(own, Stop()).own
    assert not _Restores(job, run, set())(target(photos, "wall.png"), Stop()).own
    assert not _Restores(replace(job, named=frozenset({own.source.path})), run, set())(own, Stop()).own
    assert not _Restores(replace(job, opened=False), run, set())(own, Stop()).own
