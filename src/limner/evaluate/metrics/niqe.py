"""NIQE (Mittal et al. 2013): how natural a picture looks, with no truth beside it.

    python -m limner.evaluate.metrics.niqe --data FACES -o FILE.npz [--limit N]

fits the model of photographs on faces of the split `train`. The published model can be given by path instead.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from limner.data.faces import FaceSet
from limner.errors import LimnerError
from limner.evaluate.metrics.natural import LENGTH, patch_features
from limner.evaluate.metrics.pictures import check_pictures, fine_luma
from limner.extras import needed

PUBLISHED_PATCH = 96
"""Side in px of the patches that published parameters were fitted with."""
PATCH = 32
"""Of our own fit's: a face of 256 px then has 64 patches, enough for the covariance of 36 numbers."""
SHARP = 0.75
"""Patches are fitted on whose sharpness is at least so much of the sharpest one's in the picture."""
SIDE = 256
"""px of the faces that our own fit was made of."""


@dataclass(frozen=True)
class NaturalModel:
    """The Gaussian of features of photographs.

    Attributes:
        name: of the variant, to be printed beside every figure.
        mean: (36,).
        covariance: (36, 36).
        patch: side of the patches in px, even.
    """

    name: str
    mean: np.ndarray
    covariance: np.ndarray
    patch: int


def niqe(picture: np.ndarray, model: NaturalModel) -> float:
    """The distance of the Gaussians of a picture's features and of photographs': sqrt((m - m')^T ((C + C') / 2)^-1
    (m - m')).

    0 upwards, lower is better; good photographs have 3 to 5 by the published model. Variants: the model's name; the
    BT.601 luma of the full range, unrounded; all patches of the picture count.

    Args:
        picture: (H, W, 3) uint8 RGB; a rest at the right and the bottom that fills no patch is left out.
        model: of `natural_faces` or `load_model`.

    Raises:
        LimnerError: see `check_pictures`; or the picture has fewer than two patches a side, or is flat.
    """
    check_pictures(picture, least=2 * model.patch)
    features, _ = patch_features(fine_luma(picture), model.patch)
    features = features[np.isfinite(features).all(axis=1)]
    if len(features) < 2:
        raise LimnerError("The picture is flat, so there is nothing whose naturalness could be measured: leave it out.")
    apart = features.mean(axis=0) - model.mean
    both = (np.cov(features.T) + model.covariance) / 2
    return float(np.sqrt(max(apart @ np.linalg.pinv(both) @ apart, 0.0)))


def fit(pictures: Iterable[np.ndarray], name: str, patch: int = PATCH) -> NaturalModel:
    """The model of photographs, from the sharp patches of each.

    Args:
        pictures: (H, W, 3) uint8 RGB each.
        name: of the variant.
        patch: side of the patches in px, even.

    Raises:
        LimnerError: see `check_pictures`; or there are too few sharp patches for a covariance.
    """
    found = [np.zeros((0, LENGTH))]
    for picture in pictures:
        check_pictures(picture, least=2 * patch)
        features, sharpness = patch_features(fine_luma(picture), patch)
        found.append(features[(sharpness >= SHARP * sharpness.max()) & np.isfinite(features).all(axis=1)])
    rows = np.concatenate(found)
    if len(rows) <= LENGTH:
        raise LimnerError(f"NIQE can't be fitted on {len(rows)} sharp patches: give more pictures.")
    return NaturalModel(name, rows.mean(axis=0), np.cov(rows.T), patch)


@cache
def natural_faces() -> NaturalModel:
    """Our own fit, which the package holds: faces of the split `train` at 256 px, patches of 32 px. Its figures are not
    to be held against published ones."""
    with resources.as_file(resources.files("limner.evaluate.metrics").joinpath("natural_faces.npz")) as path:
        return load_model(path, PATCH, "own fit on faces, 32-px patches")


def load_model(path: Path, patch: int = PUBLISHED_PATCH, name: str | None = None) -> NaturalModel:
    """A published model.

    Args:
        path: `.mat` (needs scipy) or `.npz` with `mu_prisparam`, 36 numbers, and `cov_prisparam`, 36 x 36.
        patch: side of the patches that it was fitted with, in px.
        name: of the variant; by default the file's.

    Raises:
        LimnerError: the file can't be read or holds something else; or scipy is missing.
    """
    arrays = _read_mat(path) if path.suffix.lower() == ".mat" else _read_npz(path)
    wanted = {"mu_prisparam": LENGTH, "cov_prisparam": LENGTH**2}
    for key, size in wanted.items():
        if key not in arrays or arrays[key].size != size or arrays[key].dtype.kind != "f":
            raise LimnerError(
                f"{path} holds no model of NIQE: it should have {' and '.join(wanted)}, {LENGTH} and {LENGTH} x "
                f"{LENGTH} numbers."
            )
        if not np.isfinite(arrays[key]).all():
            raise LimnerError(f"The model of NIQE {path} holds what is no finite number: get a whole copy of the file.")
    mean, covariance = (arrays[key].astype(np.float64) for key in wanted)
    return NaturalModel(name or path.name, mean.reshape(LENGTH), covariance.reshape(LENGTH, LENGTH), patch)


def save_model(model: NaturalModel, path: Path) -> None:
    """Writes a model as `.npz`, as `load_model` reads it."""
    np.savez(path, mu_prisparam=model.mean, cov_prisparam=model.covariance)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except OSError as error:
        raise LimnerError(f"Can't read the model of NIQE {path}: {error.strerror or error}.") from error
    except (ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise LimnerError(f"The model of NIQE {path} is damaged or no .npz file: get a whole copy of it.") from error


def _read_mat(path: Path) -> dict[str, np.ndarray]:
    with needed("scipy", f"Reading {path}"):
        from scipy.io import loadmat
    try:
        return {key: value for key, value in loadmat(path).items() if isinstance(value, np.ndarray)}
    except OSError as error:
        raise LimnerError(f"Can't read the model of NIQE {path}: {error.strerror or error}.") from error
    except Exception as error:  # scipy reports a damaged file by a dozen different classes
        raise LimnerError(f"The model of NIQE {path} is damaged or no .mat file: get a whole copy of it.") from error


def main() -> None:
    """Fits our own model and writes it."""
    parser = argparse.ArgumentParser(description="Fits NIQE on faces of the split `train`.")
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its tables")
    parser.add_argument("-o", "--out", type=Path, required=True, help="file to write, .npz")
    parser.add_argument("--limit", type=int, help="at most so many faces, evenly spread over the split")
    given = parser.parse_args()
    faces = FaceSet.open(given.data)
    whole = [number for number, side in enumerate(faces.sides) if side >= SIDE]
    chosen = np.unique(np.linspace(0, len(whole) - 1, given.limit or len(whole)).round().astype(int))
    pictures = (faces.image(whole[place], SIDE) for place in chosen)
    save_model(fit(pictures, "own fit"), given.out)
    print(f"Fitted on {len(chosen)} faces: {given.out}")


if __name__ == "__main__":
    main()
