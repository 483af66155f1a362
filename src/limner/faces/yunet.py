"""YuNet, the published face detector that OpenCV runs (`FaceDetectorYN`)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.faces.proposals import scale_of
from limner.weights import catalogue

FILE = "face_detection_yunet_2023mar.onnx"
SIDE = 1280  # side of the square with as many pixels as the copy that is searched
SMALLEST = 10  # side in that copy of the smallest faces that its authors promise


def detect(rgb: np.ndarray, path: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """What YuNet takes for faces; several boxes may lie on one. Each call has a detector of its own, so that threads
    share none.

    Args:
        rgb: H x W x 3 uint8.
        path: its ONNX file; None is the fetched one.

    Returns:
        The five points of each, (N, 5, 2) float64 in the order of `Face.landmarks`, and the scores (N,) in 0..1.

    Raises:
        LimnerError: its file is missing or unreadable.
    """
    path = path or catalogue.find("official/yunet").path()
    if not path.is_file():
        raise LimnerError(
            f"The detector 'yunet' needs its file {FILE}, and {path} is not there: give it by --yunet PATH, "
            "or run `limner weights fetch official/yunet`."
        )
    height, width = rgb.shape[:2]
    scale = scale_of(width, height, SIDE)
    if scale * min(height, width) < 1:
        return np.empty((0, 5, 2)), np.empty(0)  # it would shrink to a line
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    if scale < 1:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    try:
        detector = cv2.FaceDetectorYN.create(str(path), "", (bgr.shape[1], bgr.shape[0]), score_threshold=0.6)
        _, rows = detector.detect(bgr)
    except cv2.error as error:
        raise LimnerError(f"{path} can't be used as YuNet: give the published {FILE} by --yunet PATH.") from error
    # A row: box, then the person's right eye, left eye, nose, right and left mouth corner, and the score. The
    # person's right is the left as seen, so this is our order.
    rows = np.empty((0, 15)) if rows is None else np.asarray(rows, np.float64)
    return rows[:, 4:14].reshape(-1, 5, 2) / scale, rows[:, 14]
