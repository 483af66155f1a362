"""A folder of aligned faces with its tables, as far as tests need one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from limner.photo.write import save_png


def folder_of_faces(folder: Path, count: int, side: int = 64) -> Path:
    """Pictures of noise over colours, called faces of the split `test`."""
    folder.mkdir(exist_ok=True)
    index, landmarks = ["file,person_id,split,out_size"], ["file," + ",".join("abcdefghij")]
    for number in range(count):
        generator = np.random.default_rng(number)
        picture = generator.integers(60, 180, 3) + generator.integers(-40, 40, (side, side, 3))
        save_png(folder / f"face{number}.png", picture.astype(np.uint8))
        index.append(f"face{number}.png,person{number},test,{side}")
        landmarks.append(f"face{number}.png" + ",20" * 10)
    (folder / "index.csv").write_text("\n".join(index))
    (folder / "landmarks.csv").write_text("\n".join(landmarks))
    return folder
