"""Indexing 1,000 photographs, killed twice, and again after some were moved, deleted and changed.

    python benchmarks/killed_index.py ../shared/faces [--count 1000]

The photographs are aligned crops of the folder at 128 px. `limner album index --aligned` runs as a process of its own,
and is killed (SIGKILL) when a third and two thirds are in the album.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from limner.album.store import Album
from limner.data.faces import read_picture

SIDE, SOME = 128, 10


def index(photos: Path) -> list[str]:
    return [sys.executable, "-m", "limner", "album", "index", str(photos), "--aligned", "--threads", "1", "--json"]


def counted() -> tuple[int, int]:
    """Photographs and faces in the album; none where there is no album yet."""
    try:
        with Album() as album:
            return album.ask("SELECT count(*) FROM photos")[0][0], album.ask("SELECT count(*) FROM faces")[0][0]
    except Exception:  # the file is being made
        return 0, 0


def killed(photos: Path, when: int) -> None:
    """Starts to index and kills the process when so many photographs are in the album."""
    with subprocess.Popen(index(photos), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while counted()[0] < when and process.poll() is None:
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    photographs, found = counted()
    print(f"killed ({process.returncode}) with {photographs} photographs and {found} faces in the album", flush=True)


def whole(photos: Path, what: str) -> None:
    """Indexes to the end and tells what was done."""
    started = time.perf_counter()
    told = json.loads(subprocess.run(index(photos), capture_output=True, text=True, check=True).stdout)
    done = ", ".join(
        f"{told[key]} {key}" for key in ("known", "added", "changed", "moved", "copied", "removed", "faces")
    )
    print(f"{what}: {done}, {len(told['failed'])} failed; {time.perf_counter() - started:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    wish = parser.parse_args()
    with TemporaryDirectory() as folder:
        os.environ["LIMNER_ALBUM"] = f"{folder}/album.sqlite"
        photos = Path(folder) / "photos"
        photos.mkdir()
        crops = sorted(wish.faces.glob("*.jpg"))[: wish.count + SOME]
        for crop in crops:
            small = cv2.resize(read_picture(crop), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(photos / crop.name), small[..., ::-1])
        others = [photos / crop.name for crop in crops[wish.count :]]
        spare = [other.read_bytes() for other in others]
        for other in others:
            other.unlink()
        for share in (1, 2):
            killed(photos, wish.count * share // 3)
        whole(photos, "then to the end")
        whole(photos, "again")
        names = sorted(photos.iterdir())
        (photos / "moved").mkdir()
        for file in names[:SOME]:
            shutil.move(file, photos / "moved" / f"new_{file.name}")
        for file in names[SOME : 2 * SOME]:
            file.unlink()
        for file, data in zip(names[2 * SOME : 3 * SOME], spare, strict=True):
            file.write_bytes(data)
        whole(photos, f"{SOME} moved, {SOME} deleted, {SOME} changed")
        photographs, found = counted()
        print(f"at the end {photographs} photographs and {found} faces in the album")


if __name__ == "__main__":
    main()
