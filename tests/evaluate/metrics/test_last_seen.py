"""A truth is looked at once."""

import numpy as np

from limner.evaluate.metrics.last_seen import LastSeen


def test_a_picture_is_looked_at_once_until_another_comes():
    looked = []
    of = LastSeen(lambda picture: looked.append(picture) or float(picture.mean()))
    one, other = np.full((2, 2, 3), 5, np.uint8), np.full((2, 2, 3), 9, np.uint8)
    assert [of(one), of(one.copy()), of(other), of(other), of(one)] == [5, 5, 9, 9, 5]
    assert len(looked) == 3
    one[:] = 7
    assert of(one) == 7, "changed since"
