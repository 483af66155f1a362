"""The rest of the photo beside what others use: quality on four windows, and the time for 512 x 512 px on one thread.

python benchmarks/background.py [--clean FOLDER] [--enlarge FOLDER] [--dtype fp32] [--x4plus] [--sheet FILE]

Of peers (`benchmarks/peers`) waifu2x always, and Real-ESRGAN x4plus where it is asked for: it takes minutes.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.device import choose
from limner.evaluate.cleaning import TASKS, Way, measure, through, windows
from limner.evaluate.report import contact_sheet
from limner.weights.load import load_net
from machine import conditions, interleaved

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from peers import PEERS  # pyright: ignore[reportAttributeAccessIssue]  # of its own folder


def ways(arguments: argparse.Namespace) -> dict[str, dict[str, Way]]:
    """Of each task, what is compared."""
    peers = ["bicubic", "non-local-means", "waifu2x", *(["x4plus"] if arguments.x4plus else [])]
    compute = choose("cpu", arguments.dtype, 1)
    nets = {"mild": arguments.clean or "mini/clean", "half": arguments.enlarge or "mini/enlarge"}
    return {
        task: {name: partial(PEERS[name], times=times) for name in peers}
        | {"limner": through(compute.place(load_net(nets[task])))}
        for task, (_, times) in TASKS.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clean", type=Path, help="folder of a cleaner; the embedded one by default")
    parser.add_argument("--enlarge", type=Path, help="folder of an enlarger; the embedded one by default")
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16"), default="auto", help="of limner's nets")
    parser.add_argument("--x4plus", action="store_true", help="Real-ESRGAN, too")
    parser.add_argument("--sheet", type=Path, help="write a picture of all results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(conditions())
    rows = []
    for task, some in ways(arguments).items():
        told = measure(some, task)
        large = np.ascontiguousarray(np.tile(windows()[0], (3, 3, 1))[:512, :512])
        timed = {name: way for name, way in some.items() if name != "x4plus"}
        seconds = interleaved({name: partial(way, large) for name, way in timed.items()}, 3)
        for name, (decibels, similarity) in told.items():
            print(f"{task}: {name}: {decibels:.2f} dB, SSIM {similarity:.3f}", end="\n" if name not in seconds else "")
            if name in seconds:
                print(f", {seconds[name]:.2f} s, {seconds[name] / seconds['waifu2x']:.2f} times waifu2x's")
        spoil, _ = TASKS[task]
        for number, truth in enumerate(windows()):
            spoilt = spoil(truth, np.random.default_rng(number))
            rows.append([*(way(spoilt) for way in some.values()), truth])
    if arguments.sheet:
        cv2.imwrite(str(arguments.sheet), contact_sheet(rows, [*ways(arguments)["half"], "truth"])[..., ::-1])
    print(conditions())


if __name__ == "__main__":
    main()
