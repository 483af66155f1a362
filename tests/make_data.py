"""Records the project's own golden outputs: `python -m tests.make_data` in the root of the repository.

They stand in for the authors' (`../shared/golden`), which can't be shipped, so that whoever has the repository alone
tests the mathematics of the methods, too. The nets are tiny and random, drawn by the names of their tensors; what they
give is computed by limner's exact code in fp32, one thread, on a CPU. That this code is right was checked by the same
tests with the authors' outputs: they pass where `../shared` lies beside the repository, and must pass there before
anything is recorded anew. Names and shapes of the published checkpoints (`outputs/published.json`) are limner's own,
too, and were compared with the authors' manifests: 3,592 names, no difference.

Schedules, kernels, the steps of DDIM and the posterior of DDPM are not recorded from limner but computed by their
formulas in float64 (`tests/golden/`), so that a mistake there can't record itself.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from .golden.layout import OUTPUTS, record


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        record(Path(scratch))
    for path in sorted(OUTPUTS.iterdir()):
        print(f"{path.stat().st_size / 1e6:.2f} MB  {path.name}")


if __name__ == "__main__":
    main()
