"""What an evaluation knows of its metrics."""

from dataclasses import replace

import numpy as np

from limner.evaluate.extractors import Extractor
from limner.evaluate.report import SECONDS
from limner.evaluate.report_files.evaluation import weights_of_extractors


def test_columns_are_the_brief_metrics_that_were_measured(evaluated, summed):
    assert [one.key for one in evaluated.columns] == ["psnr", "ssim", "perceptual", "detail", "frechet", "seconds"]
    assert "niqe" in [one.key for one in evaluated.missing] and evaluated.count == 8
    long = replace(evaluated, summaries=[summed("row", "abcd", psnr=range(4), psnr_y=range(4))])
    assert [one.key for one in long.metrics] == ["psnr", "psnr_y"]
    assert [one.key for one in long.columns] == ["psnr"] and SECONDS not in long.columns


def test_nets_that_measured_are_named_with_their_licence():
    net = Extractor("colour", "recogniser", 3, lambda pictures: np.zeros((1, 3)), "mean colour", "MIT")
    (weights,) = weights_of_extractors([net])
    assert (weights.name, weights.licence) == ("mean colour", "MIT") and "colour" in weights.purpose
