"""Distances carry their net's name and never another's."""

from limner.evaluate.definitions.distances import SET_DISTANCES, Distances


def test_four_of_one_net():
    own = Distances("inception", ("fid", "kid"), ("FID", "KID x 1000"), ("a", "b"), "licence").metrics()
    assert [one.key for one in own] == ["fid", "kid", "fid_real", "kid_real"]
    assert [one.variant for one in own] == ["a", "b", "a", "b"]
    assert [sorted(one.needs) for one in own] == [["truth"]] * 2 + [["photographs"]] * 2
    assert {one.extractor for one in own} == {"inception"}


def test_efficientnets_are_not_called_fid():
    assert not any("FID" in one.heading or "KID" in one.heading for one in SET_DISTANCES)
