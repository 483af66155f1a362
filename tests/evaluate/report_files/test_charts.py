"""The geometry of charts."""

from dataclasses import replace

import numpy as np

from limner.evaluate.report_files.charts import MOST_DOTS, STRIP, WIDTH, distributions, scatters, swarm


def test_a_dot_for_every_picture_within_its_strip(evaluated):
    charts = {chart.metric.key: chart for chart in distributions(evaluated)}
    assert charts.keys() == {"psnr", "ssim", "perceptual", "detail"}
    first, second = charts["psnr"].strips
    assert first.dots.count("M") == 8 and first.left_out == 0
    assert second.mean.low < second.mean.value < second.mean.high <= WIDTH
    assert first.mean.value < second.mean.value, "the better row stands to the right"


def test_large_sets_keep_their_shape_by_quantiles(evaluated, summed):
    figures = np.random.default_rng(0).normal(20, 2, 5_000)
    row = summed("many", map(str, range(5_000)), psnr=figures)
    (chart,) = distributions(replace(evaluated, summaries=[row]))
    assert chart.strips[0].dots.count("M") == MOST_DOTS


def test_what_is_no_number_is_left_out_and_counted(evaluated, summed):
    row = summed("odd", "abcde", psnr=[20, np.inf, np.nan, 21, 22], ssim=[np.nan] * 5)
    (chart,) = distributions(replace(evaluated, summaries=[row]))
    assert chart.metric.key == "psnr" and chart.strips[0].left_out == 2 and chart.strips[0].mean is None


def test_dots_of_one_place_lie_apart_and_stay_within():
    dots = swarm([50.0] * 80, 15)
    assert len(set(dots)) == 80
    assert all(0 < y < STRIP for _, y in dots)


def test_quality_stands_against_seconds(evaluated):
    charts = {chart.metric.key: chart for chart in scatters(evaluated)}
    assert charts.keys() == {"psnr", "ssim", "perceptual", "frechet"}, "ratios have no better end"
    given, restored = charts["psnr"].points
    assert given.x is None, "the input took no time"
    assert charts["psnr"].left < restored.x < charts["psnr"].right
    assert restored.y.value < given.y.value, "more dB stand higher"


def test_no_chart_without_seconds(evaluated, summed):
    assert scatters(replace(evaluated, summaries=[summed("row", "abcd", psnr=range(4))])) == []
