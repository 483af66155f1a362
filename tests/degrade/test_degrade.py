import json

import numpy as np
import pytest

from limner.degrade.degrade import (
    GRID,
    Degradation,
    apply,
    degrade,
    draw,
    gaussian_kernel,
    grid_point,
    preset_names,
)
from limner.errors import LimnerError

from ..golden.published_streams import PublishedStreams


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "golden/degradation/degradation_golden.npz")


@pytest.fixture(scope="module")
def cases(shared):
    return json.loads((shared / "golden/degradation/cases.json").read_text())["cases"]


def parameters(kernel: str) -> tuple[float, float, float]:
    """sigma_x, sigma_y, rotation of a name such as iso.2.0 or aniso.1.5.6.0.0.7 (each number has one decimal)."""
    kind, rest = kernel.split(".", 1)
    parts = rest.split(".")
    numbers = [float(f"{whole}.{fraction}") for whole, fraction in zip(parts[::2], parts[1::2], strict=True)]
    return (numbers[0], numbers[0], 0.0) if kind == "iso" else (numbers[0], numbers[1], numbers[2])


def test_kernels(golden):
    names = [n for n in golden.files if n.startswith(("kernel.iso", "kernel.aniso"))]
    assert len(names) == 7
    for name in names:
        kernel = gaussian_kernel(*parameters(name.removeprefix("kernel.")))
        np.testing.assert_allclose(kernel, golden[name], rtol=1e-9, atol=1e-14)


def test_sigma_zero_is_a_delta():
    kernel = gaussian_kernel(0, 0, 0)
    assert kernel[20, 20] == 1 and kernel.sum() == 1


@pytest.mark.parametrize("name", ["c0", "c1", "c2", "c3", "c4"])
def test_fixed_cases(golden, cases, name):
    case = cases[name]
    level = case["noise_sigma"]
    noise = golden[f"{name}.noise"] * (255 / level if level else 0)
    degradation = Degradation(*parameters(case["kernel"]), case["downsample"], noise, level, case["jpeg_q"])
    result = apply(golden["in.rgb_uint8"], degradation)
    for repository in ("difface", "refldm"):
        difference = np.abs(result.astype(int) - golden[f"{name}.{repository}.final_rgb_uint8"])
        # the two repositories themselves differ by one level in 33 values of c0 (float32 against float64)
        assert difference.max() <= 1 and np.count_nonzero(difference) <= 33, repository


def test_difface_testing_draw(golden):
    height, width = golden["in.rgb_uint8"].shape[:2]
    noise = np.random.RandomState(5).standard_normal((height // 8, width // 8, 3))
    degradation = Degradation(4, 2, 0.5, 8, noise, 10, 50)
    result = apply(golden["in.rgb_uint8"], degradation)
    difference = np.abs(result[..., ::-1].astype(int) - golden["difface_testing.seed5.final_bgr_uint8"])
    assert difference.max() <= 1 and np.count_nonzero(difference) <= 33


@pytest.mark.parametrize("seed", range(4))
def test_random_draws_follow_the_published_order(golden, seed):
    result = degrade(golden["in.rgb_uint8"], "refldm", PublishedStreams(seed))
    difference = np.abs(result.astype(int) - golden[f"refldm_random.seed{seed}.final_rgb_uint8"])
    assert difference.max() <= 1 and np.count_nonzero(difference) <= 33


@pytest.mark.parametrize("preset", preset_names())
def test_same_seed_same_picture(preset):
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    first, second, other = (degrade(image, preset, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == image.shape and first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_a_preset_means_the_same_loss_at_every_size():
    wide = draw("ffhq-ref-severe", np.random.default_rng(3), 512, 512)
    small = draw("ffhq-ref-severe", np.random.default_rng(3), 256, 256)
    assert wide.noise.shape == small.noise.shape
    assert wide.noise.shape[1] == int(512 / wide.downsample)


def test_oblong_pictures_keep_their_size():
    image = np.zeros((40, 90, 3), np.uint8)
    assert degrade(image, "gfpgan", np.random.default_rng(0)).shape == (40, 90, 3)


def test_grid_walks_in_the_published_order():
    generator = np.random.default_rng(0)
    first, second, last = (grid_point(i, generator) for i in (0, 1, 3999))
    assert (first.jpeg_quality, first.downsample, first.noise_sigma, first.sigma_x) == (30, 4, 1, 4)
    assert second.rotation == pytest.approx(np.pi / 4)
    assert (last.jpeg_quality, last.downsample, last.noise_sigma, last.sigma_x) == (70, 40, 20, 16)


def test_messages():
    with pytest.raises(LimnerError, match="no degradation preset 'mild': choose one of gfpgan"):
        draw("mild", np.random.default_rng(0))
    with pytest.raises(LimnerError, match=f"{GRID} has the points 0 to 3999, not 4000"):
        grid_point(4000, np.random.default_rng(0))
