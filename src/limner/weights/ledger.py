"""The ledger of the embedded weights: how each was trained, and what it measured, as the heads of their cards say.

    python -m limner.weights.ledger > docs/ledger.md

A card, `mini/NAME/README.md`, begins with YAML: under `training` one entry a run (see `Run`), under `results` one entry
a measured row (see `Result`), earlier weights before the present ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import metadata_load

from limner.errors import WeightsError
from limner.weights.catalogue import WEIGHTS, Embedded

INTRODUCTION = """\
# The ledger of the embedded weights

This page is made of the cards' own data, so change those and not this:

    python -m limner.weights.ledger > docs/ledger.md

How to train is told in [training](training.md), what was learned from it in [findings](findings.md), what the columns
mean in [evaluation](evaluation.md), and data, licence and limits of each net in its card beside the weights.
"""

MEASURED = """\
## Results

A table for each measuring command. Unless a row says otherwise the split is `test` with its 167 faces at 256 px, the
figures are means over all faces, and the nets ran in bf16 on one core of a CPU, beside another run. `now` are the
weights that are embedded; there were none before the first that a table names. Rows "no finish" are with `--finish 0`,
as were all before the finish was there. ReF-LDM and CLR-Face were measured without references where no row names any.
"""


@dataclass(frozen=True)
class Run:
    """One run of a training.

    Attributes:
        command: that started it, and what to know of how it went.
        data, split: what it learned from.
        steps: optimiser steps.
        batch: samples a step.
        device: what it ran on, and in which precision.
        seed: of the run.
        hours: by the clock; None where the hours of another entry cover it.
    """

    command: str
    data: str
    split: str
    steps: int
    batch: int | str
    device: str
    seed: int
    hours: float | str | None = None

    def cells(self) -> list[str]:
        """The entry as a row of the page."""
        hours = "" if self.hours is None else str(self.hours)
        data = f"{self.data}, `{self.split}`"
        return [self.command, data, f"{self.steps:,} x {self.batch}", self.device, hours, str(self.seed)]


@dataclass(frozen=True)
class Result:
    """One measured row.

    Attributes:
        measured: the command that measures it.
        row: what was measured.
        weights: with which weights: `now` for those of the card, else which earlier ones.
        figures: value by column.
    """

    measured: str
    row: str
    weights: str
    figures: Mapping[str, float | str]


@dataclass(frozen=True)
class Card:
    """What the head of a card says."""

    runs: Sequence[Run]
    results: Sequence[Result]


def read_card(path: Path) -> Card:
    """The data of a card.

    Raises:
        WeightsError: if its head lacks the training or the results, or an entry has other fields than it should.
    """
    head: dict[str, Any] = metadata_load(path) or {}
    try:
        return Card([Run(**run) for run in head["training"]], [Result(**result) for result in head["results"]])
    except (KeyError, TypeError) as error:
        raise WeightsError(
            f"The head of the card {path} doesn't say how it was trained and measured: {error}."
        ) from None


def ledger() -> str:
    """The whole page, in Markdown."""
    cards = {
        weights.name: read_card(weights.path() / "README.md") for weights in WEIGHTS if isinstance(weights, Embedded)
    }
    trained = [[f"`{name}`", *run.cells()] for name, card in cards.items() for run in card.runs]
    headings = ["weights", "command", "data", "steps x batch", "device", "hours", "seed"]
    parts = [INTRODUCTION, "## Training\n", _table(headings, trained), MEASURED]
    results = [result for card in cards.values() for result in card.results]
    for command in dict.fromkeys(result.measured for result in results):
        parts += [f"`{command}`\n", _results([result for result in results if result.measured == command])]
    return "\n".join(parts)


def _results(results: Sequence[Result]) -> str:
    columns = list(dict.fromkeys(column for result in results for column in result.figures))
    decimals = {column: max(_decimals(result.figures.get(column)) for result in results) for column in columns}
    rows = [
        [result.row, result.weights, *(_told(result.figures.get(column), decimals[column]) for column in columns)]
        for result in results
    ]
    return _table(["row", "weights", *columns], rows)


def _decimals(figure: float | str | None) -> int:
    return len(str(figure).partition(".")[2]) if isinstance(figure, float) else 0


def _told(figure: float | str | None, decimals: int) -> str:
    """A figure as exact as its column: YAML keeps no zeros at the end."""
    if figure is None:
        return ""
    return f"{figure:.{decimals}f}" if isinstance(figure, float) else str(figure)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |\n" for cells in (headings, *rows)]
    return "".join([lines[0], "|---" * len(headings) + "|\n", *lines[1:]])


if __name__ == "__main__":
    print(ledger(), end="")
