"""Taking photographs in: only what is needed, whatever was moved, deleted, changed, broken or killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.album.index import Indexed, Indexer, overlap
from limner.album.people import name_faces
from limner.album.store import Album
from limner.faces.placing import AlignedCrop

from .conftest import Patterns, photos_in, picture, save


def test_only_new_photos_are_looked_at(indexer, folder):
    first = indexer.run(photos_in(folder), [folder])
    assert (first.added, first.faces, indexer.recogniser.seen) == (6, 6, 6)
    assert indexer.run(photos_in(folder), [folder]) == Indexed(known=6)
    save(folder, 7)
    assert indexer.run(photos_in(folder), [folder]) == Indexed(known=6, added=1, faces=1)
    assert indexer.recogniser.seen == 7


def test_moved_deleted_changed_touched_copied(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    (folder / "sub").mkdir()
    shutil.move(folder / "p0_0.jpg", folder / "sub" / "renamed.jpg")
    (folder / "p0_1.jpg").unlink()
    save(folder, 1, 0).write_bytes(save(folder, 9).read_bytes())
    (folder / "p9_0.jpg").unlink()
    os.utime(folder / "p1_1.jpg", (1, 1))
    shutil.copy(folder / "p2_0.jpg", folder / "copy.jpg")
    done = indexer.run(photos_in(folder), [folder])
    assert done == Indexed(known=3, changed=1, moved=1, copied=1, removed=1, faces=1)
    assert indexer.recogniser.seen == 7, "the changed one alone was looked at"
    names = {photo.path.name for photo in album.photos()}
    assert names == {"renamed.jpg", "p1_0.jpg", "p1_1.jpg", "p2_0.jpg", "p2_1.jpg", "copy.jpg"}
    assert len(album.faces()) == 6
    assert indexer.run(photos_in(folder), [folder]) == Indexed(known=6)


def test_what_lies_elsewhere_stays(indexer, folder, tmp_path, album):
    other = tmp_path / "other"
    other.mkdir()
    indexer.run([*photos_in(folder), save(other, 5)], [folder, other])
    (other / "p5_0.jpg").unlink()
    assert indexer.run(photos_in(folder), [folder]).removed == 0
    assert len(album.photos()) == 7
    assert indexer.run([], [other]).removed == 1


def test_a_bad_photo_ends_no_run_and_is_told_again(indexer, folder):
    (folder / "torn.jpg").write_bytes((folder / "p0_0.jpg").read_bytes()[:700])
    done = indexer.run(photos_in(folder), [folder])
    assert done.added == 7 and len(done.failed) == 1 and "torn.jpg is a damaged or truncated JPEG" in done.failed[0]
    again = indexer.run(photos_in(folder), [folder])  # it may have been a limit, so it is tried again
    assert (again.known, again.changed) == (6, 1) and again.failed == done.failed
    (folder / "torn.jpg").write_bytes((folder / "p0_0.jpg").read_bytes())
    assert indexer.run(photos_in(folder), [folder]).copied == 1


def test_an_unexpected_failure_is_that_photos(indexer, folder, monkeypatch):
    find = AlignedCrop.find

    def failing(self, rgb):
        if rgb[0, 0, 0] == first:
            raise MemoryError("16 GB")
        return find(self, rgb)

    first = np.asarray(Image.open(folder / "p0_0.jpg"))[0, 0, 0]
    monkeypatch.setattr(AlignedCrop, "find", failing)
    done = indexer.run(photos_in(folder), [folder])
    assert "p0_0.jpg can't be looked at: unexpected MemoryError" in done.failed[0] and done.faces >= 4


def test_the_day_comes_from_the_exif(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    assert {photo.path.name: photo.taken for photo in album.photos()}["p1_1.jpg"] == "1970-05-02"


def test_names_survive_a_change_unless_somebody_else_is_there_now(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    for face in album.faces():
        name_faces(album, [face.id], album.photo(face.photo).path.name[:2].replace("p", "who "))
    Image.fromarray(picture(0, 0) // 2 + 40).save(folder / "p0_0.jpg")  # the same face, in another light
    Image.fromarray(picture(8, 0)).save(folder / "p1_0.jpg")
    assert indexer.run(photos_in(folder), [folder]).changed == 2
    named = dict(album.ask("SELECT photos.path, people.name FROM faces JOIN photos ON photos.id = faces.photo "
                           "LEFT JOIN people ON people.id = faces.person"))  # fmt: skip
    by_name = {Path(os.fsdecode(path)).name: name for path, name in named.items()}
    assert (by_name["p0_0.jpg"], by_name["p1_0.jpg"], by_name["p1_1.jpg"]) == ("who 0", None, "who 1")


def test_another_recogniser_looks_anew_and_keeps_the_names(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    name_faces(album, [album.faces()[0].id], "Anna")
    other = Patterns()
    other.name = "others"
    done = Indexer(album, other, AlignedCrop()).run(photos_in(folder), [folder])
    assert done.changed == other.seen == 6
    assert [name for (name,) in album.ask("SELECT name FROM people JOIN faces ON person = people.id")] == ["Anna"]


def test_vectors_of_another_recogniser_are_never_compared(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    wider = Patterns()
    wider.name, wider.width = "wider", 32
    Indexer(album, wider, AlignedCrop()).run([], [])  # stopped before it has looked at any
    assert album.vectors().vectors.shape == (6, 32) and not album.vectors().vectors.any()


SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import Patterns, photos_in
from limner.album.index import Indexer
from limner.album.store import Album
from limner.faces.placing import AlignedCrop

class Slow(Patterns):
    def __call__(self, crops, damage):
        time.sleep(0.05)
        return super().__call__(crops, damage)

with Album(create=True) as album:
    indexer = Indexer(album, Slow(), AlignedCrop())
    print(indexer.run(photos_in(Path(sys.argv[2])), [Path(sys.argv[2])]).added, flush=True)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_twice_goes_on(album, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for person in range(30):
        save(folder, person)
    words = [sys.executable, "-c", SLOW, str(Path(__file__).parent), str(folder)]
    there = 0
    for _ in range(2):
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            wanted, end = there + 5, time.monotonic() + 60
            while len(album.photos()) < wanted and time.monotonic() < end:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        assert wanted <= len(album.photos()) < 30
        there = len(album.photos())
        assert len(album.faces()) == there, "photographs are whole"
    last = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(last.stdout) == 30 - there
    with Album() as whole:
        assert len(whole.photos()) == len(whole.faces()) == 30


def test_overlap():
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1 and overlap((0, 0, 2, 2), (2, 0, 4, 2)) == 0
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
