import os

from limner.storage.files import HERE, Facts


def test_of_files_here_is_told_what_the_system_says(tmp_path):
    path = tmp_path / "a.jpg"
    assert HERE.facts(path) is None
    path.write_bytes(b"abc")
    os.utime(path, ns=(1, 2_000_000_001))
    assert HERE.facts(path) == Facts(3, 2_000_000_001, 2_000_000_001)
    assert HERE.digest(path).startswith("ba7816bf")


def test_files_here_are_neither_fetched_nor_stored_nor_dropped(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    HERE.bring(path)
    HERE.keep(path)
    HERE.drop(path)
    with HERE.held(tmp_path):
        HERE.check()
    assert path.read_bytes() == b"abc" and [one.name for one in tmp_path.iterdir()] == ["a.jpg"]
    assert not HERE.stores(path) and HERE.listing(tmp_path, []) is None and HERE.named(str(path)) == str(path)


def test_what_has_gone_is_seen_from_the_results(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "out").mkdir()
    assert not HERE.has_gone(tmp_path / "out", "../a.jpg")
    assert HERE.has_gone(tmp_path, "b.jpg")
    assert not HERE.has_gone(tmp_path, "s3://bucket/b.jpg"), "nobody has asked the store"
