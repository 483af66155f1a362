"""What is left to do: new, changed, lost, failed; nothing of what is done."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from limner.archive.claims import Claims
from limner.archive.manifest import FAILED, SKIPPED, WAITING, Manifest
from limner.archive.plan import Plan, told_changes
from limner.errors import LimnerError
from limner.folder.pictures import SidePictures
from limner.holes.mask import MaskFiles

from .conftest import ASKED


def names(plan: Plan) -> list[str]:
    return [target.source.place.name for _, target in plan.todo]


def test_without_a_manifest_all_is_new(archive):
    (archive.out / "0").mkdir(parents=True)
    (archive.out / "0" / "2.jpg").write_text("something")
    planned = archive.plan(None)
    assert names(planned) == ["0.jpg", "2.jpg", "4.jpg", "1.jpg", "3.jpg", "5.jpg"]
    assert (planned.new, planned.there) == (6, 1)


def test_what_is_done_is_done(archive, manifest):
    assert archive.restore(manifest) == 6
    planned = archive.plan(manifest)
    assert planned.todo == [] and len(planned.done) == 6 and archive.restore(manifest) == 0


def test_a_moved_archive_fits_its_manifest(archive, manifest, tmp_path):
    archive.restore(manifest)
    manifest.__exit__()
    (tmp_path / "moved").mkdir()
    for folder in (archive.photos, archive.out):
        folder.rename(tmp_path / "moved" / folder.name)
    moved = type(archive)(tmp_path / "moved")
    with Manifest(moved.out) as opened:
        assert moved.plan(opened).todo == []


def test_a_photo_with_other_bytes_is_redone_and_a_touched_one_is_not(archive, manifest):
    archive.restore(manifest)
    os.utime(archive.photos / "0" / "0.jpg", (1, 1))
    archive.photo("0/2.jpg", b"0/X.jpg")
    archive.photo("0/4.jpg", b"of another length")
    planned = archive.plan(manifest)
    assert names(planned) == ["2.jpg", "4.jpg"] and told_changes(planned) == "2 photo"
    assert len(planned.touched) == 1 and archive.restore(manifest) == 2
    again = archive.plan(manifest)
    assert again.todo == [] and again.touched == [], "its new time is noted"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"settings": '{"seed": 1}'}, "6 settings (seed)"),
        ({"settings": '{"seed": 0, "steps": 3}'}, "6 settings (steps)"),
        ({"weights": "others"}, "6 weights"),
        ({"version": "2"}, "6 version 1"),
        ({"weights": "others", "version": "2"}, "6 weights, version 1"),
    ],
)
def test_other_wishes_redo_or_keep_or_fail(archive, manifest, other, told):
    archive.restore(manifest)
    asked = replace(ASKED, **other)
    planned = archive.plan(manifest, asked=asked)
    assert len(planned.todo) == 6 and told_changes(planned) == told
    kept = archive.plan(manifest, asked=asked, if_changed="keep")
    assert kept.todo == [] and len(kept.done) == 6 and told_changes(kept) == told
    with pytest.raises(LimnerError, match=r"6 results are of other photos or settings .*\(6 .*redo makes"):
        archive.plan(manifest, asked=asked, if_changed="fail")
    assert archive.plan(manifest, if_changed="fail").todo == []
    assert archive.restore(manifest, asked) == 6 and archive.plan(manifest, asked=asked).todo == []
    assert len(archive.plan(manifest).todo) == 6


def test_a_limit_is_no_change_of_what_is_done(archive, manifest):
    archive.restore(manifest)
    assert archive.plan(manifest, asked=replace(ASKED, limits="50 megapixels")).todo == []


def test_all_is_made_anew_if_that_is_asked_for(archive, manifest):
    archive.restore(manifest)
    assert len(archive.plan(manifest, overwrite=True).todo) == 6


def test_a_lost_result_is_made_anew(archive, manifest):
    archive.restore(manifest)
    (archive.out / "0" / "2.jpg").unlink()
    (archive.out / "0" / "4.jpg").write_bytes(b"")
    planned = archive.plan(manifest)
    assert names(planned) == ["2.jpg", "4.jpg"] and planned.missing == 2
    assert len(archive.plan(manifest, if_changed="keep").todo) == 2


def test_a_missing_picture_beside_is_made(archive, manifest):
    archive.restore(manifest)
    beside = SidePictures(maps=archive.out.parent / "maps")
    assert archive.plan(manifest, beside=beside).missing == 6
    with manifest.change() as rows:
        rows.execute("UPDATE photos SET faces = 0")
    assert archive.plan(manifest, beside=beside).missing == 0, "photos without a face have none"


def test_failed_ones_are_tried_again_when_something_changed_or_on_request(archive, manifest):
    archive.restore(manifest)
    with manifest.change() as rows:
        rows.execute("UPDATE photos SET state = ?, sentence = 'bad'", (FAILED,))
    assert archive.plan(manifest).todo == [] and len(archive.plan(manifest).failed) == 6
    for wish in (
        {"retry_failed": True},
        {"overwrite": True},
        {"asked": replace(ASKED, limits="200 megapixels")},
        {"asked": replace(ASKED, version="2"), "if_changed": "keep"},
    ):
        planned = archive.plan(manifest, **wish)
        assert planned.retried == 6 and planned.failed == []
    archive.photo("0/2.jpg", b"mended")
    assert names(archive.plan(manifest)) == ["2.jpg"] and archive.restore(manifest) == 1


def test_what_is_in_the_way_is_looked_at_again_when_it_has_gone(archive, manifest):
    archive.restore(manifest)
    with manifest.change() as rows:
        rows.execute("UPDATE photos SET state = ?, sentence = 'in the way'", (SKIPPED,))
    assert archive.plan(manifest).skipped == 6
    (archive.out / "0" / "2.jpg").unlink()
    assert names(archive.plan(manifest)) == ["2.jpg"] and len(archive.plan(manifest, overwrite=True).todo) == 6


def test_another_mask_redoes_its_photo(archive, manifest, tmp_path):
    masks = tmp_path / "masks"
    (masks / "0").mkdir(parents=True)
    files = MaskFiles(str(masks), single=False)
    archive.restore(manifest)
    assert archive.plan(manifest, masks=files).todo == [], "none has a mask"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(masks / "0" / "2.png")
    planned = archive.plan(manifest, masks=MaskFiles(str(masks), single=False))
    assert names(planned) == ["2.jpg"] and told_changes(planned) == "1 mask"


def test_photos_that_were_never_restored_and_are_gone_are_forgotten(archive, manifest):
    with Claims(manifest, ASKED) as claims:
        claims.prepare(archive.plan(manifest))
    (archive.photos / "0" / "2.jpg").unlink()
    assert archive.restore(manifest) == 5 and manifest.counts()[WAITING] == 0
    (archive.photos / "0" / "4.jpg").unlink()
    assert archive.restore(manifest) == 0 and manifest.counts()["done"] == 5, "what is done stays known"


def test_planning_writes_nothing(archive, manifest):
    archive.restore(manifest)
    archive.photo("0/2.jpg", b"other")
    manifest.ask("PRAGMA query_only = ON")
    assert names(archive.plan(manifest)) == ["2.jpg"]
