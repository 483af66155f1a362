"""A program as a user's: what limner tells type checkers of its public names (`test_typed.py` runs pyright over it)."""

from pathlib import Path

import numpy as np
from PIL import Image

import limner
from limner import Cancelled, Face, Photo, RestoredCrop, Restorer, SeenFace, Settings


def progress(done: int, total: int) -> None:
    if done > 100 * total:
        raise Cancelled


def one_line(path: str) -> Image.Image:
    return limner.restore(path, settings=Settings(method="difface", options={"steps": 2})).photo.image()


def kept(folder: Path, portrait: Image.Image, pixels: np.ndarray) -> list[str]:
    restorer = Restorer(Settings(method="refldm", references=[folder / "anna.jpg", Photo.of(portrait)], seed=3))
    notes: list[str] = []
    for picture in (folder / "a.jpg", str(folder / "b.jpg"), portrait, pixels, Photo.open(folder / "c.jpg")):
        done = restorer.restore(picture, progress)
        done.save(folder / "restored.png", quality=90)
        share: np.ndarray = done.invented
        faces: list[SeenFace] = done.faces
        crops: list[RestoredCrop] = restorer.restore_crops(done.aligned, [face.number for face in faces])
        samples: list[np.ndarray] = [crop.samples[0] for crop in crops]
        notes += [*done.notes, f"{share.mean()} {len(samples)} {done.provenance.seed if done.provenance else None}"]
    return notes


def faces_of(photo: Photo) -> list[tuple[float, float, float, float]]:
    found: list[Face] = limner.find_faces(photo.srgb())
    return [face.box for face in found if face.score > 0.95]


def sentence(path: Path) -> str:
    try:
        limner.restore(path, path.with_suffix(".png"), quality=80)
    except limner.PhotoError as error:
        return str(error)
    except limner.LimnerError as error:
        return f"limner: {error}"
    return ", ".join(method.name for method in limner.list_methods())
