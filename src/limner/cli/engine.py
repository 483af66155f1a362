"""Who restores: this process, or workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli.loading import uncollected
from limner.cluster.address import address_of

if TYPE_CHECKING:
    from limner.album.index import Looks
    from limner.evaluate.protocols import Request
    from limner.folder.run import Outcome, Saving
    from limner.folder.targets import Target
    from limner.restorer import Restorer
    from limner.settings import Settings

Engine = Annotated[
    str | None,
    typer.Option(
        metavar="ray[:ADDRESS]",
        help="Workers of Ray instead of this process, one a CPU (or --threads CPUs): on this machine, or of a cluster.",
    ),
]


@dataclass(frozen=True)
class Restoring:
    """Who restores the photographs of a run.

    Attributes:
        weights: the name of what is loaded.
        restorer: gives this process's own; where others restore, it is loaded when it is first asked for.
        restore_all: see `limner.folder.run.restore_all`.
        elsewhere: whether others restore.
    """

    weights: str
    restorer: Callable[[], Restorer]
    restore_all: Callable[[Iterable[Target], Callable[[int, int], None] | None], Generator[Outcome]]
    elsewhere: bool


@contextmanager
def restoring(
    engine: str | None,
    settings: Settings,
    saving: Saving,
    targets: Sequence[Target],
    archive: Path | None = None,
    named: Collection[Path] = (),
) -> Iterator[Restoring]:
    """Who restores, for as long as it takes.

    Args:
        engine: see `Engine`.
        settings, saving: of the run.
        targets: at least one; the first that this process sees is looked for by workers.
        archive: its manifest, which they look for, too; None of a run that keeps none.
        named: of an archive, files that were named themselves.

    Raises:
        LimnerError: see `Restorer`, and `limner.cluster.restore.workers`.
    """
    with uncollected():
        from limner.folder.run import restore_all
        from limner.restorer import Restorer

    if engine is None:
        restorer = Restorer(settings, saving.max_megapixels)
        at_once = 1 if len(targets) == 1 and not archive else None
        yield Restoring(
            restorer.method.info.name,
            lambda: restorer,
            lambda those, progress: restore_all(restorer, those, saving, progress, at_once),
            elsewhere=False,
        )
        return

    from limner.cluster.restore import RestoreJob, workers

    here = [next((one.source.path for one in targets if one.source.path.exists()), None), archive]
    seen = tuple(path for path in here if path and not saving.files.stores(path))
    job = RestoreJob(settings, saving, seen, archive is not None, frozenset(named))
    with workers(address_of(engine), job, len(targets)) as there:
        own = cache(lambda: Restorer(settings, saving.max_megapixels))
        yield Restoring(there.weights, own, lambda those, _: there.restore_all(those), elsewhere=True)


def looks(engine: str | None, settings: Settings, max_megapixels: float) -> Looks | None:
    """Who looks at photographs for the album; None is this process.

    Args:
        engine: see `Engine`.
        settings, max_megapixels: of the run.

    Raises:
        LimnerError: there is no such engine.
    """
    if engine is None:
        return None
    address = address_of(engine)
    from limner.cluster.look import LookJob, looks_of

    return partial(looks_of, address, LookJob(settings, max_megapixels))


def shared_out(engine: str | None, request: Request, protocol: str, restorers: Mapping[str, Restorer]) -> Request:
    """A request of `limner benchmark`, whose faces workers restore and measure if an engine is asked for.

    Args:
        engine: see `Engine`.
        request, protocol, restorers: what is measured.

    Raises:
        LimnerError: there is no such engine.
    """
    if engine is None:
        return request
    address = address_of(engine)
    from limner.cluster.measure import MeasureJob, measured_by

    settings = {row: restorer.settings for row, restorer in restorers.items()}
    return replace(request, elsewhere=partial(measured_by, address, MeasureJob(protocol, request, settings)))
