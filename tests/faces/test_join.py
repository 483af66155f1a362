"""Restoration and photograph joined: whatever the weights, the result is not worse than the photo."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import nn

from limner.device import choose
from limner.evaluate.metrics.fidelity import psnr
from limner.faces.align import crop, stretch
from limner.faces.join import CAUTION, Joiner, frame_of
from limner.faces.paste import Place
from limner.nets.enlarge import interpolated


@pytest.fixture(scope="module")
def joiner():
    return Joiner(choose("cpu", "fp32"))


def portrait(side: int) -> np.ndarray:
    face = astronaut()[:256, 96:352]
    way = cv2.INTER_AREA if side < 256 else cv2.INTER_CUBIC
    return cv2.resize(face, (side, side), interpolation=way).astype(np.float32) / 255


def place_of(side: int, size: int = 256) -> Place:
    place = Place.of(stretch(side, side, size), size, side, side, feathered=False)
    assert place is not None
    return place


def eight_bit(picture: np.ndarray) -> np.ndarray:
    return np.rint(255 * picture).astype(np.uint8)


def shrunk(picture: np.ndarray, size: int = 256) -> np.ndarray:
    return crop(picture, stretch(len(picture), len(picture), size), size)


GARBAGE = {
    "noise": lambda good: np.random.default_rng(0).random(good.shape, np.float32),
    "grey": lambda good: np.full_like(good, 0.5),
    "another picture": lambda good: np.ascontiguousarray(good[::-1]),
    "stripes": lambda good: np.clip(good + 0.3 * (np.indices(good.shape).sum(0) % 2), 0, 1).astype(np.float32),
}


@pytest.mark.parametrize("side", [120, 256, 512])
@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.slow
def test_bad_weights_leave_the_photo(joiner, side, garbage):
    photo = portrait(side)
    joined = joiner(photo, [GARBAGE[garbage](shrunk(photo))], place_of(side))
    assert psnr(eight_bit(joined.pictures[0]), eight_bit(photo)) > 33
    assert joined.invented.mean() < 0.35


@pytest.mark.parametrize("side", [256, 512])
def test_a_good_photo_is_not_made_softer_by_a_soft_restoration(joiner, side):
    photo = portrait(side)
    soft = cv2.GaussianBlur(shrunk(photo), (0, 0), 1.5)
    joined = joiner(photo, [soft], place_of(side)).pictures[0]
    blurred = cv2.GaussianBlur(photo, (0, 0), 1.5)
    assert psnr(eight_bit(joined), eight_bit(photo)) > psnr(eight_bit(blurred), eight_bit(photo)) + 4


def test_a_good_restoration_of_a_bad_photo_is_taken(joiner):
    truth = portrait(256)
    bad = cv2.GaussianBlur(truth, (0, 0), 5)
    joined = joiner(bad, [truth], place_of(256))
    assert psnr(eight_bit(joined.pictures[0]), eight_bit(truth)) > psnr(eight_bit(bad), eight_bit(truth)) + 2
    assert joined.invented.mean() > 2 * joiner(truth, [truth], place_of(256)).invented.mean()


def test_light_and_colour_stay_the_photos(joiner):
    photo = portrait(256)
    joined = joiner(photo, [np.clip(photo * (1.2, 0.8, 1.0), 0, 1).astype(np.float32)], place_of(256)).pictures[0]
    means = [cv2.resize(one, (4, 4), interpolation=cv2.INTER_AREA) for one in (photo, joined)]
    assert np.abs(means[0] - means[1]).max() < 0.02


def test_samples_that_differ_are_made_up(joiner):
    bad = cv2.GaussianBlur(portrait(256), (0, 0), 5)
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 0.4, bad.shape), (0, 0), 2)
    several = [portrait(256), np.clip(portrait(256) + texture, 0, 1).astype(np.float32)]
    alone = np.mean([joiner(bad, [one], place_of(256)).invented for one in several], axis=0)
    both = joiner(bad, several, place_of(256))
    assert len(both.pictures) == 2
    assert (
        (both.invented >= alone - 1e-4).all()
        and both.invented.mean() > alone.mean() + 0.02
        and both.invented.max() <= 1
    )


def test_the_same_pixels_in_tiles(joiner, monkeypatch):
    photo = portrait(400)
    whole = joiner.clean(photo)
    monkeypatch.setattr("limner.faces.join.TILE", 200)
    assert np.abs(joiner.clean(photo) - whole).max() < 4 / 255


@pytest.mark.parametrize("side", [256, 300, 512, 800])
@pytest.mark.slow
def test_faces_are_cleaned_with_caution(joiner, side):
    noisy = np.clip(portrait(side) + np.random.default_rng(0).normal(0, 0.03, (side, side, 3)), 0, 1).astype(np.float32)
    place = place_of(side)
    joined = joiner(noisy, [np.full((256, 256, 3), 0.5, np.float32)], place).pictures[0]
    change, whole = joined - noisy, joiner.clean(noisy) - noisy
    assert float((change * whole).sum() / (whole**2).sum()) == pytest.approx(CAUTION, abs=0.08)


class Painter(nn.Module):
    """An enlarger of faces that adds stripes finer than a restoration's pixels."""

    def forward(self, restored, photo):
        stripes = torch.tensor([0.1, -0.1]).repeat(photo.shape[-1] // 2)
        return interpolated(restored) + stripes


@pytest.mark.parametrize(("side", "painted"), [(256, False), (512, True)])
def test_a_face_larger_than_its_restoration_gets_detail_drawn(side, painted, monkeypatch):
    joiner = Joiner(choose("cpu", "fp32"))
    monkeypatch.setitem(joiner.__dict__, "enlarger", Painter())
    truth = portrait(side)
    bad, restored = cv2.GaussianBlur(truth, (0, 0), side / 50), shrunk(truth)
    joined = joiner(bad, [restored], place_of(side)).pictures[0]
    stripes = np.abs(np.diff(joined, n=2, axis=1))[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4].mean()
    assert (stripes > 0.05) == painted


def test_restorations_of_another_size_are_interpolated(joiner, monkeypatch):
    monkeypatch.setitem(joiner.__dict__, "enlarger", Painter())
    small = shrunk(portrait(512), 128)
    framed = joiner.framed(portrait(512), place_of(512, 128))
    assert framed.side == 256
    assert (joiner.grown(framed, small) == cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)).all()


@pytest.mark.parametrize(("side", "frame"), [(40, 256), (256, 256), (320, 256), (330, 512), (512, 512), (3000, 512)])
def test_frames(side, frame):
    assert frame_of(side, 256) == frame
