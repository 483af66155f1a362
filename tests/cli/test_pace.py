"""What the bar says of a run's pace."""

from pathlib import Path

from limner.cli import pace
from limner.cli.pace import paced
from limner.folder.earlier import Kept
from limner.folder.run import Outcome


def test_what_was_there_already_tells_nothing_of_the_pace(monkeypatch):
    clock = iter([0.0, 30.0, 60.0, 90.0])
    monkeypatch.setattr(pace.time, "perf_counter", lambda: next(clock))
    outcomes = [Outcome(Path("a.jpg")), Outcome(Path("b.jpg"), kept=Kept("there")), Outcome(Path("c.jpg"))]
    told = []
    assert list(paced(outcomes, lambda *one: told.append(one), 5)) == outcomes
    assert told == [
        ("1 of 5 photos, 2 a minute", 1, 5),
        ("2 of 5 photos, 1 a minute", 2, 5),
        ("3 of 5 photos, 1 a minute", 3, 5),
    ]
