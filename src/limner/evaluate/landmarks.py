"""How exactly the five points are found, and how often a face is found at all.

    limner benchmark --protocol landmarks --data FACES [--split test] [--limit N]

Every crop of the split is shown at 512 px: clean and under the preset ffhq-ref-severe, upright and turned by a random
angle of up to 45 degrees (the mirror image fills the corners). Errors are the mean distance of the five points from
`landmarks.csv` in eye distances. "finder" is the whole of `find_faces`, its errors over the faces it found; "net"
is AlignNet alone from a rough box around the true face, over all faces. Below stand the faces on canvases, whose points
are more exact (`canvases.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from limner.data.faces import MESH_POINTS, FaceSet, Split
from limner.degrade.degrade import degrade
from limner.evaluate import canvases
from limner.evaluate.protocols import Request
from limner.evaluate.report import Report, Row
from limner.faces.align import transform
from limner.faces.find import (
    find_faces,
    load_alignnet,
    look,
    look_closely,
    look_steadily,
    upright_frames,
)
from limner.nets.alignnet import AlignNet

if TYPE_CHECKING:
    from limner.restorer import Restorer

SIDE = 512
SEVERE = "ffhq-ref-severe"
MOST_TURN = 45.0


@dataclass(frozen=True)
class Accuracy:
    """One row of the table.

    Attributes:
        degraded: None or the name of the preset.
        turned: whether the crops were turned.
        faces: how many were shown.
        found: share of them that `find_faces` found.
        false: found faces per picture that are not the crop's own.
        mean, median: errors of the found ones in eye distances.
        net_mean, net_median: errors of AlignNet from a rough box, all faces.
    """

    degraded: str | None
    turned: bool
    faces: int
    found: float
    false: float
    mean: float
    median: float
    net_mean: float
    net_median: float


def measure(
    faces: FaceSet,
    degraded: str | None,
    turned: bool,
    limit: int | None = None,
    seed: int = 0,
    detector: str = "limner",
    yunet: Path | None = None,
) -> Accuracy:
    """Measures one condition.

    Args:
        faces: the split.
        degraded: a preset of `limner.degrade.degrade`, or None for the clean crops.
        turned: turn each crop by a random angle.
        limit: measure on so many crops, spread over the split.
        seed: of angles and degradations.
        detector, yunet: as for `find_faces`.
    """
    errors, net_errors, strangers = [], [], 0
    count = 0
    for picture, truth, rough in shown(faces, degraded, turned, limit, seed):
        count += 1
        eyes = np.linalg.norm(truth[1] - truth[0])
        found = find_faces(picture, detector, yunet)
        distances = [np.linalg.norm(face.landmarks.mean(0) - truth.mean(0)) / eyes for face in found]
        hit = int(np.argmin(distances)) if distances and min(distances) < 0.5 else None
        strangers += len(found) - (hit is not None)
        if hit is not None:
            errors.append(error(found[hit].landmarks, truth))
        net_errors.append(error(_refined(load_alignnet(), picture, rough), truth))
    return Accuracy(
        degraded,
        turned,
        count,
        len(errors) / count,
        strangers / count,
        float(np.mean(errors)) if errors else float("nan"),
        float(np.median(errors)) if errors else float("nan"),
        float(np.mean(net_errors)),
        float(np.median(net_errors)),
    )


def measure_all(faces: FaceSet, limit: int | None = None, seed: int = 0) -> list[Accuracy]:
    """Clean and severe, plain and turned."""
    return [measure(faces, preset, turned, limit, seed) for preset in (None, SEVERE) for turned in (False, True)]


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """The protocol `landmarks`, on faces spread over one split; it restores nothing.

    Raises:
        LimnerError: if the folder lacks its tables or the split is empty.
    """
    rows = measure_all(request.faces(), request.limit, request.seed)
    finds = measure_canvases(request.data, request.splits, request.limit, request.seed)
    text = f"{table(rows)}\n\n{canvases.table(finds)}"
    return Report({"protocol": "landmarks"}, [Row(asdict(row)) for row in (*rows, *finds)], text=text)


def measure_canvases(data: Path, splits: Sequence[Split], limit: int | None, seed: int = 0) -> list[canvases.Finds]:
    """Clean and severe, at every turn, of crops spread over the splits.

    Raises:
        LimnerError: if the folder lacks its tables or the splits are empty.
    """
    faces = FaceSet.open(data, *splits, points=MESH_POINTS)
    faces = faces.spread(limit) if limit else faces
    return [canvases.measure(faces, degraded, turn, seed) for degraded in (None, SEVERE) for turn in canvases.TURNS]


def measure_net(net: AlignNet, faces: FaceSet, seed: int = 0) -> dict[str, float]:
    """AlignNet alone on turned crops, for the training loop: mean error and share of faces that it says yes to."""
    figures = {}
    for name, preset in (("clean", None), ("severe", SEVERE)):
        errors, accepted = [], []
        for picture, truth, rough in shown(faces, preset, True, None, seed):
            errors.append(error(_refined(net, picture, rough), truth))
            accepted.append(bool(look_closely(net, picture, rough[None])))
        figures |= {f"{name} error": float(np.mean(errors)), f"{name} accepted": float(np.mean(accepted))}
    return figures


def error(points: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of the five points (5, 2) from the true ones, in eye distances."""
    return float(np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[1] - truth[0]))


def shown(
    faces: FaceSet, degraded: str | None, turned: bool, limit: int | None, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pictures (512 px), their true points, and a rough upright frame as a proposal would give it."""
    count = min(limit or len(faces), len(faces))
    for index in (place * len(faces) // count for place in range(count)):
        rng = np.random.default_rng((seed, index))
        picture, truth = faces.image(index, SIDE), faces.landmarks(index, SIDE).astype(np.float64)
        angle = rng.uniform(-MOST_TURN, MOST_TURN)
        if turned:
            turn = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), angle, 1)
            picture = cv2.warpAffine(
                picture, turn, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
            )
            truth = transform(truth, turn)
        if degraded:
            picture = degrade(picture, degraded, rng)
        # As wide as upright patches are, off by what the cascade is off, and not turned with the face.
        fit = upright_frames(truth[None])[0]
        side = np.exp(rng.normal(0, 0.1)) / np.hypot(fit[0, 0], fit[1, 0])
        middle = np.linalg.solve(fit[:, :2], 0.5 - fit[:, 2]) + rng.uniform(-0.08, 0.08, 2) * side
        yield picture, truth, np.array([[1, 0, side / 2 - middle[0]], [0, 1, side / 2 - middle[1]]]) / side


@torch.inference_mode()
def _refined(net: AlignNet, picture: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """The points after the finder's three looks, whatever the score."""
    _, points = look(net, picture, rough[None])
    _, points = look(net, picture, upright_frames(points))
    return look_steadily(net, picture, upright_frames(points))[1][0]


def table(rows: list[Accuracy]) -> str:
    """The rows as text."""
    lines = ["condition               faces  found  false  finder: mean  median   net: mean  median"]
    for row in rows:
        name = f"{row.degraded or 'clean'}, {'turned' if row.turned else 'upright'}"
        lines.append(
            f"{name:<24}{row.faces:>5}{row.found:>7.1%}{row.false:>7.2f}{row.mean:>14.2%}{row.median:>8.2%}"
            f"{row.net_mean:>12.2%}{row.net_median:>8.2%}"
        )
    return "\n".join(lines)
