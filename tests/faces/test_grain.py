"""Grain is measured as it is, texture isn't grain, and what is measured is given back."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data

from limner.faces.grain import KNOTS, Grain, add_grain, measure_grain

WHITE = np.sqrt([0.812, 0.145, 0.035, 0.008])  # of white noise's deviation, in octaves: areas in the Fourier plane
GREY = (0.5, 0.5, 0.5)


def flat(height=256, width=256, colour=GREY) -> np.ndarray:
    return np.full((height, width, 3), colour, np.float32)


def slope(side=256, colour=(0.5, 0.4, 0.35)) -> np.ndarray:
    """A coloured picture: red from left to right, blue from top to bottom."""
    picture, ramp = flat(side, side, colour), np.linspace(-0.15, 0.15, side, dtype=np.float32)
    picture[..., 0] += ramp
    picture[..., 2] -= ramp[:, None]
    return picture


def noisy(picture: np.ndarray, sigma: float, blur=0.0, channels=1, seed=0) -> np.ndarray:
    """8-bit pixels with noise of `sigma` grey levels, blurred first."""
    noise = np.random.default_rng(seed).standard_normal((*picture.shape[:2], channels), np.float32)
    if blur:
        noise = cv2.GaussianBlur(noise, (0, 0), blur).reshape(noise.shape)
        noise /= noise.std()
    return eight_bit(picture + noise * np.float32(sigma / 255))


def eight_bit(picture: np.ndarray) -> np.ndarray:
    return (np.rint(np.clip(picture, 0, 1) * 255) / 255).astype(np.float32)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    _, file = cv2.imencode(".jpg", np.rint(picture * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.float32) / 255


def everywhere(picture: np.ndarray) -> np.ndarray:
    return np.ones(picture.shape[:2], bool)


def around(picture: np.ndarray) -> np.ndarray:
    """All but a face in the middle."""
    where = everywhere(picture)
    height, width = where.shape
    where[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = False
    return where


def luma(grain: Grain) -> np.ndarray:
    """Deviations of the octaves in grey levels."""
    return 255 * grain.deviations[:, 0]


def total(grain: Grain) -> float:
    return 255 * float(np.sqrt((grain.deviations**2).sum()))


def octaves(noise: np.ndarray) -> np.ndarray:
    """What the deviations of a noise (H, W) are, from its whole Fourier plane."""
    power = np.abs(np.fft.fft2(noise)) ** 2 / noise.size**2
    radius = np.hypot(np.fft.fftfreq(noise.shape[0])[:, None], np.fft.fftfreq(noise.shape[1]))
    edges = (1, 1 / 4, 1 / 8, 1 / 16, 1 / 32)
    return np.sqrt([power[(radius < above) & (radius >= below)].sum() for above, below in pairwise(edges)])


def texture(name: str, side=256) -> np.ndarray:
    """A grey texture of middle lightness."""
    grey = getattr(data, name)()[:side, :side].astype(np.float32) / 255
    return np.repeat(np.clip(grey + 0.5 - grey.mean(), 0.02, 0.98)[..., None], 3, 2)


@pytest.mark.parametrize("sigma", [2, 5, 12])
@pytest.mark.parametrize("side", [96, 256, 512])
def test_white_noise(sigma, side):
    picture = noisy(flat(side, side), sigma, seed=side)
    grain = measure_grain(picture, everywhere(picture))
    assert total(grain) == pytest.approx(sigma, rel=0.1)
    np.testing.assert_allclose(luma(grain)[:2], sigma * WHITE[:2], rtol=0.1)
    np.testing.assert_allclose(luma(grain)[2:], sigma * WHITE[2:], rtol=0.3)
    assert grain.deviations.shape == (4, 2) and grain.deviations.dtype == np.float32
    np.testing.assert_allclose(grain.strengths, 1, atol=0.01)  # one lightness has no dependence on it


def test_rounding_is_not_counted():
    picture = noisy(flat(512, 512), 1)
    assert total(measure_grain(picture, everywhere(picture))) == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("blur", [0.6, 0.8, 1.2, 1.6])
def test_coarse_noise_is_in_its_octaves(blur):
    picture = noisy(flat(512, 512), 6, blur)
    grain = measure_grain(picture, around(picture))
    true = octaves(255 * (picture[..., 0] - 0.5))
    assert total(grain) == pytest.approx(6, rel=0.1)
    np.testing.assert_allclose(luma(grain), true, rtol=0.15, atol=0.3)


@pytest.mark.parametrize("deviations", [[4.5, 1.9, 0.9, 0.45], [1, 3, 2.5, 1.2], [2, 3.4, 3, 2.1], [0.5, 2, 2.4, 1.7]])
@pytest.mark.parametrize("side", [173, 400])
def test_what_is_measured_is_given_back(deviations, side):
    both = np.stack([deviations, np.multiply(deviations, (0.5, 0.5, 0.5, 0.45))], 1).astype(np.float32) / 255
    wanted = Grain(both, np.ones(5, np.float32))
    picture = add_grain(slope(side), wanted, np.ones((side, side), np.float32), np.random.default_rng(3))
    assert picture.dtype == np.float32 and picture.shape == (side, side, 3)
    got = measure_grain(eight_bit(picture), everywhere(picture))
    np.testing.assert_allclose(luma(got), deviations, rtol=0.15, atol=0.15)
    np.testing.assert_allclose(255 * got.deviations[:3, 1], 255 * both[:3, 1], rtol=0.15, atol=0.25)
    assert total(got) == pytest.approx(total(wanted), rel=0.1)


def test_a_blurred_face_gets_its_grain_back():
    photo = noisy(slope(), 7, 0.9)
    where = around(photo)
    share = cv2.GaussianBlur((~where).astype(np.float32), (0, 0), 8)
    pasted = photo + share[..., None] * (slope() - photo)
    again = add_grain(pasted, measure_grain(photo, share < 0.02), share, np.random.default_rng(1))
    left = again - slope()
    for place in (share > 0.98, (share > 0.4) & (share < 0.6), (share > 0.1) & (share < 0.3)):  # no dip at the seam
        assert left[place].std() == pytest.approx((photo - slope())[place].std(), rel=0.12)
    assert (pasted - slope())[(share > 0.4) & (share < 0.6)].std() < 0.6 * left[share > 0.98].std()
    np.testing.assert_array_equal(again[share == 0], photo[share == 0])


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "camera"])
@pytest.mark.parametrize("sigma", [0, 4])
def test_texture_beside_flat_places_is_no_grain(name, sigma):
    picture = flat()
    picture[:, 128:] = texture(name)[:, 128:]
    grain = measure_grain(noisy(picture, sigma), everywhere(picture))
    assert total(grain) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_what_the_face_has_not_is_no_grain(name):
    picture = texture(name, 384)
    where = around(picture)
    picture[~where] = 0.5
    assert total(measure_grain(eight_bit(picture), where)) == 0
    assert 3.6 < total(measure_grain(noisy(picture, 4), where)) < 5


@pytest.mark.parametrize("name", ["gravel", "felt"])
def test_texture_of_one_lightness_alone_is_no_grain(name):
    picture = flat(colour=(0.7,) * 3)
    felt = noisy(flat(), 15, seed=9)  # texture like grain
    picture[:, 128:] = (felt if name == "felt" else texture(name))[:, 128:] - 0.2
    grain = measure_grain(noisy(picture, 2), everywhere(picture))
    found = grain.strengths * total(grain)
    assert found[3] == pytest.approx(2, rel=0.15)
    assert found[1] <= 2 * 1.6**2 * 1.1 and found[0] <= 2 * 1.6**3 * 1.1


def test_hair_is_no_grain():
    portrait = data.astronaut()[:200, 120:330].astype(np.float32) / 255  # a film scan: its own grain is 2 grey levels
    soft = eight_bit(cv2.GaussianBlur(portrait, (0, 0), 1.5))
    where = around(soft)
    assert total(measure_grain(soft, where)) < 0.5
    assert total(measure_grain(noisy(soft, 5), where)) == pytest.approx(5, rel=0.15)


def test_a_halftone_screen_is_no_grain():
    y, x = np.mgrid[:256, :256].astype(np.float32)
    screen = np.cos((x + 0.8 * y) * 1.5) + np.cos((0.8 * x - y) * 1.5)
    picture = flat() + np.float32(0.06) * screen[..., None]
    assert total(measure_grain(eight_bit(picture), everywhere(picture))) < 0.5
    assert total(measure_grain(noisy(picture, 4), everywhere(picture))) == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize("quality", [None, 90, 40])
def test_a_clean_photograph_has_none(quality):
    kept = (lambda picture: jpeg(picture, quality)) if quality else eight_bit
    gradient = np.repeat(np.linspace(0.1, 0.9, 300, dtype=np.float32)[:, None, None], 300, 1).repeat(3, 2)
    cat = data.chelsea().astype(np.float32) / 255
    for picture in (gradient, slope(), np.ascontiguousarray(cat)):
        for where in (everywhere(picture), around(picture)):
            grain = measure_grain(kept(picture), where)
            assert total(grain) < 0.5
    nothing = measure_grain(kept(gradient), everywhere(gradient))
    picture = slope()
    result = add_grain(picture, nothing, np.ones(picture.shape[:2], np.float32), np.random.default_rng(0))
    np.testing.assert_array_equal(result, picture)
    assert result is not picture


def test_jpeg_leaves_less_than_there_was_and_no_blocks():
    picture = jpeg(noisy(flat(), 6), 70)
    deviations = luma(measure_grain(picture, everywhere(picture)))
    true = octaves(255 * (picture[..., 0] - picture.mean()))
    np.testing.assert_allclose(deviations[1:3], true[1:3], rtol=0.2)
    assert deviations[0] < 1.15 * true[0]


def test_strength_depends_on_lightness():
    ramp = np.linspace(0.03, 0.97, 512, dtype=np.float32)
    picture = np.repeat(ramp[None, :, None], 512, 0).repeat(3, 2)
    noise = np.random.default_rng(2).standard_normal((512, 512, 1), np.float32)
    sigma = (1 + 24 * picture * (1 - picture)) / 255
    photo = eight_bit(picture + noise * sigma)
    grain = measure_grain(photo, everywhere(photo))
    found = grain.strengths * total(grain)
    np.testing.assert_allclose(found[1:4], 1 + 24 * KNOTS[1:4] * (1 - KNOTS[1:4]), rtol=0.12)
    assert found[0] < 0.75 * found[2] and found[4] < 0.75 * found[2]
    again = add_grain(picture, grain, np.ones((512, 512), np.float32), np.random.default_rng(0)) - picture
    for x in (100, 250, 400):
        assert again[:, x - 20 : x + 20].std() == pytest.approx(float(sigma[0, x, 0]), rel=0.15)


@pytest.mark.parametrize("shared", [0, 4])
def test_colour_noise(shared):
    clean = slope(400)
    picture = noisy(noisy(clean, shared, seed=1), 6, channels=3)
    grain = measure_grain(picture, everywhere(picture))
    deviations = 255 * np.sqrt((grain.deviations**2).sum(0))
    np.testing.assert_allclose(deviations, [np.hypot(6 / 3**0.5, shared), 6 / 3**0.5], rtol=0.1)
    again = add_grain(clean, grain, np.ones((400, 400), np.float32), np.random.default_rng(0)) - clean
    np.testing.assert_allclose(np.cov(again.reshape(-1, 3).T), np.cov((picture - clean).reshape(-1, 3).T), atol=1e-4)
    np.testing.assert_allclose(again.std((0, 1)), (picture - clean).std((0, 1)), rtol=0.1)


def test_grey_and_sepia_get_no_coloured_specks():
    sepia = np.linspace(0.25, 0.75, 256, dtype=np.float32)[:, None, None] * np.ones((1, 256, 1), np.float32)
    for tint in ((1, 1, 1), (1.15, 0.98, 0.75)):
        picture = eight_bit(noisy(sepia.repeat(3, 2), 6) * np.array(tint, np.float32))
        grain = measure_grain(picture, everywhere(picture))
        assert total(grain) > 4 and not grain.deviations[:, 1].any()
        added = add_grain(flat(), grain, np.ones((256, 256), np.float32), np.random.default_rng(0))
        assert np.ptp(added, axis=2).max() == 0 and added.std() > 3 / 255


def test_same_generator_same_pixels():
    grain = Grain(np.full((4, 2), 0.02, np.float32), np.ones(5, np.float32))
    share = np.ones((61, 83), np.float32)
    one, same, other = (add_grain(flat(61, 83), grain, share, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


def test_the_range_is_kept():
    grain = Grain(np.full((4, 2), 0.1, np.float32), np.ones(5, np.float32))
    picture = slope()
    picture[:80], picture[80:160] = 0, 1
    result = add_grain(picture, grain, np.ones((256, 256), np.float32), np.random.default_rng(0))
    assert result.min() == 0 and result.max() == 1
    assert result[:80].max() == 0 and result[80:160].min() == 1  # nothing is grainy that is black or white


def test_too_few_surroundings():
    small = noisy(flat(31, 200), 8)
    assert total(measure_grain(small, everywhere(small))) == 0
    photo = noisy(flat(), 8)
    assert total(measure_grain(photo, np.zeros((256, 256), bool))) == 0
    thin = everywhere(photo)
    thin[20:-20, 20:-20] = False  # no window of 32 pixels finds room
    assert total(measure_grain(photo, thin)) == 0
    white = noisy(flat(colour=(1, 1, 1)), 8)
    assert total(measure_grain(white, everywhere(white))) == 0
    thin[:60] = True
    assert total(measure_grain(photo, thin)) == pytest.approx(8, rel=0.1)


def test_nothing_is_changed_in_place():
    photo = noisy(slope(), 5)
    before, where = photo.copy(), around(photo)
    grain = measure_grain(photo, where)
    add_grain(photo, grain, (~where).astype(np.float32), np.random.default_rng(0))
    np.testing.assert_array_equal(photo, before)
