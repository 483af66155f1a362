"""What keeping costs: seconds and memory for cleaning a photo around a face, enlarging a restoration to its size and
joining the two, beside the restoration itself.

python benchmarks/speed_join.py [--sides 256 512 1024] [--repeat 5] [--threads 1] [--dtype auto]
"""

import argparse

import numpy as np

from limner.faces.align import crop, stretch
from limner.faces.paste import Place
from limner.restorer import Restorer, Settings
from machine import conditions, interleaved, peak_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512, 1024], help="of the face in the photo, px")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16"), default="auto")
    wish = parser.parse_args()

    restorer = Restorer(Settings(threads=wish.threads, dtype=wish.dtype, device="cpu"))
    size = restorer.size
    print(conditions())
    for side in wish.sides:
        photo = np.random.default_rng(0).random((side, side, 3), np.float32)
        matrix = stretch(side, side, size)
        place = Place.of(matrix, size, side, side)
        assert place is not None
        shown = np.rint(255 * crop(photo, matrix, size)).astype(np.uint8)
        restored = restorer.restore_crops([shown], [0])[0].samples
        framed = restorer.joiner.framed(photo, place)
        before = peak_memory()
        restorer.joiner(photo, restored, place)
        memory = peak_memory() - before
        seconds = interleaved(
            {
                "restore": lambda shown=shown: restorer.restore_crops([shown], [0]),
                "clean": lambda photo=photo: restorer.joiner.clean(photo),
                "enlarge": lambda framed=framed, restored=restored: restorer.joiner.grown(framed, restored[0]),
                "join": lambda photo=photo, restored=restored, place=place: restorer.joiner(photo, restored, place),
            },
            wish.repeat,
        )
        print(
            f"{side} px, {restorer.compute.dtype}: restoration {seconds['restore']:.3f} s; cleaning, enlarging and "
            f"joining {seconds['join']:.3f} s ({seconds['join'] / seconds['restore']:.1f} times), of which cleaning "
            f"{seconds['clean']:.3f} s, enlarging {seconds['enlarge']:.3f} s; {memory:.0f} MB more at the peak"
        )
    print(conditions())


if __name__ == "__main__":
    main()
