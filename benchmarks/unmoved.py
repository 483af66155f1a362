"""Says whether a change of the code moved any pixel or figure: prints hashes of what the command line gives now, and
compares with what another tree gave.

python benchmarks/unmoved.py SHARED > before.json
python benchmarks/unmoved.py SHARED --against before.json

SHARED holds `photos` and `faces` (aligned faces with their tables). All runs are in fp32 on one thread: five photos
and five test faces through every method with two seeds, two of the faces with a reference; `detect`; every preset of
`degrade`; `benchmark --limit 5`.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

METHODS = ("difface", "refldm", "ldbfr", "clrface")
WITH_REFERENCES = ("refldm", "clrface")
SEEDS = (0, 1)
PRESETS = (
    *("gfpgan", "codeformer", "difface", "refldm", "ffhq-ref-moderate", "ffhq-ref-severe", "old-print"),
    "difface-grid",
)
EXACTLY = ("--dtype", "fp32", "--device", "cpu", "--threads", "1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--against", type=Path, help="what another tree printed")
    wish = parser.parse_args()
    found = fingerprint(wish.shared)
    if wish.against is None:
        print(json.dumps(found, indent=1))
        return
    before = json.loads(wish.against.read_text())
    moved = sorted(name for name in before.keys() | found.keys() if before.get(name) != found.get(name))
    print(f"{len(before)} things compared, {len(moved)} moved", *moved, sep="\n  ")
    sys.exit(bool(moved))


def fingerprint(shared: Path) -> dict[str, object]:
    """What the tree gives, by name."""
    photos = sorted((shared / "photos").glob("old_*.jpg"))[::4][:5]
    with (shared / "faces" / "index.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == "test"]
    crops = [shared / "faces" / row["file"] for row in rows[:: len(rows) // 5][:5]]
    people: dict[str, list[Path]] = {}
    for row in rows:
        people.setdefault(row["person_id"], []).append(shared / "faces" / row["file"])
    pairs = [files[:2] for person, files in people.items() if person and len(files) > 1][:2]
    told: dict[str, object] = {}
    for method in METHODS:
        for seed in SEEDS:
            how = ["--method", method, "--seed", str(seed)]
            told |= restored(f"{method} seed {seed}", photos, how)
            told |= restored(f"{method} seed {seed} aligned", crops, [*how, "--aligned"])
            if method in WITH_REFERENCES:
                for photo, reference in pairs:
                    asked = [*how, "--aligned", "--reference", str(reference)]
                    told |= restored(f"{method} seed {seed} reference", [photo], asked)
    for photo in photos:
        told[f"detect {photo.name}"] = json.loads(limner("detect", photo, "--json"))["faces"]
    for preset in PRESETS:
        told |= degraded(crops[0], preset)
    for method in METHODS:
        asked = ("--data", shared / "faces", "--limit", "5", "--method", method, "--json", *EXACTLY)
        told[f"benchmark {method}"] = without_seconds(json.loads(limner("benchmark", *asked)))
    return told


def restored(name: str, sources: list[Path], how: list[str]) -> dict[str, object]:
    """Hashes of what becomes of photographs."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png" if len(sources) == 1 else Path(folder)
        limner("restore", *sources, "--output", out, *how, *EXACTLY)
        results = [out] if len(sources) == 1 else [Path(folder) / source.name for source in sources]
        return {f"{name} {source.name}": hashed(result) for source, result in zip(sources, results, strict=True)}


def degraded(crop: Path, preset: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"
        limner("degrade", crop, "--output", out, "--preset", preset)
        return {f"degrade {preset}": hashed(out)}


def hashed(path: Path) -> str:
    with Image.open(path) as image:
        return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


def without_seconds(told: object) -> object:
    if isinstance(told, dict):
        return {key: without_seconds(value) for key, value in told.items() if key != "seconds"}
    return [without_seconds(one) for one in told] if isinstance(told, list) else told


def limner(*arguments: object) -> str:
    """Runs the command line of the tree that is being looked at."""
    command = [sys.executable, "-m", "limner", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
