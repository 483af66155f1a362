"""The embedded cleaner: better where a photograph is spoilt, the same where it isn't, at any size."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut, chelsea

from limner.evaluate.metrics.fidelity import psnr
from limner.nets.clean import Cleaner
from limner.pixels import to_picture, to_tensor
from limner.weights.load import load_net


@pytest.fixture(scope="module")
def cleaner():
    return load_net("mini/clean")


def cleaned(net, picture: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return to_picture(net(to_tensor(picture)[None])[0])


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.rint(np.clip(picture + noise, 0, 255)).astype(np.uint8)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))


@pytest.mark.parametrize("photo", [astronaut, chelsea])
def test_it_takes_off_what_is_spoilt(cleaner, photo):
    truth = photo()[:256, 100:356]
    spoilt = {2.0: noisy(truth, 8), 0.3: jpeg(truth, 40), 0.2: cv2.GaussianBlur(truth, (0, 0), 1.0)}
    for gain, picture in spoilt.items():
        assert psnr(cleaned(cleaner, picture), truth) > psnr(picture, truth) + gain


def test_a_good_photograph_comes_back(cleaner):
    truth = astronaut()[:256, 96:352]
    assert psnr(cleaned(cleaner, truth), truth) > 36


def test_an_untrained_one_changes_nothing_at_any_size():
    picture = torch.rand(2, 3, 37, 90)
    assert torch.equal(Cleaner()(picture), picture)


def test_what_is_far_away_plays_no_part(cleaner):
    """Tiles meet without a seam because nothing farther than their overlap matters."""
    from limner.faces.join import OVERLAP

    picture = torch.rand(1, 3, 256, 256)
    changed = picture.clone()
    changed[..., 64 + OVERLAP :, :] = 0
    with torch.no_grad():
        difference = (cleaner(picture) - cleaner(changed))[..., :64, :]
    assert difference.abs().max() < 2 / 255
