"""`limner verify`: fine, missing or changed, and the exit code."""

import json

import pytest

from limner.archive.manifest import Manifest, put_outputs
from limner.photo.provenance import digest_of


@pytest.fixture
def out(tmp_path):
    """Three results as they were written."""
    files = [tmp_path / f"{n}.png" for n in range(3)]
    for file in files:
        file.write_bytes(file.name.encode())
    with Manifest(tmp_path, create=True) as manifest, manifest.change() as rows:
        for number, file in enumerate(files, 1):
            place = file.name.encode()
            rows.execute(
                "INSERT INTO photos (id, place, source, size, mtime_ns, state) VALUES (?, ?, ?, 0, 0, 'done')",
                (number, place, place),
            )
            put_outputs(rows, number, [(file.relative_to(tmp_path), file.stat().st_size, digest_of(file))])
    return tmp_path


def test_whole_results_are_fine(run, out):
    assert run("verify", out)[:2] == (0, "3 fine, 0 missing, 0 changed, 0 unreadable.\n")


def test_what_is_not_fine_is_named(run, out):
    (out / "0.png").unlink()
    (out / "1.png").write_bytes(b"other")
    code, told, _ = run("verify", out)
    assert code == 1 and f"{out / '0.png'}: missing" in told and f"{out / '1.png'}: changed" in told
    code, told, _ = run("verify", out, "--json")
    lists = {"missing": [str(out / "0.png")], "changed": [str(out / "1.png")], "unreadable": []}
    assert code == 1 and json.loads(told) == {"fine": 1} | lists
