"""How damage is drawn: covers are as wide and as strong as they say."""

import numpy as np
import pytest

from limner.degrade.damage_layer import Layer, clouds, drawn, filled, log_uniform, outline, soft, wandering


def test_a_layer_covers_or_tints():
    image = np.full((4, 4, 3), 0.8, np.float32)
    cover = np.zeros((4, 4), np.float32)
    cover[0, 0], cover[1, 1] = 1.0, 0.5
    brown = np.array([1, 0.5, 0.25], np.float32)
    painted, tinted = Layer(cover, brown).over(image), Layer(cover, brown, tints=True).over(image)
    assert painted[0, 0] == pytest.approx(brown) and painted[1, 1] == pytest.approx((brown + 0.8) / 2)
    assert tinted[0, 0] == pytest.approx(0.8 * brown) and tinted[3, 3] == pytest.approx(0.8)


@pytest.mark.parametrize("wide", [0.6, 1.0, 2.0, 6.0])
def test_a_line_is_as_wide_as_it_says(wide):
    cover = drawn(60, 80, [(np.array([[-5.0, 30.0], [85.0, 30.0]]), wide)])
    assert cover.shape == (60, 80) and cover.max() <= 1
    assert cover.sum(axis=0).mean() == pytest.approx(wide, abs=0.6)
    assert cover[:24].max() == 0


def test_an_outline_is_filled():
    round_ = np.array([[20 + 9 * np.cos(t), 20 + 9 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, 60)])
    cover = filled(40, 40, [round_])
    assert cover.sum() == pytest.approx(np.pi * 81, rel=0.1) and cover[20, 20] == 1 and cover[2, 2] == 0
    blurred = soft(cover, 3.0)
    assert blurred.sum() == pytest.approx(cover.sum(), rel=0.02) and 0 < blurred[20, 32] < 0.5
    assert soft(cover, 0.1) is cover


def test_clouds_are_smooth_and_about_one_strong():
    fine, coarse = (clouds(200, 150, cell, np.random.default_rng(0)) for cell in (2, 20))
    assert fine.shape == (200, 150)
    for noise in (fine, coarse):
        assert 0.4 < noise.std() < 1.3
    assert np.abs(np.diff(coarse, axis=1)).mean() < 0.3 * np.abs(np.diff(fine, axis=1)).mean()


def test_a_line_wanders_as_far_as_it_should():
    rng = np.random.default_rng(0)
    straight = wandering(np.array([10.0, 20.0]), 0.0, 90.0, 0.0, 0.0, rng)
    assert straight[0].tolist() == [10, 20] and straight[-1] == pytest.approx([100, 20])
    bent = wandering(np.zeros(2), 0.0, 90.0, np.pi, 0.0, rng)
    assert np.hypot(*bent[-1]) == pytest.approx(180 / np.pi, rel=0.1)  # half a circle


def test_a_blot_is_as_large_as_it_says():
    for seed in range(20):
        rim = outline(np.array([50.0, 60.0]), 10.0, 0.3, np.random.default_rng(seed))
        away = np.hypot(*(rim - [50, 60]).T)
        assert away.max() < 20.1 and away.min() > 1.4 and 2 < away.mean() < 16


def test_log_uniform_stays_between_its_ends():
    drawn_ = [log_uniform(np.random.default_rng(seed), 1, 100) for seed in range(200)]
    assert 1 <= min(drawn_) < 2 and 50 < max(drawn_) <= 100 and 5 < float(np.median(drawn_)) < 20
