"""Five points to crop and back."""

import cv2
import numpy as np
import pytest

from limner.errors import LimnerError
from limner.faces.align import Pyramid, crop, fit_similarity, invert, similarity, transform, warp
from limner.template import template


def matrix(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    a = np.deg2rad(angle)
    return np.array(
        [[scale * np.cos(a), -scale * np.sin(a), shift[0]], [scale * np.sin(a), scale * np.cos(a), shift[1]]]
    )


def smooth(height: int, width: int) -> np.ndarray:
    """A picture without fine detail, whose value is known between its pixels too."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([np.sin(x / 23) + np.cos(y / 31), np.sin((x + y) / 29), np.cos(x / 37 - y / 19)], -1) / 4 + 0.5


@pytest.mark.parametrize("angle", [0, 33, -120, 180])
def test_similarity_finds_the_very_transform(angle):
    truth = matrix(angle, 0.37, (40, -25))
    points = transform(template(512), invert(truth))
    found = similarity(points, 512)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    assert found.dtype == np.float64


def test_similarity_is_the_least_squares_one():
    rng = np.random.default_rng(0)
    points = template(256) + rng.normal(0, 6, (5, 2))
    best = similarity(points, 256)

    def cost(m):
        return ((transform(points, m) - template(256)) ** 2).sum()

    for _ in range(200):
        a, b, x, y = rng.normal(0, 1e-3, 4)
        assert cost(best + np.array([[a, -b, x], [b, a, y]])) >= cost(best)


def test_similarity_never_mirrors():
    mirrored = template(512) * (-1, 1)
    assert np.linalg.det(similarity(mirrored, 512)[:, :2]) > 0


def test_many_similarities_at_once_equal_one_by_one():
    rng = np.random.default_rng(1)
    many = template(100) + rng.normal(0, 9, (4, 5, 2))
    together = fit_similarity(many, template(64))
    for one, points in zip(together, many, strict=True):
        np.testing.assert_allclose(one, fit_similarity(points, template(64)))


def test_invert():
    m = matrix(20, 1.7, (5, 9))
    points = np.random.default_rng(0).normal(size=(6, 2))
    np.testing.assert_allclose(transform(transform(points, m), invert(m)), points, atol=1e-12)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2))])
def test_bad_points(points):
    with pytest.raises(LimnerError, match="five different points"):
        similarity(points, 512)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_identity_crop_is_the_picture(dtype):
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    picture = (smooth(64, 64) * white).astype(dtype)
    same = crop(picture, np.eye(2, 3), 64)
    assert same.dtype == dtype
    np.testing.assert_array_equal(same, picture)


@pytest.mark.parametrize(("scale", "tolerance"), [(2.5, 0.004), (0.8, 0.004), (0.43, 0.01), (0.15, 0.03)])
def test_crop_shows_the_right_place(scale, tolerance):
    picture, m = smooth(600, 700), matrix(25, scale, (0, 0))
    m[:, 2] = 32 - m[:, :2] @ (350, 300)  # the middle of the picture to the middle of the crop
    cut = crop(picture, m, 64)
    y, x = np.mgrid[:64, :64]
    source = transform(np.stack([x.ravel(), y.ravel()], -1), invert(m)).astype(np.float32).reshape(64, 64, 2)
    expected = cv2.remap(picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    assert np.abs(cut - expected).mean() < tolerance


def test_shrinking_does_not_alias():
    stripes = np.tile((np.arange(900) % 3 == 0).astype(np.float32)[None, :, None], (900, 1, 3))
    for scale, most in ((0.55, 0.45), (0.3, 0.12), (0.1, 0.12)):
        cut = crop(stripes, matrix(0, scale, (0, 0)), int(900 * scale))
        assert np.ptp(cut[10:-10, 10:-10]) < most
        assert abs(cut.mean() - 1 / 3) < 0.02


def test_beyond_the_edge_the_picture_is_mirrored():
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    cut = crop(picture, np.array([[1, 0, 10.0], [0, 1, 15.0]]), 32)
    np.testing.assert_array_equal(cut, np.pad(picture, ((15, 0), (10, 0), (0, 0)), "reflect")[:32, :32])
    far = crop(picture, np.array([[1, 0, -500.0], [0, 1, 0.0]]), 32)  # several mirrors away: still a picture
    assert far.std() > 10


def test_grey_pictures_and_very_large_ones():
    assert crop(np.zeros((30, 30), np.uint8), np.eye(2, 3), 16).shape == (16, 16)
    wide = np.zeros((4, 40000, 3), np.uint8)
    wide[:, 39000:] = 255
    cut = crop(wide, np.array([[1.0, 0, -39500], [0, 1, 0]]), 16)  # OpenCV alone ends at 32,767
    assert cut.min() == 255


@pytest.mark.parametrize("shape", [(640, 800), (641, 807)])
@pytest.mark.parametrize("scale", [1.5, 0.4, 0.3, 0.2, 0.09, 0.045])
def test_a_pyramid_shows_what_the_picture_shows(scale, shape):
    picture, m = smooth(*shape), matrix(25, scale, (0, 0))
    m[:, 2] = 16 - m[:, :2] @ (350, 300)
    cut, whole = Pyramid(picture).warp(m, 32, 32), warp(picture, m, 32, 32)
    if scale > 0.25:
        np.testing.assert_array_equal(cut, whole)
    assert np.abs(cut - whole).mean() < (0.01 if scale > 0.05 else 0.02)


def test_a_line_is_not_halved_away():
    assert Pyramid(np.full((1, 900), 7, np.uint8)).warp(matrix(0, 0.01, (0, 0)), 8, 8).tolist() == [[7] * 8] * 8
    pyramid = Pyramid(np.zeros((8, 8), np.uint8))
    assert Pyramid.of(pyramid) is pyramid
