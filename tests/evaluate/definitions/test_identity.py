"""What is measured through a recogniser."""

import numpy as np

from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.definitions.common import DLIB
from limner.evaluate.definitions.identity import RECOGNISED, Recognised


def test_a_recogniser_makes_five_metrics():
    metrics = Recognised("net", "Net", "a net", "variant", "licence", "package").metrics()
    assert [one.key for one in metrics] == ["net", "net_degrees", "net_rank1", "net_input", "net_person"]
    assert {(one.extractor, one.variant, one.licence, one.package) for one in metrics} == {
        ("net", "variant", "licence", "package")
    }
    seen = Comparison(
        [],
        [],
        [],
        {"net": Likeness(np.array([0.5]), np.array([True]))},
        {"net": np.array([0.2])},
        {"net": np.array([0.3])},
    )
    figures = [float(one.of(seen)[0]) for one in metrics]
    np.testing.assert_allclose(figures, [0.5, 60, 1, 0.2, 0.3])


def test_dlibs_are_there_under_their_keys():
    own = {one.key: one for one in RECOGNISED if one.extractor == "dlib"}
    assert {"dlib", "dlib_rank1"} <= own.keys()
    assert {one.package for one in own.values()} == {DLIB}
