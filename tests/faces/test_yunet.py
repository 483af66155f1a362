"""YuNet's file, and what becomes of its rows."""

import cv2
import numpy as np
import pytest

from limner.errors import LimnerError
from limner.faces.find import find_faces, smallest_found

from .test_find import five


def test_yunet_without_its_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMNER_MODELS", str(tmp_path))
    picture = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(LimnerError, match=r"needs its file face_detection_yunet_2023mar\.onnx, and .* --yunet PATH"):
        find_faces(picture, "yunet")
    with pytest.raises(LimnerError, match=r"nowhere\.onnx is not there"):
        find_faces(picture, "yunet", tmp_path / "nowhere.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no net")
    with pytest.raises(LimnerError, match=r"broken\.onnx can't be used as YuNet"):
        find_faces(picture, "yunet", broken)


def test_yunet_rows_become_faces(tmp_path, monkeypatch):
    """OpenCV's detector is replaced: its rows and the picture it is given are checked, not its net."""
    file, given = tmp_path / "net.onnx", {}
    file.write_bytes(b"")
    big, small = five(600, 300, 60), five(100, 100, 20)

    class Detector:
        @classmethod
        def create(cls, model, config, size, score_threshold):
            given.update(model=model, size=size)
            return cls()

        def detect(self, bgr):
            given["picture"] = bgr
            rows = [[0, 0, 9, 9, *p.ravel(), score] for p, score in ((small, 0.9), (big, 0.8), (big + 1, 0.7))]
            return 1, np.array(rows, np.float32)

    monkeypatch.setattr(cv2, "FaceDetectorYN", Detector)
    photo = np.zeros((1280, 2560, 3), np.uint8)
    photo[..., 0] = 200
    found = find_faces(photo, "yunet", file)
    assert given["model"] == str(file) and given["size"] == (1810, 905)
    assert given["picture"][0, 0].tolist() == [0, 0, 200]  # OpenCV wants BGR
    assert [f.score for f in found] == pytest.approx([0.8, 0.9])
    np.testing.assert_allclose(found[0].landmarks, big * 2**0.5, atol=1e-3)
    assert smallest_found(2560, 1280, "yunet") == pytest.approx(10 * 2**0.5)
