"""The five points of an aligned face."""

import numpy as np

from limner.template import FFHQ_512, template


def test_template_scales_with_the_crop():
    np.testing.assert_allclose(template(512), FFHQ_512)
    np.testing.assert_allclose(template(256), FFHQ_512 / 2)


def test_eyes_are_level_and_features_stand_in_their_order():
    left, right, nose, *mouth = FFHQ_512
    assert abs(left[1] - right[1]) < 1 and left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(corner[1] for corner in mouth)
    assert mouth[0][0] < nose[0] < mouth[1][0]
