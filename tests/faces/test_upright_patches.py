"""What the finder's last look learns from."""

import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.errors import LimnerError, WeightsError
from limner.faces.align import fit_similarity
from limner.faces.find import load_alignnet
from limner.nets.alignnet import upright_points
from limner.train import make_recipe
from limner.train.recipes.alignnet_fine import FACE_SHARE, UprightPatches
from limner.weights.catalogue import find


@pytest.fixture(scope="module")
def patches(shared) -> UprightPatches:
    return UprightPatches(FaceSet.open(shared / "faces", "val").first(20), load_alignnet())


def test_faces_are_nearly_upright(patches):
    samples = [patches[n] for n in range(60)]
    faces = [sample for sample in samples if sample["face"]]
    assert abs(len(faces) / 60 - FACE_SHARE) < 0.15
    for sample in faces:
        fit = fit_similarity(upright_points(1), sample["points"].numpy().astype(float))
        assert abs(np.rad2deg(np.arctan2(fit[1, 0], fit[0, 0]))) < 35
        assert 0.7 < np.hypot(fit[0, 0], fit[1, 0]) < 1.4


def test_a_sample_is_fixed(patches):
    for n in range(12):
        assert all(torch.equal(value, patches[n][key]) for key, value in patches[n].items())


def test_the_pictures_own_face_is_no_stranger(patches):
    truth = np.array([(70, 80), (120, 80), (95, 110), (75, 140), (115, 140)], float)
    points = np.stack([truth, truth + 20, truth + 70, truth[:, ::-1] * 0.1])
    assert patches._strange(points, truth).tolist() == [False, False, True, True]
    assert patches._strange(points, None).all()


def test_what_is_no_face_is_what_the_first_looks_like(patches):
    """The hard ones: of patches without a face the first net likes more than of any it is shown itself."""
    rng = np.random.default_rng(0)
    chosen = np.stack([patches._no_face(rng) for _ in range(24)])
    with torch.no_grad():
        logits = load_alignnet()(torch.from_numpy(chosen).permute(0, 3, 1, 2).float() / 255)[0]
    assert (logits.sigmoid() > 0.05).float().mean() > 0.3


def test_what_it_builds_on(shared):
    with pytest.raises(LimnerError, match="one preset"):
        make_recipe("alignnet-fine", shared / "faces", "paper")
    with pytest.raises(WeightsError, match="holds another net than an AlignNet"):
        make_recipe("alignnet-fine", shared / "faces", start=find("mini/identity").path())
