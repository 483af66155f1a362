"""The enlarger of faces: untrained cubic interpolation, the features of the estimator, and detail that is lacking."""

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from skimage.data import astronaut

from limner.device import choose
from limner.evaluate.metrics.detail import detail_by_band
from limner.nets.enlarge import interpolated
from limner.nets.enlarge_face import FaceEnlarger
from limner.nets.estimator import Estimator
from limner.pixels import to_picture, to_tensor
from limner.train.loop import save_weights
from limner.train.recipes.enlarge_face import LENDER, learning
from limner.weights.load import load_net


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 32, 48, generator=generator), torch.rand(2, 3, 64, 96, generator=generator)


def test_an_untrained_one_interpolates(pair):
    restored, photo = pair
    large = FaceEnlarger()(restored, photo)
    assert large.shape == photo.shape and torch.equal(large, interpolated(restored))


@pytest.mark.parametrize("changed", [0, 1])
def test_both_pictures_are_seen_where_they_lie(pair, changed):
    net = FaceEnlarger(widths=(8, 8), estimator_config={"widths": (8, 8), "depths": (1, 1)})
    torch.nn.init.normal_(net.tail.out.weight)
    pictures = [torch.full_like(one, 0.5) for one in pair]
    before = net(*pictures) - interpolated(pictures[0])
    times = (2, 1)[changed]
    pictures[changed][..., 40 // times, 60 // times] = 1.0
    difference = (net(*pictures) - interpolated(pictures[0]) - before).abs().sum(1)[0]
    rows, columns = torch.nonzero(difference > 0.1 * difference.max(), as_tuple=True)
    assert abs(rows.float().mean() - 40) < 5 and abs(columns.float().mean() - 60) < 5


def test_the_estimators_features_are_shared_and_not_saved_twice(pair, tmp_path):
    net = learning(None)
    free = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert free and all(name.startswith(("grow.", "tail.")) for name in free)
    with torch.no_grad():
        for name in free:
            net.get_parameter(name).add_(0.01)
    save_weights(net, tmp_path / "net", "fp16")
    with safe_open(tmp_path / "net" / "diffusion_pytorch_model.safetensors", "pt") as file:
        assert set(file.keys()) == free
    back = load_net(tmp_path / "net", FaceEnlarger)
    torch.testing.assert_close(back(*pair), net(*pair), rtol=5e-3, atol=5e-3)
    lender = load_net(LENDER, Estimator)
    assert torch.equal(back.estimator.middle[0].conv1.weight, lender.middle[0].conv1.weight)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_the_embedded_one_draws_what_a_small_face_lacks(dtype):
    face = cv2.resize(astronaut()[:256, 96:352], (512, 512), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(face, (256, 256), interpolation=cv2.INTER_AREA)
    photo = cv2.GaussianBlur(face, (0, 0), 4)
    compute = choose("cpu", dtype)
    net = compute.place(load_net("mini/enlarge-face", FaceEnlarger))
    with torch.no_grad():
        made = net(*(to_tensor(one)[None] for one in (small, photo)))
    assert made.dtype == torch.float32
    cubic, large = (to_picture(one[0]) for one in (interpolated(to_tensor(small)[None]), made))
    finest, second = np.divide(detail_by_band(large, face)[:2], detail_by_band(cubic, face)[:2])
    assert finest > 1.3 and second > 0.95
    tiny = [cv2.resize(one, (64, 64), interpolation=cv2.INTER_AREA).astype(float) for one in (large, small)]
    assert np.abs(tiny[0] - tiny[1]).mean() < 3
