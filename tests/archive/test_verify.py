from limner.archive.manifest import FAILED
from limner.archive.verify import verify


def test_missing_and_changed_results_are_found(archive, manifest):
    archive.restore(manifest)
    told = []
    found = verify(manifest, lambda done, total: told.append((done, total)))
    assert found.whole and found.fine == 6 and told[-1] == (6, 6)
    results = archive.out / "0"
    (results / "0.jpg").unlink()
    data = (results / "2.jpg").read_bytes()
    (results / "2.jpg").write_bytes(data[:-1] + b"X")
    (results / "4.jpg").write_bytes(data[:-1])
    found = verify(manifest)
    assert not found.whole and found.fine == 3
    assert found.missing == [results / "0.jpg"] and found.changed == [results / "2.jpg", results / "4.jpg"]


def test_a_folder_in_the_place_of_a_result_is_no_result(archive, manifest):
    archive.restore(manifest)
    (archive.out / "0" / "0.jpg").unlink()
    (archive.out / "0" / "0.jpg").mkdir()
    assert not verify(manifest).whole


def test_only_what_is_done_counts(archive, manifest):
    archive.restore(manifest)
    with manifest.change() as rows:
        rows.execute("UPDATE photos SET state = ?", (FAILED,))
    (archive.out / "0" / "0.jpg").unlink()
    assert verify(manifest).whole
