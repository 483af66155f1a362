"""Faces restored and measured by workers, for `limner benchmark`; this process keeps what they find and sums it up."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from limner.cluster.job import Begun
from limner.cluster.started import check_seen, of_a_worker, started
from limner.device import use_threads
from limner.errors import LimnerError
from limner.evaluate.protocols import Request, find_protocol
from limner.evaluate.shared_out import FaceByFace, MeasuredFace, Undone
from limner.folder.in_order import Stop
from limner.restorer import Restorer
from limner.settings import Settings


class _Found(Exception):
    """Ends a protocol in a worker where its faces are about to be measured."""


@dataclass(frozen=True)
class MeasureJob:
    """What workers do with faces.

    Attributes:
        protocol: its name.
        request: what is measured.
        settings: of the methods, by their rows; at least one.
    """

    protocol: str
    request: Request
    settings: Mapping[str, Settings]

    def begin(self) -> Begun[Undone, MeasuredFace]:
        """
        Raises:
            LimnerError: the faces aren't seen here, or as the protocol and `Restorer` do.
        """
        check_seen(self.request.data)
        restorers = {row: Restorer(settings) for row, settings in self.settings.items()}
        rows = side_by_side(self.protocol, self.request, restorers)
        (device, *_) = {one.compute.device.type for one in restorers.values()}
        (precision, *_) = {one.compute.precision for one in restorers.values()}
        (threads, *_) = {one.threads for one in self.settings.values()}
        return Begun(_Measures(rows, threads), {"the device": device, "the precision": precision})

    def lost(self, item: Undone, deaths: int) -> MeasuredFace:
        """
        Raises:
            LimnerError: always, for a measurement without all its faces is none.
        """
        raise LimnerError(
            f"Face {item.number} ended {deaths} workers, one after another, as where memory runs out: take a larger "
            "--threads, which makes fewer workers, or leave out --engine."
        )


def side_by_side(protocol: str, request: Request, restorers: Mapping[str, Restorer]) -> FaceByFace:
    """What a protocol is about to measure."""
    found = list[FaceByFace]()

    def take(rows: FaceByFace, undone: Sequence[Undone]) -> Generator[MeasuredFace]:
        found.append(rows)
        raise _Found
        yield  # a generator, as whoever measures is

    try:
        find_protocol(protocol).run(replace(request, elsewhere=take), restorers)
    except _Found:
        return found[0]
    raise AssertionError(f"{protocol} measures nothing")


@dataclass(frozen=True)
class _Measures:
    """A worker's way from a face to what is measured of it."""

    rows: FaceByFace
    threads: int | None

    def __call__(self, face: Undone, stop: Stop) -> MeasuredFace:
        use_threads(self.threads)
        return self.rows.one(face)


def measured_by(address: str, job: MeasureJob, rows: FaceByFace, undone: Sequence[Undone]) -> Generator[MeasuredFace]:
    """What workers find, see `limner.evaluate.shared_out.Elsewhere`.

    Args:
        address: see `limner.cluster.address`.
        job: of all workers, as it was asked for.
        rows: that are measured, which workers make for themselves.
        undone: faces.

    Raises:
        LimnerError: see `started` and `MeasureJob`.
    """
    settings = {row: of_a_worker(one) for row, one in job.settings.items()}
    request = replace(job.request, output=None, progress=None, elsewhere=None)  # this process alone keeps anything
    job = replace(job, request=request, settings=settings)
    with started(address, job, next(iter(settings.values())), len(undone)) as pool:
        yield from pool.each(undone)
