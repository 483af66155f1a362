"""The protocol `album`: who is asked for, what counts as told, and a small run."""

import pytest

from limner.album.recognise import KNOWN, Recognised
from limner.data.faces import FaceSet
from limner.errors import LimnerError
from limner.evaluate.album import DAMAGES, THRESHOLDS, Probe, halves_of, row_of, run
from limner.evaluate.protocols import Request, find_protocol
from limner.restorer import Restorer
from limner.settings import Settings


def test_each_photograph_is_asked_for_once_and_is_never_in_its_own_album(shared):
    faces = FaceSet.open(shared / "faces", "test", "held-out")
    first, second = halves_of(faces)
    asked = [probe.place for half in (first, second) for probe in half.probes if probe.person]
    assert len(asked) == len(set(asked)) == 2 * len(first.members)
    for half in (first, second):
        assert not set(half.members.values()) & {probe.place for probe in half.probes}
        assert all(faces.people[probe.place] not in half.members for probe in half.probes if probe.person is None)


def test_what_counts_as_told():
    def one(person, told, likeness):
        return Probe(0, person), Recognised("known", 1, likeness, 0.0), told

    asked = [
        one("a", "a", 0.9),
        one("b", "a", 0.9),
        one("c", "c", 0.3),
        one("d", "d", 0.9),
        one(None, "a", 0.9),
        one(None, "b", 0.2),
    ]
    row = row_of("nothing", KNOWN, asked)
    assert (row["told"], row["wrong"], row["strangers"], row["nearest"]) == (0.5, 0.25, 0.5, 0.75)
    assert row_of("nothing", 2.0, asked)["told"] == 0


def test_it_needs_people_with_two_photographs(shared):
    faces = FaceSet.open(shared / "faces", "val")
    alone = [n for n, person in enumerate(faces.people) if faces.people.count(person) == 1]
    few = FaceSet(faces.folder, [faces.files[n] for n in alone], [faces.people[n] for n in alone], faces.points[alone])
    with pytest.raises(LimnerError, match="An album in .* needs at least three people with two photographs"):
        halves_of(few)


@pytest.mark.slow
def test_a_small_run(shared):
    protocol = find_protocol("album")
    request = Request(shared / "faces", splits=protocol.splits_called("held-out"), limit=3)
    report = run(request, {"difface": Restorer(Settings(threads=1))})
    assert len(report.rows) == len(DAMAGES) * len(THRESHOLDS)
    assert all(0 <= row.number("told") + row.number("wrong") <= 1 for row in report.rows)
    assert report.rows[0]["strangers"] is None, "nobody of the held-out people is a stranger"
