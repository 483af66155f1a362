"""Restores the pictures of a folder by a peer; `limner evaluate OUTPUT --against TRUTH` then measures them.

python benchmarks/peers/run.py PEER INPUT OUTPUT [--times N]
python benchmarks/peers/run.py --list
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import cv2

from peers import PEERS

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the peers with origin and licence, and stop")
    parser.add_argument("peer", choices=PEERS, nargs="?")
    parser.add_argument("input", type=Path, nargs="?", help="folder of pictures")
    parser.add_argument("output", type=Path, nargs="?", help="folder for PNG files of the same names")
    parser.add_argument("--times", type=int, default=1, help="how many times larger the results shall be")
    arguments = parser.parse_args()
    if not arguments.list and (arguments.output is None or arguments.times < 1):
        parser.error("give PEER, INPUT and OUTPUT, and --times of at least 1.")
    return arguments


def main() -> None:
    arguments = parsed()
    if arguments.list:
        for peer in PEERS.values():
            print(f"{peer.name}: {peer.origin}. Licence: {peer.licence}.")
        return
    if not arguments.input.is_dir():
        sys.exit(f"{arguments.input} is no folder.")
    files = sorted(path for path in arguments.input.iterdir() if path.suffix.lower() in KINDS)
    if not files:
        sys.exit(f"{arguments.input} holds no picture ({', '.join(KINDS)}).")
    if arguments.output.resolve() == arguments.input.resolve():
        sys.exit("OUTPUT is INPUT: give another folder.")
    if len({file.stem for file in files}) < len(files):
        sys.exit(f"{arguments.input} holds two pictures of one name: their results would be one.")
    arguments.output.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    peer, started = PEERS[arguments.peer], time.perf_counter()
    for file in files:
        bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if bgr is None:
            sys.exit(f"{file} can't be read as a picture.")
        restored = peer(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), arguments.times)
        target = arguments.output / f"{file.stem}.png"
        if not cv2.imwrite(str(target), cv2.cvtColor(restored, cv2.COLOR_RGB2BGR)):
            sys.exit(f"{target} can't be written.")
    seconds = (time.perf_counter() - started) / len(files)
    print(f"{peer.name}: {len(files)} pictures, {seconds:.2f} s each (1 thread, load {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()
