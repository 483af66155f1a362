"""The protocol `steps`: what a chain gives with more and more evaluations of its net, by each solver.

Every face is restored from the same noise with each number of steps and each solver. What is measured is the chain's
own result, as in `guidance`: the finish lays two other steps over it and the joining hides much of it behind the photo.
What a method gives without diffusion stands beside it, and the ceiling of its autoencoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from limner.errors import LimnerError
from limner.evaluate.limner_test import bounds, compared
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, Column, Plot, Report, Row
from limner.evaluate.side_by_side import Case, Way
from limner.methods.clrface import CLRFacePipeline, guided_timesteps
from limner.methods.crops import seed_of
from limner.methods.loaded import LoadedMethod
from limner.methods.schedules import SCHEDULERS, swap
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer

NAME = "steps"
STEPS = (1, 2, 5, 10, 20, 50, 100)
"""Numbers of steps, of methods that are not asked for one."""
GUIDED = Column("guided", "guided", ".0f")
"""How many of the steps are guided, each of which takes several times as long."""
DRAWN = ("perceptual", "psnr")
"""Keys of the metrics that may be drawn, of which the first that was measured is."""


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Attributes:
        curve: the method as it was asked for, and the solver.
        solver: one of `SCHEDULERS`.
        method: with that solver.
        options: how its chain is entered and walked.
        seed: of the noise.
    """

    curve: str
    solver: str
    method: LoadedMethod
    options: Mapping[str, Any]
    seed: int

    @property
    def steps(self) -> int:
        """Evaluations of the net."""
        return int(self.options["steps"])

    @property
    def row(self) -> str:
        """The name of its row."""
        return f"{self.curve} {self.steps}"

    def restored(self, case: Case, number: int) -> np.ndarray:
        """What the chain makes of a face: a `Way`. The noise hangs on the seed and the face's place alone."""
        generator = torch.Generator().manual_seed(seed_of(self.seed, number, 0))
        return to_picture(self.method(to_tensor(case.input)[None], generator=generator, **self.options).images[0])

    @property
    def guided(self) -> int:
        """How many of the steps CLR-Face guides; 0 of other methods."""
        pipeline = self.method.pipeline
        if not isinstance(pipeline, CLRFacePipeline):
            return 0
        options = pipeline.options.but(self.options)
        times = pipeline.chain(options)[1]
        return len(guided_timesteps(times, options.guide_below, options.guide_every)) if options.guidance else 0


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures every method's curves.

    Args:
        request: what to measure.
        restorers: by the names that they were asked for by. Of one that was asked for a number of steps or a solver,
            that one alone is measured; else those of `STEPS` that fit below the timestep at which its chain is entered,
            with all solvers.

    Raises:
        LimnerError: a method is asked for no step or for more than fit; the folder lacks its tables; there is no such
            preset; or the restorers work at several sizes.
    """
    bare = {name: alone(restorer) for name, restorer in restorers.items()}
    ways: dict[str, Way] = {}
    points: list[Point] = []
    warm: set[str] = set()
    for name, restorer in bare.items():
        own = points_of(name, restorer)
        points += own
        warm |= {point.row for point in own[1:]}
        ways |= bounds(restorer.method) | {point.row: point.restored for point in own}
    report = compared(NAME, request, bare, ways, warm)
    rows = told(report.rows, {point.row: point for point in points})
    guided = [GUIDED] if any(row[GUIDED.key] for row in rows) else []
    columns = (METHOD, *guided, *(one for one in report.columns if one is not METHOD))
    return replace(report, rows=rows, columns=columns, plot=plot(rows, points, report.columns))


def alone(restorer: Restorer) -> Restorer:
    """A restorer whose settings say what is measured: the chain, not finished and not joined with the photo."""
    bare = copy(restorer)
    bare.finish, bare.settings = 0, replace(restorer.settings, finish=0, strength=1.0)
    return bare


def points_of(name: str, restorer: Restorer) -> list[Point]:
    """The points of a method, by solver and growing steps.

    Args:
        name: that it was asked for by.
        restorer: of the method.

    Raises:
        LimnerError: if it was asked for no step.
    """
    settings, options = restorer.settings, asdict(restorer.options)
    given = settings.options if isinstance(settings.options, Mapping) else options
    most = options.get("start") or max(STEPS)
    numbers = (options["steps"],) if "steps" in given else tuple(steps for steps in STEPS if steps <= most)
    if min(numbers) < 1:
        raise LimnerError(f"The chain of {name} has no step: ask for 1 or more, or leave the number out.")
    found, asked = [], without_point(name)
    for solver in [settings.scheduler] if settings.scheduler else SCHEDULERS:
        method = replace(restorer.method, pipeline=swap(copy(restorer.method.pipeline), solver))
        for steps in numbers:
            found.append(Point(f"{asked} {solver}", solver, method, {**options, "steps": steps}, settings.seed))
    return found


def without_point(name: str) -> str:
    """What a method was asked for by, without steps and solver, so that points which were asked for one by one lie on
    one curve: `difface@start=100,steps=5` and `difface@start=100` are both `difface@start=100`."""
    method, _, words = name.partition("@")
    others = [
        one
        for one in words.split(",")
        if one and not one.isdecimal() and one.partition("=")[0] not in ("steps", "scheduler")
    ]
    return f"{method}@{','.join(others)}" if others else method


def told(rows: Sequence[Row], points: Mapping[str, Point]) -> list[Row]:
    """The rows with solver, steps and guided steps; None of those that are no chain."""
    found = []
    for row in rows:
        point = points.get(str(row[METHOD.key]))
        more = {
            "solver": point.solver if point else None,
            "steps": point.steps if point else None,
            GUIDED.key: point.guided if point else None,
        }
        found.append(Row({**row.figures, **more}))
    return found


def plot(rows: Sequence[Row], points: Sequence[Point], columns: Sequence[Column]) -> Plot:
    """Each solver's curve: the distance to the truth over the steps."""
    drawn = next(one for key in DRAWN for one in columns if one.key == key)
    figures = {str(row[METHOD.key]): row.number(drawn.key) for row in rows}
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        curves.setdefault(point.curve, []).append((point.steps, figures[point.row]))
    return Plot(curves, "steps", f"{drawn.heading}, mean over the faces", by_factors=True)
