"""The manifest's file: made, read, refused."""

import os
import sqlite3
from pathlib import Path

import pytest

from limner.archive.manifest import LAYOUT, Manifest, manifest_file, put_outputs
from limner.errors import LimnerError


def test_it_is_made_and_found_again(tmp_path):
    with Manifest(tmp_path / "out", create=True) as made, made.change() as rows:
        rows.execute("INSERT INTO photos (place, source, size, mtime_ns, state) VALUES (x'61', x'61', 1, 2, 'done')")
        put_outputs(rows, 1, [(Path("b"), 3, "d"), (Path("a"), 3, "e")])
    with Manifest(tmp_path / "out", create=True) as again:
        assert again.counts()["done"] == 1 and again.counts()["failed"] == 0
        assert again.outputs(1) == [(Path("a"), 3, "e"), (Path("b"), 3, "d")]
    assert [path.name for path in (tmp_path / "out" / ".limner").iterdir()] == ["manifest.sqlite"]


def test_a_change_is_whole_or_not_at_all(manifest):
    with pytest.raises(ValueError), manifest.change() as rows:
        rows.execute("INSERT INTO asked (settings, weights, version) VALUES ('', '', '')")
        raise ValueError
    assert manifest.ask("SELECT * FROM asked") == []


def test_there_is_none(tmp_path):
    with pytest.raises(LimnerError, match=r"has no manifest: it is made when a folder of photos is restored into it"):
        Manifest(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_newer_version_s_is_left_alone(manifest):
    with manifest.change() as rows:
        rows.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    for create in (False, True):
        with pytest.raises(LimnerError, match=r"is of a newer version of limner: update limner, or choose another"):
            Manifest(manifest.out, create)


@pytest.mark.parametrize("data", [b"no database, but a long enough text", b"SQLite format 3\0" + bytes(range(256)) * 9])
@pytest.mark.parametrize("create", [False, True])
def test_a_damaged_one_is_told_and_kept(tmp_path, data, create):
    file = manifest_file(tmp_path)
    file.parent.mkdir()
    file.write_bytes(data)
    with pytest.raises(LimnerError, match=r"is damaged \(.*\): move it away and run again; what is done is then known"):
        Manifest(tmp_path, create)
    assert file.read_bytes() == data


def test_a_damaged_page_is_told(manifest, archive):
    archive.restore(manifest)
    manifest.ask("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(manifest.path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    manifest.path.write_bytes(data)
    with pytest.raises(LimnerError, match="is damaged"), Manifest(archive.out) as opened:
        opened.counts()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(LimnerError, match=r"can't be made \(Not a directory\): check its folder"):
        Manifest(tmp_path / "out", create=True)


def test_a_read_only_one_is_told_when_it_should_change(manifest, archive):
    with manifest.change() as rows:
        rows.execute("PRAGMA user_version")
    manifest.ask("PRAGMA query_only = ON")
    with pytest.raises(LimnerError, match=r"can't be written to \(attempt to write a readonly database\): check it"):
        archive.restore(manifest)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user who may not write everywhere")
def test_a_read_only_folder_can_be_looked_at(manifest, archive):
    archive.restore(manifest)
    manifest.__exit__()
    manifest.path.parent.chmod(0o500)
    try:
        with Manifest(archive.out) as opened:
            assert opened.counts()["done"] == 6
        with pytest.raises(LimnerError, match="can't be written to"):
            Manifest(archive.out, create=True)
    finally:
        manifest.path.parent.chmod(0o700)


def test_a_full_disk_is_told_and_what_was_done_stays(manifest, archive):
    archive.restore(manifest)
    ((pages,),) = manifest.ask("PRAGMA page_count")
    manifest.ask(f"PRAGMA max_page_count = {pages}")
    for number in range(2000):
        archive.photo(f"more/{number}.jpg")
    with pytest.raises(LimnerError, match=r"no space left for the manifest .*: make room and run again, which goes on"):
        archive.restore(manifest)
    assert manifest.counts()["done"] == 6 and manifest.ask("PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_is_held_is_told(manifest):
    other = sqlite3.connect(manifest.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    manifest.ask("PRAGMA busy_timeout = 0")
    with pytest.raises(LimnerError, match=r"can't be used \(database is locked\): check"), manifest.change():
        pass
    other.close()
