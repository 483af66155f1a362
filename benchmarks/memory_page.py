"""Peak memory of the page's program while fifty programs ask at once.

    python benchmarks/memory_page.py [--crowd 50] [--pixels 2]

`limner ui` runs as a process of its own, and so does the crowd: each sends a photo of one face that many megapixels
large to `/restore`, all at the same moment; the queue takes 32, the others are told that it is full. The peaks are
those that the system counted for the program (VmHWM, Linux alone): when it was ready, after one request, after the
crowd.
"""

from __future__ import annotations

import argparse
import io
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from pathlib import Path

import httpx
from PIL import Image
from skimage.data import astronaut

from machine import conditions


def peak(process: int) -> float:
    """Of a process, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) * 1024 / 1e6


def photo(megapixels: float) -> bytes:
    """A portrait as JPEG."""
    side, data = isqrt(int(megapixels * 1e6)), io.BytesIO()
    Image.fromarray(astronaut()[:320, 60:380]).resize((side, side), Image.Resampling.LANCZOS).save(data, "JPEG")
    return data.getvalue()


def ask(address: str, picture: bytes, number: int) -> int:
    """Asks once, and tells the status."""
    files = {"photo": (f"{number}.jpg", picture)}
    return httpx.post(f"{address}restore", files=files, data={"seed": str(number)}, timeout=None).status_code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crowd", type=int, default=50)
    parser.add_argument("--pixels", type=float, default=2, help="millions of each photo")
    wish = parser.parse_args()
    print(conditions(), flush=True)
    picture = photo(wish.pixels)
    command = [sys.executable, "-m", "limner", "ui", "--no-browser", "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr
        try:
            line = next(line for line in program.stderr if "http://" in line)
            address = line[line.index("http://") :].split()[0]
            ready = peak(program.pid)
            ask(address, picture, 0)
            one = peak(program.pid)
            started = time.perf_counter()
            with ThreadPoolExecutor(wish.crowd) as crowd:
                answers = Counter(crowd.map(lambda number: ask(address, picture, number), range(wish.crowd)))
            seconds, all_of_them = time.perf_counter() - started, peak(program.pid)
        finally:
            program.send_signal(signal.SIGINT)
    print(
        f"photos of {wish.pixels:g} megapixels, {len(picture) / 1e6:.2f} MB: ready {ready:.0f} MB, after one request "
        f"{one:.0f} MB, after {wish.crowd} at once {all_of_them:.0f} MB ({all_of_them - one:.0f} MB more); "
        f"{answers[200]} restored, {answers[503]} told that the queue is full, {seconds:.0f} s"
    )
    print(conditions())


if __name__ == "__main__":
    main()
