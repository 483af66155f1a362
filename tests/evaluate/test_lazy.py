"""Things that are made when they are asked for."""

import pytest

from limner.evaluate.lazy import Lazy


def test_nothing_is_made_before_it_is_asked_for_and_nothing_kept():
    made = []
    things = Lazy(5, lambda place: made.append(place) or f"thing {place}")
    assert len(things) == 5 and not made
    assert things[-1] == "thing 4" and list(things[1:4:2]) == ["thing 1", "thing 3"]
    assert made == [4, 1, 3]
    with pytest.raises(IndexError):
        things[5]
    assert len(list(things)) == 5
