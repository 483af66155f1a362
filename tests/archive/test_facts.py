"""What the manifest is told of files, by whoever has read them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from limner.archive.claims import Claims
from limner.archive.facts import ElsewhereOutcome, Facts, facts_of, of_file
from limner.archive.plan import Wish, plan
from limner.archive.work import Work
from limner.folder.run import Saving
from limner.holes.mask import MaskFiles
from limner.restoration import Restoration

from .conftest import ASKED


@pytest.fixture
def claims(manifest):
    with Claims(manifest, ASKED) as joined:
        yield joined


def work_of(archive, claims) -> Work:
    planned = plan(claims.manifest, archive.targets(), Wish(ASKED))
    claims.prepare(planned)
    return Work(claims, planned, Wish(ASKED), lambda: pytest.fail("no result is there"), Saving(), elsewhere=True)


def test_a_photo_is_known_by_its_bytes_and_its_mask(archive):
    target = archive.targets()[0]
    told = facts_of(target, MaskFiles("auto-black", False))
    data = target.source.path.read_bytes()
    assert told == Facts(
        len(data), target.source.path.stat().st_mtime_ns, hashlib.sha256(data).hexdigest(), "auto-black"
    )
    assert of_file(target.source.path) == (told.size, told.sha256)
    target.source.path.unlink()
    assert facts_of(target, None) == Facts()


def test_what_others_restored_is_noted_as_they_tell_it(archive, claims, monkeypatch):
    work = work_of(archive, claims)
    first, second, *_ = work.targets()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr(Path, "open", lambda path, *_: pytest.fail(f"{path} was read"))
    done = Restoration([], [], None, 0.5, np.zeros((0, 0), np.uint8))
    facts = Facts(5, 6, "of the photo", "of the mask")
    assert work.record(ElsewhereOutcome(first.source.path, first.outputs, done, facts=facts, results=((7, "of it"),)))
    assert not work.record(ElsewhereOutcome(second.source.path, second.outputs, facts=facts, own=True))
    rows = claims.manifest.ask("SELECT state, size, mtime_ns, sha256, mask, sentence FROM photos WHERE ended NOTNULL")
    assert rows[0] == ("no face", 5, 6, "of the photo", "of the mask", None)
    assert rows[1][0] == "skipped" and "made by limner earlier, so left alone" in rows[1][-1]
    assert claims.manifest.outputs(1) == [(Path("0/0.jpg"), 7, "of it")] and work.own == [second.source.path]


def test_a_result_that_was_gone_at_once_is_a_failure(archive, claims):
    work = work_of(archive, claims)
    target = next(work.targets())
    done = Restoration([], [], None, 0.5, np.zeros((0, 0), np.uint8))
    work.record(ElsewhereOutcome(target.source.path, target.outputs, done, results=None))
    ((state, sentence),) = claims.manifest.ask("SELECT state, sentence FROM photos WHERE ended NOTNULL")
    assert state == "failed" and "is gone since it was written" in sentence
