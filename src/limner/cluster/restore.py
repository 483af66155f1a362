"""Photographs restored by workers, with the bytes that one process gives them that computes on as many threads."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from limner.archive.facts import ElsewhereOutcome, Facts, facts_of, of_file
from limner.cluster.job import Begun
from limner.cluster.pool import Pool
from limner.cluster.started import check_seen, of_a_worker, started
from limner.folder.find import provenance_of
from limner.folder.in_order import Stop
from limner.folder.run import Outcome, Run, Saving, check_intermediate
from limner.folder.targets import Target
from limner.photo.write import sweep
from limner.restorer import Restorer
from limner.settings import Settings


@dataclass(frozen=True)
class RestoreJob:
    """What workers do with photographs.

    Attributes:
        settings, saving: see `limner.folder.run.restore_all`.
        seen: files and folders of the run that every worker must see.
        opened: whether photographs are looked into first, as those of an archive are, and left alone if they are
            results themselves; but for those of `named`.
        named: files that were named themselves.
    """

    settings: Settings
    saving: Saving
    seen: tuple[Path, ...] = ()
    opened: bool = False
    named: frozenset[Path] = frozenset()

    def begin(self) -> Begun[Target, ElsewhereOutcome]:
        """
        Raises:
            LimnerError: the run's files aren't seen here, or as `Restorer` does.
        """
        check_seen(*self.seen)
        restorer = Restorer(self.settings, self.saving.max_megapixels)
        like = {"the device": restorer.compute.device.type, "the precision": restorer.compute.precision}
        return Begun(_Restores(self, Run(restorer, self.saving), set()), like, restorer.method.info.name)

    def lost(self, item: Target, deaths: int) -> ElsewhereOutcome:
        sentence = (
            f"{item.source.path} ended {deaths} workers, one after another, as where memory runs out: restore it by "
            "itself, without --engine."
        )
        facts = facts_of(item, self.saving.masks, self.saving.files)
        return ElsewhereOutcome(item.source.path, item.outputs, error=sentence, facts=facts)


@dataclass(frozen=True)
class _Restores:
    """A worker's way from a photograph to what is told of it.

    Attributes:
        job: of all workers.
        run: with the nets.
        swept: folders from which is taken what killed processes have left.
    """

    job: RestoreJob
    run: Run
    swept: set[Path]

    def __call__(self, target: Target, stop: Stop) -> ElsewhereOutcome:
        path = target.source.path
        for folder in {output.parent for output in target.outputs} - self.swept:
            sweep(folder)
            self.swept.add(folder)
        files = self.job.saving.files
        facts = facts_of(target, self.job.saving.masks, files)
        try:
            if self.job.opened and path not in self.job.named and provenance_of(path):
                return ElsewhereOutcome(path, target.outputs, facts=facts, own=True)
            return without_pixels(self.run.outcome(target, stop), facts)
        finally:
            files.drop(path, *target.outputs)


def without_pixels(outcome: Outcome, facts: Facts) -> ElsewhereOutcome:
    """What goes back to the driver.

    Args:
        outcome: of a photograph.
        facts: of it, from before.
    """
    told = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    results = None
    if done := outcome.restoration:
        told["restoration"] = replace(done, photos=[], aligned=[], crops=[], invented=np.zeros((0, 0), np.uint8))
        try:
            results = tuple(of_file(path) for path in outcome.outputs)
        except OSError:  # whoever records it looks, and tells
            results = None
    return ElsewhereOutcome(**told, facts=facts, results=results)


@dataclass(frozen=True)
class Workers:
    """Workers that restore.

    Attributes:
        pool: of them.
        weights: the name of what they have loaded.
    """

    pool: Pool[Target, ElsewhereOutcome]
    weights: str

    def restore_all(self, targets: Iterable[Target]) -> Generator[Outcome]:
        """As `limner.folder.run.restore_all`.

        Args:
            targets: drawn in this thread.
        """
        try:
            yield from self.pool.each(targets)
        finally:
            for folder in {output.parent for target in self.pool.died_at for output in target.outputs}:
                sweep(folder)


@contextmanager
def workers(address: str, job: RestoreJob, most: int) -> Iterator[Workers]:
    """Workers of a cluster, for as long as they are needed. The first has begun; the others follow.

    Args:
        address: see `limner.cluster.address`.
        job: of all workers.
        most: photographs, at most.

    Raises:
        LimnerError: nobody answers there, there is no room for a worker, or none can begin.
    """
    check_intermediate(job.settings.method, job.saving.beside)
    job = replace(job, settings=of_a_worker(job.settings))
    with started(address, job, job.settings, most) as pool:
        yield Workers(pool, pool.first().told)
