"""What came out of measuring a set of pictures: figures of each, estimates with intervals, and what they were made
with. It is a JSON file that `limner compare` reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.intervals import Interval, difference_interval
from limner.photo.write import write_atomically

KIND = "limner-evaluation"


@dataclass(frozen=True)
class Summary:
    """One set of pictures, measured.

    Attributes:
        row: what was measured, as tables call it.
        facts: what must be known to repeat it: folders or protocol, versions, licences.
        names: of the pictures.
        figures: of each picture, by the metrics' keys, (N,) in the order of `names`.
        estimates: of the set, by the metrics' keys.
    """

    row: str
    facts: Mapping[str, object]
    names: tuple[str, ...]
    figures: Mapping[str, np.ndarray]
    estimates: Mapping[str, Interval]

    def save(self, path: Path) -> None:
        """Writes the JSON."""
        write_atomically(path, json.dumps(self.as_json(), indent=1).encode())

    def as_json(self) -> dict[str, object]:
        """The summary as JSON knows it; what is no finite number stands as None."""
        return {
            "kind": KIND,
            "row": self.row,
            "facts": dict(self.facts),
            "estimates": {
                key: [_or_null(one.value), _or_null(one.low), _or_null(one.high)] for key, one in self.estimates.items()
            },
            "names": list(self.names),
            "figures": {key: [_or_null(value) for value in values.tolist()] for key, values in self.figures.items()},
        }

    @classmethod
    def read(cls, path: Path) -> Summary:
        """The way back.

        Raises:
            LimnerError: if there is no such file, or it isn't of this kind.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["kind"] != KIND:
                raise ValueError(found["kind"])
            names = tuple(str(name) for name in found["names"])
            figures = {key: np.array([_or_nan(one) for one in values]) for key, values in found["figures"].items()}
            if any(len(values) != len(names) for values in figures.values()):
                raise ValueError("lengths")
            estimates = {key: Interval(*(_or_nan(one) for one in three)) for key, three in found["estimates"].items()}
            return cls(str(found["row"]), dict(found["facts"]), names, figures, estimates)
        except OSError as error:
            raise LimnerError(f"{path} can't be read: give the summary.json of an evaluation.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LimnerError(f"{path} is no summary of an evaluation: give one that limner evaluate wrote.") from error


@dataclass(frozen=True)
class Difference:
    """One metric of two sets of pictures.

    Attributes:
        key: the metric's.
        ours, theirs: the estimates.
        difference: ours less theirs; of figures of single pictures it is paired, of a whole set's the interval is that
            of two independent estimates.
        paired: which of both it is.
        pictures: that it is told from: those that have a finite figure in both.
    """

    key: str
    ours: Interval
    theirs: Interval
    difference: Interval
    paired: bool
    pictures: int


def compare(ours: Summary, theirs: Summary) -> list[Difference]:
    """The differences of all metrics that both have, on the pictures that both have.

    Raises:
        LimnerError: if they share no picture or no metric.
    """
    shared = [name for name in ours.names if name in set(theirs.names)]
    keys = [key for key in ours.estimates if key in theirs.estimates]
    if not shared or not keys:
        raise LimnerError("The two evaluations share no picture and metric: compare results of the same pictures.")
    own, other = ({name: place for place, name in enumerate(one.names)} for one in (ours, theirs))
    found = []
    for key in keys:
        a, b = ours.estimates[key], theirs.estimates[key]
        if key in ours.figures and key in theirs.figures:
            x = ours.figures[key][[own[name] for name in shared]]
            y = theirs.figures[key][[other[name] for name in shared]]
            both = np.isfinite(x) & np.isfinite(y)
            found.append(Difference(key, a, b, difference_interval(x[both], y[both]), True, int(both.sum())))
        elif shared == list(ours.names) == list(theirs.names):
            found.append(Difference(key, a, b, _independent(a, b), False, len(shared)))
    return found


def _independent(a: Interval, b: Interval) -> Interval:
    """The difference of two estimates whose errors add in squares; it is too wide where both saw the same pictures."""
    value = a.value - b.value
    down = math.hypot(a.value - a.low, b.high - b.value)
    up = math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, value - down, value + up)


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
