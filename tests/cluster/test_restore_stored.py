"""Workers fetch photographs from a store and put results there themselves."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

FAST = ["--steps", "1", "--finish", "0"]


@pytest.mark.slow
def test_workers_restore_from_a_store_into_a_store(run, bucket, tmp_path):
    photos, here = tmp_path / "photos", tmp_path / "here"
    photos.mkdir()
    for number in range(3):
        Image.fromarray(astronaut()[:300, 80:380]).resize((96 + number,) * 2).save(photos / f"face {number}.jpg")
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(photos / "wall.png")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no")
    assert run("restore", photos, "-o", here, *FAST, "--threads", "1")[0] == 1
    wanted = {path.name: path.read_bytes() for path in here.glob("*.*") if path.is_file()}

    bucket.put_folder(photos, "scans")
    scans, out = f"s3://{bucket.name}/scans", f"s3://{bucket.name}/out"
    words = [sys.executable, "-m", "limner", "restore", scans, "-o", out, *FAST, "--engine", "ray"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and f"1 of 5 photos failed:\n  {scans}/broken.jpg" in done.stderr, done.stderr
    assert len(wanted) == 4 and bucket.all("out/") == wanted
    counts = json.loads(run("status", out, "--json")[1])["counts"]
    assert (counts["done"], counts["no face"], counts["failed"]) == (3, 1, 1)
    assert run("verify", out)[1] == "4 fine, 0 missing, 0 changed, 0 unreadable.\n"
    again = json.loads(run("restore", scans, "-o", out, *FAST, "--dry-run", "--json")[1])
    assert again["done"] == 4, "by entity tags that the workers told"
