"""`limner restore`, `status` and `verify` of objects in a store, which a server in this process has."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image
from s3fs import S3FileSystem
from skimage.data import astronaut

from limner.archive.manifest import manifest_file
from limner.cli.stored import stored
from limner.process import processes
from limner.restorer import Restorer
from limner.storage.objects import Objects

FAST = ["--steps", "1", "--finish", "0", "--threads", "1"]
FACE, WALL, BROKEN = "1950/Großmutter & Opa.png", "wall 1.png", "broken.jpg"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """Where this process keeps temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def photos(tmp_path) -> Path:
    """A face, a wall, a broken file."""
    folder = tmp_path / "photos"
    (folder / "1950").mkdir(parents=True)
    Image.fromarray(astronaut()[:300, 80:380]).resize((96, 96)).save(folder / FACE)
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(folder / WALL)
    (folder / BROKEN).write_bytes(b"\xff\xd8 no")
    return folder


@pytest.fixture
def scans(bucket, photos) -> str:
    """The address of the same in a store."""
    bucket.put_folder(photos, "scans")
    return f"s3://{bucket.name}/scans"


@pytest.fixture
def without_nets(monkeypatch) -> None:
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))


def files_in(folder: Path) -> dict[str, bytes]:
    """All but limner's own notes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".limner" not in path.parts
    }


@pytest.mark.slow
def test_the_whole_life_of_an_archive_in_a_store(run, bucket, photos, scans, temporary, tmp_path, monkeypatch):
    here, out = tmp_path / "here", f"s3://{bucket.name}/out"
    assert run("restore", photos, "-o", here, *FAST)[0] == 1
    words = ("restore", scans, "-o", out, *FAST)
    assert run(*words, "--dry-run")[1].splitlines()[0] == "3 photos, 3 to restore: 3 new."
    assert bucket.notes() == set()
    code, told, _ = run(*words, "--json")
    assert code == 1 and bucket.all("out/") == files_in(here) and len(files_in(here)) == 2
    assert bucket.notes() == {"out/.limner/manifest.sqlite"} and list(temporary.iterdir()) == []
    by_name = {one["photo"]: one for one in json.loads(told)}
    assert by_name.keys() == {f"{scans}/{name}" for name in (FACE, WALL, BROKEN)}
    assert by_name[f"{scans}/{FACE}"]["output"] == f"{out}/{FACE}" and len(by_name[f"{scans}/{FACE}"]["faces"]) == 1
    assert by_name[f"{scans}/{BROKEN}"]["error"].startswith(f"{scans}/{BROKEN} is ") and str(temporary) not in told
    code, told, _ = run("status", out, "--json")
    found = json.loads(told)
    assert code == 0 and found["counts"]["done"] == found["counts"]["no face"] == found["counts"]["failed"] == 1
    assert found["failed"][0]["photo"] == f"{scans}/{BROKEN}" and found["workers"] == []
    assert found["failed"][0]["sentence"].startswith(f"{scans}/{BROKEN} is ")

    with monkeypatch.context() as patched:
        patched.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
        assert "2 of 3 photos are done already" in run(*words)[2]
        assert json.loads(run(*words, "--dry-run", "--json", "--retry-failed")[1])["retried"] == 1
    bucket.put(f"scans/{BROKEN}", bucket.get(f"scans/{WALL}"))
    bucket.put(f"scans/{FACE}", bucket.get(f"scans/{FACE}"))  # the same bytes anew
    assert json.loads(run(*words, "--dry-run", "--json")[1])["done"] == 2
    assert run(*words)[0] == 0 and bucket.all("out/").keys() == {FACE, WALL, BROKEN}

    assert run("verify", out)[1] == "3 fine, 0 missing, 0 changed, 0 unreadable.\n"
    bucket.put(f"out/{WALL}", b"other")
    bucket.delete(f"out/{FACE}")
    code, told, _ = run("verify", out, "--json")
    lists = {"missing": [f"{out}/{FACE}"], "changed": [f"{out}/{WALL}"], "unreadable": []}
    assert code == 1 and json.loads(told) == {"fine": 1} | lists
    assert json.loads(run(*words, "--dry-run", "--json")[1])["missing"] == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_between_this_machine_and_a_store(run, bucket, photos, scans, tmp_path):
    out = tmp_path / "out"
    assert run("restore", scans, "-o", out, *FAST)[0] == 1
    assert run("restore", photos, "-o", f"s3://{bucket.name}/out", *FAST)[0] == 1
    assert files_in(out) == bucket.all("out/") and len(files_in(out)) == 2
    assert json.loads(run("status", out, "--json")[1])["failed"][0]["photo"] == f"{scans}/{BROKEN}"
    told = run("status", f"s3://{bucket.name}/out", "--json")[1]
    assert json.loads(told)["failed"][0]["photo"] == str(photos / BROKEN)
    bucket.delete(f"scans/{BROKEN}")
    (photos / BROKEN).unlink()
    for words in ((scans, "-o", out), (photos, "-o", f"s3://{bucket.name}/out")):
        assert run("restore", *words, *FAST)[0] == 0
        assert json.loads(run("status", words[-1], "--json")[1])["counts"]["failed"] == 0


def test_single_photos(run, bucket, photos, scans, temporary, tmp_path):
    code, _, err = run("restore", f"{scans}/{WALL}", "-o", tmp_path / "out", *FAST)
    assert code == 0 and (tmp_path / "out" / WALL).read_bytes() == (photos / WALL).read_bytes()
    assert f"{scans}/{WALL}: no face found" in err
    result = f"s3://{bucket.name}/results/wall.jpg"
    code, told, _ = run("restore", photos / WALL, "-o", result, *FAST, "--json")
    assert code == 0 and json.loads(told)["output"] == result
    made = bucket.get("results/wall.jpg")
    assert made.startswith(b"\xff\xd8") and bucket.notes() == set()
    code, _, err = run("restore", photos / WALL, "-o", result, *FAST)
    assert code == 0 and f"{result} is there already" in err and bucket.get("results/wall.jpg") == made
    code, _, err = run("restore", f"{scans}/{BROKEN}", "-o", f"s3://{bucket.name}/results", *FAST)
    assert code == 2 and err.startswith(f"limner: {scans}/{BROKEN} is ") and len(bucket.all("results/")) == 1
    assert run("restore", f"file://{photos / WALL}", "-o", f"file://{tmp_path}/f", *FAST)[0] == 0
    assert (tmp_path / "f" / WALL).is_file() and list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_failure_of_the_network_is_one_photo_s(run, bucket, scans, monkeypatch):
    bucket.delete(f"scans/{BROKEN}")
    words = ("restore", scans, "-o", f"s3://{bucket.name}/out", *FAST)
    system = fsspec.filesystem("s3", use_listings_cache=False)  # the one that limner is given, too
    fetched, put = system.get_file, system.put_file

    def fetching(key: str, *others: object, **how: object) -> object:
        if key.endswith(FACE):
            raise TimeoutError("it broke off")
        return fetched(key, *others, **how)

    def putting(path: str, key: str, *others: object, **how: object) -> object:
        if key.endswith(WALL):
            raise PermissionError("Access Denied")
        return put(path, key, *others, **how)

    with monkeypatch.context() as patched:
        patched.setattr(system, "get_file", fetching)
        assert f"{scans}/{FACE} can't be reached (it broke off): check the network" in run(*words)[2]
    assert bucket.all("out/").keys() == {WALL}
    with monkeypatch.context() as patched:
        patched.setattr(system, "put_file", putting)
        code, _, err = run(*words, "--overwrite")
        assert code == 1 and f"s3://{bucket.name}/out/{WALL} is refused (Access Denied): check the cred" in err
    assert bucket.all("out/").keys() == {WALL, FACE}
    assert "1 photo is passed over, having failed" in run(*words)[2]
    assert run(*words, "--retry-failed")[0] == 0


@pytest.mark.slow
def test_results_beside_the_photos(run, bucket, scans):
    bucket.delete(f"scans/{BROKEN}")
    words = ("restore", scans, "-o", scans, *FAST)
    code, _, err = run(*words)
    assert code == 2 and f"The result of {scans}/{FACE} would replace the photo {scans}/{FACE}, and limner never" in err
    for _ in range(2):
        assert run(*words, "--suffix", "_restored")[0] == 0
        assert len(bucket.all("scans/")) == 4
    assert f"scans/{Path(FACE).with_stem('Großmutter & Opa_restored')}" in bucket.all()
    code, _, err = run("restore", scans, "-o", f"s3://{bucket.name}/out", *FAST)
    assert code == 0 and "made by limner earlier, so left alone" in err, "the face says so itself"
    assert bucket.all("out/").keys() == {FACE, WALL, "wall 1_restored.png"}


@pytest.mark.slow
def test_results_that_lie_there_are_looked_into(run, bucket, scans, monkeypatch):
    """Where the manifest was lost, or the run that made them couldn't store it any more."""
    words = ("restore", scans, "-o", f"s3://{bucket.name}/out", *FAST)
    assert run(*words)[0] == 1
    bucket.delete("out/.limner/manifest.sqlite")
    bucket.put(f"out/{BROKEN}", b"mine")
    monkeypatch.setattr(Restorer, "restore", lambda *_: pytest.fail("it was restored again"))
    code, _, err = run(*words)
    assert code == 0 and f"out/{BROKEN} is there already and doesn't say how it was made" in err
    assert bucket.get(f"out/{BROKEN}") == b"mine"


@pytest.mark.usefixtures("without_nets")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{scans}", "-o", "out", "--mask", "s3://b/masks"], "--mask takes what lies on this machine: copy s3://b/m"),
        (
            ["{scans}", "-o", "out", "--method", "refldm", "--reference", "s3://b/a.jpg"],
            "--reference takes what lies on this machine: copy",
        ),
        (["{scans}", "-o", "out", "--compare", "gs://b/c"], "--compare takes what lies on this machine: copy gs://b/c"),
        (["{scans}", "-o", "out", "--save-map", "s3://b/c"], "--save-map takes what lies on this machine: copy s3"),
        (
            ["{scans}", "-o", "{scans}/out", "--keep-time"],
            "{scans}/out can't bear the times of photos, for a store",
        ),
        (["s3://b/film.mp4", "-o", "out"], "Clips are restored on this machine alone, not at s3://b/film.mp4: copy"),
        (["film.mp4", "-o", "s3://b/out"], "Clips are restored on this machine alone, not at s3://b/out: copy them"),
        (["{scans}", "-o", "one.jpg"], "The photos of a folder in a store go into a folder: give one with --output."),
        (["{scans}", "-o", "-"], "The photos of a folder in a store go into a folder: give one with --output."),
        (["{scans}/none.jpg", "-o", "out"], "There is no {scans}/none.jpg: check the address, and that its bucket"),
        (["{scans}", "-o", "s3://no-such-bucket/out"], "There is no s3://no-such-bucket/out: check the address, and"),
        (["http://b/a.jpg", "-o", "out"], "There are no addresses http://: give s3://, gs:// or file://, or a path."),
    ],
)
def test_what_a_store_can_t_do_is_told_before_anything_begins(run, scans, words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("restore", *(word.replace("{scans}", scans) for word in words))
    assert code == 2 and sentence.replace("{scans}", scans) in err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("without_nets")
def test_missing_credentials_are_told(run, scans, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    S3FileSystem.clear_instance_cache()
    code, _, err = run("restore", scans, "-o", tmp_path / "out")
    S3FileSystem.clear_instance_cache()
    assert code == 2 and f"limner: {scans} needs credentials (Unable to locate credentials): give them" in err


@pytest.mark.parametrize("words", [["detect"], ["album", "add"], ["weights", "convert"]])
def test_other_commands_say_that_they_want_files(run, words):
    code, _, err = run(*words, "s3://b/a 1.jpg")
    told = f"limner {words[0]} takes what lies on this machine: copy s3://b/a 1.jpg here, or name a path."
    assert code == 2 and err == f"limner: {told}\n"


def test_no_manifest_is_told_by_its_address(run, bucket, scans):
    for command in ("status", "verify"):
        code, _, err = run(command, scans)
        assert code == 2 and f"limner: {scans} has no manifest: it is made when a folder of photos" in err
        assert run(command, f"{scans}/none")[2].startswith(f"limner: There is no {scans}/none: check the address")


def test_results_among_the_photos_are_fetched_and_dropped(run, bucket, scans, monkeypatch):
    first = f"s3://{bucket.name}/first"
    run("restore", scans, "-o", first, *FAST)
    dropped, drop = set[str](), Objects.drop

    def dropping(objects: Objects, *paths: Path) -> None:
        dropped.update(path.name for path in paths)
        drop(objects, *paths)

    monkeypatch.setattr(Objects, "drop", dropping)
    told = run("restore", first, "-o", f"s3://{bucket.name}/second", *FAST)[2]
    assert "made by limner earlier, so left alone" in told
    assert Path(FACE).name in dropped


def test_copies_that_a_killed_run_left_are_swept(temporary, bucket):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = temporary / f"limner-mirror-{processes()}{ended.pid:08x}-abc"
    (left / "s3").mkdir(parents=True)
    others = [temporary / f"limner-mirror-{processes()}{os.getpid():08x}-abc", temporary / "limner-mirror-mine"]
    for one in others:
        one.mkdir()
    bucket.put("a.jpg", b"x")
    with stored([Path(f"s3://{bucket.name}/a.jpg")]) as places:
        assert places.sources[0].name == "a.jpg" and not left.exists()
    assert sorted(temporary.iterdir()) == sorted(others)


def test_without_addresses_nothing_of_a_store_is_loaded(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(tmp_path / "photos" / "wall.png")
    words = ["restore", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--dry-run"]
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sys.modules))
sys.argv = {["limner", *words]}
from limner.cli.main import main
main()"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "limner.storage.files" in loaded
    assert not {"fsspec", "s3fs", "botocore", "aiohttp", "limner.storage.objects"} & set(loaded)


def arrived(bucket, prefix):
    """What a bucket holds once it has dealt with what a killed process had sent."""
    found = None
    while (now := bucket.all(prefix)) != found:
        found = now
        time.sleep(0.5)
    return found


@pytest.mark.slow
def test_a_killed_run_goes_on_and_leaves_nothing_half(run, bucket, photos, scans, tmp_path):
    """Killed with SIGKILL amid its photos: the next run makes the rest, and all is as an undisturbed run makes it."""
    for number in range(24):
        path = photos / "more" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        picture = (np.random.default_rng(number).integers(0, 99, (60, 60, 3))).astype(np.uint8)
        (Image.open(photos / FACE) if number % 6 == 0 else Image.fromarray(picture)).save(path)
    bucket.put_folder(photos, "scans")
    words = ["restore", scans, "-o", f"s3://{bucket.name}/out", *FAST]
    running = subprocess.Popen([sys.executable, "-m", "limner", *words], stderr=subprocess.PIPE)
    until = time.monotonic() + 300
    while len(bucket.all("out/")) < 6 and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    before = arrived(bucket, "out/")
    assert running.returncode == -signal.SIGKILL and 6 <= len(before) < 26
    assert "out/.limner/lock.json" in bucket.notes()
    code, told, _ = run(*words, "--json")
    assert code == 1 and bucket.notes() == {"out/.limner/manifest.sqlite"}
    assert sum(one.get("skipped", False) for one in json.loads(told)) == len(before), "no photo was restored twice"
    assert run("restore", photos, "-o", tmp_path / "here", *FAST)[0] == 1
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files_in(tmp_path / "here").items()}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in bucket.all("out/").items()} == digests
    assert len(digests) == 26 and run("verify", f"s3://{bucket.name}/out")[0] == 0
    assert manifest_file(tmp_path / "here").is_file()
