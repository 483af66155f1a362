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

from limner.background.clean import with_clean_background
from limner.background.enlarge import doubled
from limner.device import choose
from limner.evaluate.cleaning import TASKS, Way, measure, windows
from limner.evaluate.report import contact_sheet
from limner.faces.join import Joiner
from limner.nets.clean import Cleaner
from limner.nets.enlarge import Enlarger
from limner.photo.photo import Photo
from limner.weights.load import load_net
from machine import conditions, interleaved

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from peers import PEERS  # pyright: ignore[reportAttributeAccessIssue]  # of its own folder


def ways(arguments: argparse.Namespace) -> dict[str, dict[str, Way]]:
    """Of each task, what is compared; of limner what `--background clean` and `--upscale 2` make of a photo."""
    compute = choose("cpu", arguments.dtype, 1)
    enlarger = compute.place(load_net(arguments.enlarge or "mini/enlarge", Enlarger)).eval()
    joiner = Joiner(compute)
    if arguments.clean:
        joiner.cleaner = compute.place(load_net(arguments.clean, Cleaner))

    def kept(rgb: np.ndarray) -> np.ndarray:
        return doubled(Photo(rgb, "PNG"), enlarger, clean=False)

    def cleaned(rgb: np.ndarray) -> np.ndarray:
        return with_clean_background(Photo(rgb, "PNG"), rgb, joiner)

    def both(rgb: np.ndarray) -> np.ndarray:
        return doubled(Photo(rgb, "PNG"), enlarger, clean=True)

    ours: dict[int, dict[str, Way]] = {1: {"clean": cleaned}, 2: {"upscale": kept, "clean, upscale": both}}
    peers = ["bicubic", "non-local-means", "waifu2x", *(["x4plus"] if arguments.x4plus else [])]
    return {
        task: {name: partial(PEERS[name], times=times) for name in peers} | ours[times]
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
    sheets = []
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
        spoilt = [(spoil(truth, np.random.default_rng(number)), truth) for number, truth in enumerate(windows())]
        rows = [[*(way(one) for way in some.values()), truth] for one, truth in spoilt]
        sheets.append(contact_sheet(rows, [*some, "truth"]))
    if arguments.sheet:
        wide = max(one.shape[1] for one in sheets)
        stacked = [np.pad(one, ((0, 0), (0, wide - one.shape[1]), (0, 0)), constant_values=255) for one in sheets]
        cv2.imwrite(str(arguments.sheet), np.concatenate(stacked)[..., ::-1])
    print(conditions())


if __name__ == "__main__":
    main()
