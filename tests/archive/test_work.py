"""What is handed out, and what is noted of it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from limner.archive.claims import Claims
from limner.archive.plan import Wish, plan
from limner.archive.work import Work, without_looking
from limner.faces.references import FacePerson
from limner.folder.pictures import SidePictures
from limner.folder.run import Outcome, Saving
from limner.process import processes
from limner.restoration import Restoration

from .conftest import ASKED

RESTORER = None
"""No test here lets a result be looked into, which alone asks it."""


@pytest.fixture
def claims(manifest):
    with Claims(manifest, ASKED) as joined:
        yield joined


def work_of(archive, claims, saving: Saving | None = None, **wish) -> Work:
    planned = plan(claims.manifest, archive.targets(), Wish(ASKED, **wish))
    claims.prepare(planned)
    return Work(claims, planned, Wish(ASKED, **wish), RESTORER, saving or Saving())


def restoration(**told) -> Restoration:
    return Restoration([], [], None, 0.5, np.zeros((1, 1), np.uint8), **told)


def done(target, **told) -> Outcome:
    for output in target.outputs:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(b"result")
    return Outcome(target.source.path, target.outputs, restoration(**told))


def test_outcomes_are_noted_in_the_order_of_the_targets(archive, claims):
    work = work_of(archive, claims)
    handed = list(work.targets())  # a pipeline draws ahead
    assert [target.source.place.name for target in handed] == ["0.jpg", "2.jpg", "4.jpg", "1.jpg", "3.jpg", "5.jpg"]
    assert work.at == handed[0].source.path
    work.record(done(handed[0], notes=["The photo is small."]))
    work.record(Outcome(handed[1].source.path, handed[1].outputs, error="It is broken."))
    assert work.at == handed[2].source.path
    with pytest.raises(AssertionError, match=r"5\.jpg was told of in the place of .*4\.jpg"):
        work.record(done(handed[5]))
    told = claims.manifest.ask(
        "SELECT state, sentence, faces, notes, seconds, tries, length(sha256) FROM photos WHERE ended NOTNULL "
        "ORDER BY id"
    )
    assert told == [
        ("no face", None, 0, '["The photo is small."]', 0.5, 1, 64),
        ("failed", "It is broken.", None, None, None, 1, 64),
    ]
    ((path, size, digest),) = claims.manifest.outputs(1)
    assert (path, size, len(digest)) == (Path("0/0.jpg"), 6, 64)


def test_no_name_of_an_album_is_noted(archive, claims):
    work = work_of(archive, claims)
    target = next(work.targets())
    person = FacePerson(0, "known", "Anna", 0.9)
    work.record(done(target, people=[person], notes=["Face 0 is Anna.", "The photo is small."]))
    assert claims.manifest.ask("SELECT notes FROM photos WHERE id = 1") == [('["The photo is small."]',)]


def test_a_claim_that_was_lost_is_noted_by_the_other(archive, claims):
    work = work_of(archive, claims)
    target = next(work.targets())
    with claims.manifest.change() as rows:
        rows.execute("UPDATE photos SET worker = NULL, state = 'done' WHERE id = 1")
    work.record(done(target))
    assert claims.manifest.ask("SELECT state, faces FROM photos WHERE id = 1") == [("done", None)]
    assert claims.manifest.outputs(1) == []


def test_a_result_as_it_was_written_is_made_anew_without_a_look(archive, claims):
    work = work_of(archive, claims)
    for target in work.targets():
        work.record(done(target))
    archive.photo("0/2.jpg", b"another photo")
    (target,) = work_of(archive, claims).targets()
    assert target.source.place == Path("0/2.jpg")


def test_a_file_that_nobody_can_read_is_handed_out(archive, claims):
    """Restoring it says what is wrong."""
    work = work_of(archive, claims)
    (archive.photos / "0" / "0.jpg").unlink()
    target = next(work.targets())
    work.record(Outcome(target.source.path, target.outputs, error="It is gone."))
    assert claims.manifest.ask("SELECT state, sha256 FROM photos WHERE id = 1") == [("failed", None)]


def test_what_killed_processes_left_is_swept_where_files_go(archive, claims, tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        other.wait()
    dead = f".{processes()}{other.pid:08x}{'0' * 16}.part"
    mine = f".{processes()}{os.getpid():08x}{'0' * 16}.part"
    folders = [archive.out / "0", tmp_path / "maps" / "0"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / dead).touch()
        (folder / mine).touch()
    work = work_of(archive, claims, Saving(beside=SidePictures(maps=tmp_path / "maps")))
    targets = work.targets()
    next(targets)
    assert [path.name for folder in folders for path in folder.iterdir()] == [mine, mine]
    (folders[0] / dead).touch()
    claims.changes += 1  # another process has ended meanwhile
    list(targets)
    assert [path.name for path in folders[0].iterdir()] == [mine]


def test_restore_all_is_not_asked_to_look(tmp_path):
    assert without_looking(Saving(quality=80)) == Saving(quality=80, overwrite=True)
