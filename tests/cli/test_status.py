"""`limner status`: what people and machines are told of an archive."""

import json

from limner.archive.manifest import Manifest
from limner.cli.status import FEW


def failed(out, count: int) -> None:
    """A manifest of photographs that failed."""
    rows = [
        (f"{n:02}.jpg".encode(), f"../in/{n:02}.jpg".encode(), f"../in/{n:02}.jpg is broken.") for n in range(count)
    ]
    with Manifest(out, create=True) as manifest, manifest.change() as change:
        change.executemany(
            "INSERT INTO photos (place, source, size, mtime_ns, state, sentence, tries) "
            "VALUES (?, ?, 0, 0, 'failed', ?, 2)",
            rows,
        )


def test_people_are_told_of_some_and_machines_of_all(run, tmp_path):
    failed(tmp_path, FEW + 3)
    code, told, _ = run("status", tmp_path)
    assert code == 0 and f"{FEW + 3} failed" in told.splitlines()[0]
    assert told.count("is broken. (tried 2 times)") == FEW and told.endswith("  and 3 more: --json lists all.\n")
    found = json.loads(run("status", tmp_path, "--json")[1])
    assert len(found["failed"]) == FEW + 3 and found["failed"][0]["photo"] == "../in/00.jpg"


def test_a_folder_without_a_manifest_is_told(run, tmp_path):
    code, _, err = run("status", tmp_path)
    assert code == 2 and "has no manifest: it is made when a folder of photos is restored into it" in err
