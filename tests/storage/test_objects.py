"""Objects as files, against a server that speaks S3's language."""

import pickle
import re
import time
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from limner.errors import LimnerError
from limner.folder.find import find_photos
from limner.storage.address import Address
from limner.storage.objects import Objects


@pytest.fixture
def objects(bucket, tmp_path) -> Objects:
    (tmp_path / "mirror").mkdir()
    return Objects(tmp_path / "mirror")


def copies(objects: Objects) -> list[str]:
    return sorted(path.name for path in objects.mirror.rglob("*") if path.is_file())


def test_an_object_is_fetched_once_and_its_copy_dropped(objects, bucket):
    bucket.put("scans/a b ü.jpg", b"first")
    path = objects.source(Address("s3", f"{bucket.name}/scans/a b ü.jpg"))
    facts = objects.facts(path)
    assert facts and facts.size == 5 and not path.exists()
    objects.bring(path, path.with_name("none.jpg"))
    bucket.put("scans/a b ü.jpg", b"other")
    objects.bring(path)
    assert path.read_bytes() == b"first" and copies(objects) == ["a b ü.jpg"]
    assert abs(path.stat().st_mtime - time.time()) < 60, "the time is the object's"
    objects.drop(path)
    objects.bring(path)
    assert path.read_bytes() == b"other"


def test_the_version_follows_the_bytes(objects, bucket):
    for name, data in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        bucket.put(name, data)
    a, b, c = (objects.facts(objects.path_of(Address("s3", f"{bucket.name}/{name}"))) for name in "abc")
    assert a and b and c and a.version == b.version != c.version and 0 <= a.version < 2**63


def test_a_digest_leaves_no_copy(objects, bucket):
    bucket.put("a", b"abc")
    path = objects.path_of(Address("s3", f"{bucket.name}/a"))
    assert objects.digest(path).startswith("ba7816bf") and copies(objects) == []
    with pytest.raises(FileNotFoundError):
        objects.digest(path.with_name("b"))


def test_what_is_written_is_stored_with_its_kind(objects, bucket):
    path = objects.output(Address("s3", f"{bucket.name}/out"), folder=True) / "x" / "a.jpg"
    assert objects.facts(path) is None
    path.parent.mkdir(parents=True)
    path.write_bytes(b"result")
    objects.keep(path)
    assert bucket.all() == {"out/x/a.jpg": b"result"} and objects.facts(path)
    assert objects._object(path)[0].info(f"{bucket.name}/out/x/a.jpg")["ContentType"] == "image/jpeg"
    objects.drop(path)
    assert copies(objects) == [] and objects.facts(path)


def test_files_of_this_machine_stay_what_they_are(objects, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    objects.bring(path)
    objects.keep(path)
    objects.drop(path)
    assert path.read_bytes() == b"abc" and not objects.stores(path) and objects.listing(tmp_path, []) is None
    with objects.held(tmp_path):
        objects.check()
    assert objects.digest(path).startswith("ba7816bf") and not objects.has_gone(tmp_path, "a.jpg")


def test_thousands_of_objects_are_all_found(objects, bucket, monkeypatch):
    for number in range(2500):  # S3 tells of a thousand at a time
        bucket.put(f"scans/{number % 7}/{number} ü.jpg", b"x" * (number % 3))
    folder = objects.source(Address("s3", f"{bucket.name}/scans"))
    found = find_photos([folder], opened=False, files=objects)
    assert len(found.photos) == 2500 and found.passed_over == []
    assert found.photos[0].place == Path("0/0 ü.jpg") and found.photos[0].path == folder / "0/0 ü.jpg"
    asked: list[object] = []
    monkeypatch.setattr(objects._systems["s3"], "info", lambda *key: asked.append(key))
    facts = [objects.facts(one.path) for one in found.photos]
    assert sum(one.size for one in facts if one) == 2499 and asked == [], "each would be a request"
    assert objects.facts(folder / "none.jpg") is None and asked == []


def test_a_folder_shows_what_one_of_this_machine_would(objects, bucket):
    seen = ["a.jpg", "sub/b.PNG", "sub/deep/c.tif"]
    hidden = [".hidden.jpg", ".limner/d.jpg", "@eaDir/e.jpg", "out/f.jpg", "notes.txt", "sub/", "a.jpg_invented.png"]
    strange = ["sub//g.jpg", "../h.jpg", "sub/./i.jpg", "x" * 256 + ".jpg", "/j.jpg"]
    for key in seen + hidden + strange:
        bucket.put(f"scans/{key}", b"x")
    bucket.put("scans-too/k.jpg", b"x")
    bucket.put("scans/film.gif", b"x")
    folder = objects.source(Address("s3", f"{bucket.name}/scans"))
    found = find_photos([folder], [folder / "out"], opened=False, files=objects)
    assert [one.place.as_posix() for one in found.photos] == seen
    told = [objects.named(sentence) for sentence in found.passed_over]
    assert told[0].startswith("5 objects have names that no path can bear ('../h.jpg', '/j.jpg', 'sub/")
    assert told[1:] == [
        f"s3://{bucket.name}/scans/film.gif: of a format that limner doesn't read, convert to JPEG or PNG."
    ]


def test_what_has_gone_is_known_where_the_store_was_listed(objects, bucket, tmp_path):
    bucket.put("scans/a.jpg", b"x")
    here = f"s3://{bucket.name}/scans"
    assert not objects.has_gone(tmp_path, f"{here}/b.jpg"), "nobody has looked"
    objects.listing(objects.source(Address("s3", f"{bucket.name}/scans")), [])
    assert objects.has_gone(tmp_path, f"{here}/b.jpg") and not objects.has_gone(tmp_path, f"{here}/a.jpg")


def test_too_large_an_object_is_not_fetched(bucket, tmp_path):
    objects = Objects(tmp_path, max_megapixels=1e-6)
    bucket.put("a.jpg", b"x")
    path = objects.path_of(Address("s3", f"{bucket.name}/a.jpg"))
    objects._known[str(path)] = objects.facts(path)._replace(size=10**12)  # type: ignore[union-attr]
    with pytest.raises(LimnerError, match="is too large a file for a photo of 1e-06 megapixels"):
        objects.bring(path)
    assert not path.exists()


def test_an_address_that_leads_nowhere_is_told(objects, bucket):
    for key in (f"{bucket.name}/none", "no-such-bucket/a.jpg"):
        with pytest.raises(LimnerError) as error:
            objects.source(Address("s3", key))
        assert objects.named(str(error.value)) == (
            f"There is no s3://{key}: check the address, and that its bucket exists."
        )
    with pytest.raises(LimnerError, match=r"There is no .*no-such-bucket/out: check the address"):
        objects.output(Address("s3", "no-such-bucket/out"), folder=True)
    for key in ("", f"{bucket.name}/../other/a.jpg"):
        with pytest.raises(LimnerError, match="names no bucket, or what no path can bear: check the address"):
            objects.source(Address("s3", key))


def test_missing_credentials_are_told(objects, bucket, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    S3FileSystem.clear_instance_cache()
    with pytest.raises(LimnerError, match=r"needs credentials \(Unable to locate credentials\): give them as"):
        objects.source(Address("s3", f"{bucket.name}/a.jpg"))
    S3FileSystem.clear_instance_cache()


def test_a_fetch_that_breaks_off_leaves_nothing(objects, bucket, monkeypatch):
    bucket.put("a.jpg", b"x" * 100)
    path = objects.path_of(Address("s3", f"{bucket.name}/a.jpg"))
    assert objects.facts(path)

    def broken(key: str, target: str) -> None:
        Path(target).write_bytes(b"xx")
        raise TimeoutError("broke off")

    monkeypatch.setattr(objects._systems["s3"], "get_file", broken)
    with pytest.raises(LimnerError, match=re.escape("a.jpg can't be reached (broke off): check the network")):
        objects.bring(path)
    assert copies(objects) == []


def test_helping_processes_may_have_them_too(objects, bucket):
    bucket.put("a.jpg", b"abc")
    path = objects.path_of(Address("s3", f"{bucket.name}/a.jpg"))
    objects.facts(path)
    again = pickle.loads(pickle.dumps(objects))
    again.bring(path)
    assert path.read_bytes() == b"abc"
