"""`limner restore` over folders that keep a manifest, `limner status`, `limner verify`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.archive.manifest import LAYOUT, Manifest, manifest_file
from limner.restorer import Restorer

FAST = ["--steps", "1", "--finish", "0", "--threads", "1"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def photos(tmp_path) -> Path:
    """A face, a wall, a broken file."""
    folder = tmp_path / "photos"
    (folder / "1950").mkdir(parents=True)
    Image.fromarray(astronaut()[:300, 80:380]).resize((96, 96)).save(folder / "1950" / "face.png")
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(folder / "wall.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    return folder


@pytest.fixture
def without_nets(monkeypatch) -> None:
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))


def test_the_whole_life_of_an_archive(run, photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    words = ("restore", photos, "-o", out, *FAST)
    code, told, _ = run(*words, "--json")
    assert code == 1
    by_name = {Path(one["photo"]).name: one for one in json.loads(told)}
    assert len(by_name["face.png"]["faces"]) == 1 and by_name["wall.png"]["faces"] == []
    assert "not a picture" in by_name["broken.jpg"]["error"]
    code, told, _ = run("status", out, "--json")
    found = json.loads(told)
    counts = {"waiting": 0, "claimed": 0, "done": 1, "no face": 1, "failed": 1, "skipped": 0}
    assert code == 0 and found["counts"] == counts and found["faces"] == 1 and found["workers"] == []
    assert found["failed"][0]["photo"] == "../photos/broken.jpg" and found["failed"][0]["tries"] == 1

    with monkeypatch.context() as patched:
        patched.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
        code, told, err = run(*words)
        assert code == 1, "one photo still isn't restored"
        assert "2 of 3 photos are done already: --overwrite makes them anew." in err
        assert "1 photo is passed over, having failed in an earlier run: --retry-failed tries again." in err
        again = json.loads(run(*words, "--json")[1])
        assert [one["skipped"] for one in again] == [True] * 3 and sum("error" in one for one in again) == 1
        code, told, _ = run(*words, "--dry-run")
        assert code == 0 and told.splitlines() == [
            "3 photos, 0 to restore.",
            "2 done, 1 failed (--retry-failed), 0 left alone.",
        ]
        assert json.loads(run(*words, "--dry-run", "--json", "--retry-failed")[1])["retried"] == 1
        code, _, err = run(*words, "--seed", "1", "--if-changed", "fail")
        assert code == 2 and "2 results are of other photos or settings than this run's (2 settings (seed))" in err
    code, _, err = run(*words, "--seed", "1", "--if-changed", "keep")  # what failed is tried with the new settings
    assert code == 1 and "2 results are kept, though of other photos" in err

    (photos / "broken.jpg").write_bytes((photos / "wall.png").read_bytes())
    code, _, err = run(*words, "--seed", "1")
    assert code == 0 and "2 results are made anew, being of other photos" in err and "2 settings (seed)" in err
    assert json.loads(run(*words, "--seed", "1", "--dry-run", "--json")[1])["done"] == 3

    assert run("verify", out)[0] == 0
    (out / "wall.png").write_bytes(b"other")
    (out / "1950" / "face.png").unlink()
    code, told, _ = run("verify", out, "--json")
    lists = {"missing": [str(out / "1950/face.png")], "changed": [str(out / "wall.png")], "unreadable": []}
    assert code == 1 and json.loads(told) == {"fine": 1} | lists
    assert run("verify", out)[1].splitlines()[-1] == "1 fine, 1 missing, 1 changed, 0 unreadable."


def test_a_dry_run_writes_nothing_and_loads_no_torch(photos, tmp_path):
    words = ["restore", str(photos), "-o", str(tmp_path / "out"), "--dry-run", "--mask", "auto-black"]
    code = f"""
import atexit, sys
atexit.register(lambda: print("torch" in sys.modules))
sys.argv = {["limner", *words]}
from limner.cli.main import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "3 photos, 3 to restore: 3 new." and done.stdout.endswith("False\n")
    assert not (tmp_path / "out").exists()


def test_results_of_earlier_versions_are_taken_over(run, photos, tmp_path):
    """Where there is no manifest, the results say what they are, and the manifest takes note."""
    out = tmp_path / "out"
    words = ("restore", photos, "-o", out, *FAST)
    assert run(*words)[0] == 1
    manifest_file(out).unlink()
    (out / "broken.jpg").write_bytes(b"mine")
    assert "2 of them have a result already" not in run(*words, "--dry-run")[1]
    assert "3 of them have a result already, which is looked into" in run(*words, "--dry-run")[1]
    code, _, err = run(*words)
    assert code == 0 and "broken.jpg is there already and doesn't say how it was made: --overwrite replaces it" in err
    assert "a copy because no face was found" in err and (out / "broken.jpg").read_bytes() == b"mine"
    with Manifest(out) as manifest:
        assert manifest.ask("SELECT state, faces, sentence NOTNULL FROM photos ORDER BY place") == [
            ("done", 1, 0),
            ("skipped", None, 1),
            ("no face", 0, 0),
        ]
    assert "1 photo is left alone as before: `limner status" in run(*words)[2]


def test_a_result_that_was_written_but_not_noted_is_not_made_again(run, photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    words = ("restore", photos, "-o", out, *FAST)
    run(*words)
    with Manifest(out, create=True) as manifest, manifest.change() as rows:  # as a kill leaves it
        rows.execute("DELETE FROM outputs")
        rows.execute("UPDATE photos SET state = 'waiting', sha256 = NULL, asked = NULL")
    monkeypatch.setattr(Restorer, "restore", lambda *_: pytest.fail("it was restored again"))
    (photos / "broken.jpg").unlink()
    assert run(*words)[0] == 0 and json.loads(run(*words, "--dry-run", "--json")[1])["done"] == 2


def test_results_among_the_photos_are_left_alone(run, photos, tmp_path):
    (photos / "broken.jpg").unlink()
    assert run("restore", photos, "-o", photos / "before", *FAST)[0] == 0
    code, _, err = run("restore", photos, "-o", tmp_path / "out", *FAST)
    assert code == 0 and "made by limner earlier, so left alone" in err
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == ["face.png", "wall.png"]
    assert not (tmp_path / "out" / "before").exists()


def test_one_photo_keeps_no_manifest(run, photos, tmp_path):
    assert run("restore", photos / "wall.png", "-o", tmp_path / "out", *FAST)[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["wall.png"]
    code, _, err = run("status", tmp_path / "out")
    assert code == 2 and "has no manifest: it is made when a folder of photos is restored into it" in err


@pytest.mark.usefixtures("without_nets")
@pytest.mark.parametrize("words", [["--if-changed", "keep"], ["--retry-failed"]])
def test_what_only_a_manifest_knows_needs_a_folder(run, photos, tmp_path, words):
    code, _, err = run("restore", photos / "wall.png", "-o", tmp_path / "out", *words)
    assert code == 2 and "are for folders of photos, whose results have a manifest" in err


@pytest.mark.usefixtures("without_nets")
def test_a_manifest_that_cannot_be_used_ends_the_run(run, photos, tmp_path):
    file = manifest_file(tmp_path / "out")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a database at all, but some text")
    for words in (("restore", photos, "-o", tmp_path / "out"), ("verify", tmp_path / "out")):
        code, _, err = run(*words)
        assert code == 2 and "is damaged" in err and "move it away and run again" in err
    file.unlink()
    with Manifest(tmp_path / "out", create=True) as manifest, manifest.change() as rows:
        rows.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    assert "is of a newer version of limner" in run("restore", photos, "-o", tmp_path / "out")[2]
    assert file.is_file()


def test_a_full_disk_ends_the_run_and_fails_no_photo(run, photos, tmp_path, monkeypatch):
    def full(self, photo, progress=None, mask=None):
        raise OSError(28, os.strerror(28), "out/wall.png")

    monkeypatch.setattr(Restorer, "restore", full)
    (photos / "broken.jpg").unlink()
    code, _, err = run("restore", photos, "-o", tmp_path / "out", *FAST)
    assert code == 2 and "No space is left: make room and run again, which goes on where this stopped." in err
    with Manifest(tmp_path / "out") as manifest:
        assert manifest.counts()["waiting"] == 2


@pytest.mark.slow
def test_killed_runs_make_what_an_undisturbed_one_makes():
    command = [sys.executable, ROOT / "benchmarks" / "killed_run.py", "--count", "40", "--kills", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 0 other than undisturbed, 0 restored twice") == 3


def test_a_broken_photo_of_any_name_ends_no_archive(run, photos, tmp_path):
    name = os.fsencode(photos) + b"/bad\xff.jpg"
    (photos / "broken.jpg").rename(os.fsdecode(name))
    words = ("restore", photos, "-o", tmp_path / "out", *FAST)
    assert run(*words)[0] == 1
    told = json.loads(run("status", tmp_path / "out", "--json")[1])
    assert told["counts"]["failed"] == 1 and "bad\\udcff.jpg" in told["failed"][0]["sentence"]


def test_lost_results_are_made_again_whatever_is_kept(run, photos, tmp_path):
    (photos / "broken.jpg").unlink()
    words = ("restore", photos, "-o", tmp_path / "out", *FAST)
    assert run(*words)[0] == 0
    (tmp_path / "out" / "wall.png").unlink()
    code, _, _ = run(*words, "--seed", "1", "--if-changed", "keep")
    assert code == 0 and (tmp_path / "out" / "wall.png").is_file()


def test_a_foreign_result_that_is_no_picture_is_left_alone_and_one_of_two_is_no_end(run, photos, tmp_path):
    (photos / "broken.jpg").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "wall_1.png").write_bytes(b"mine")
    code, _, _ = run("restore", photos, "-o", tmp_path / "out", "--samples", "2", *FAST)
    assert (tmp_path / "out" / "wall_1.png").read_bytes() == b"mine"
    assert (tmp_path / "out" / "1950" / "face_2.png").is_file() and code in (0, 1)


def test_a_folder_of_one_goes_through_the_output_stream(photos, tmp_path):
    (photos / "broken.jpg").unlink()
    words = [sys.executable, "-m", "limner", "restore", str(photos / "1950"), "-o", "-", *FAST]
    done = subprocess.run(words, capture_output=True, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.startswith(b"\x89PNG")


def test_what_says_nothing_is_refused(run, photos, tmp_path):
    code, _, err = run("restore", photos, "-o", tmp_path / "out", "--overwrite", "--if-changed", "fail", *FAST)
    assert code == 2 and "--overwrite makes all results anew, so that --if-changed says nothing: leave out one." in err


def test_a_manifest_that_is_only_begun_is_told_as_empty(run, tmp_path):
    manifest_file(tmp_path).parent.mkdir()
    manifest_file(tmp_path).touch()
    code, _, err = run("status", tmp_path)
    assert code == 2 and "is empty: `limner restore` into its folder fills it, or is about to." in err
