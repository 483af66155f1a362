"""Which cases of two runs differ by more than their spread: the verdict of `run.py --compare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limner import LimnerError
from measured import Measured, Run, Spread

ALIKE_MEMORY = 0.05
"""Share by which peak memory moves from run to run of the same program."""


@dataclass(frozen=True)
class Difference:
    """One case in two runs.

    Attributes:
        name: of the case.
        times: how many times the work (seconds by the rate of a matrix product, `Measured.work`) the second run needed;
            the ends are of its least over the first's most, and the other way.
        memory: how many times the peak memory.
    """

    name: str
    times: Spread
    memory: float

    @classmethod
    def between(cls, before: Measured, after: Measured) -> Difference:
        one, other = before.work(), after.work()
        times = Spread(other.median / one.median, other.least / one.most, other.most / one.least)
        return cls(before.what.name, times, after.peak_mb / before.peak_mb)

    @property
    def verdict(self) -> str:
        """`slower` or `faster` where all turns of one run took longer than all of the other, else `alike`; and whether
        the memory moved. Of five turns each, chance alone orders them so once in 126 times."""
        words = ["slower" if self.times.least > 1 else "faster" if self.times.most < 1 else "alike"]
        if abs(self.memory - 1) > ALIKE_MEMORY:
            words.append("more memory" if self.memory > 1 else "less memory")
        return ", ".join(words)


def compare(before: Run, after: Run) -> list[Difference]:
    """The cases that both runs measured, in the order of the first.

    Raises:
        LimnerError: if there is none.
    """
    later = {one.what.name: one for one in after.measured}
    found = [Difference.between(one, later[one.what.name]) for one in before.measured if one.what.name in later]
    if not found:
        raise LimnerError("The two runs have no case in common: measure both with the same options.")
    return found


def table(before: Run, after: Run, differences: Sequence[Difference]) -> str:
    """Markdown: the conditions of both, a row for each case that both have, and the verdict."""
    rows = ["| case | times the work | least to most | times the memory | |", "|---|---|---|---|---|"]
    for one in differences:
        median, least, most = one.times
        rows.append(f"| {one.name} | {median:.2f} | {least:.2f} to {most:.2f} | {one.memory:.2f} | {one.verdict} |")
    moved = sum(one.verdict != "alike" for one in differences)
    heads = [f"{name}: {told}" for name, run in (("A", before), ("B", after)) for told in run.conditions]
    alone = len({one.what.name for one in before.measured} ^ {one.what.name for one in after.measured})
    last = f"{moved} of {len(differences)} cases differ by more than their spread; {alone} stand in one run alone."
    return "\n".join([*heads, "", *rows, "", last])
