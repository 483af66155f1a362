"""`limner restore` over folders, which keeps a manifest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from limner.cli import output as ui
from limner.cli.engine import restoring
from limner.cli.loading import uncollected
from limner.cli.pace import paced
from limner.cli.report import Report, are
from limner.cli.stopping import ended_politely

if TYPE_CHECKING:
    from limner.archive.claims import Claims
    from limner.archive.manifest import Manifest
    from limner.archive.plan import Plan, Wish
    from limner.folder.run import Saving
    from limner.folder.targets import Target


@dataclass(frozen=True)
class ArchiveRun:
    """One run over folders.

    Attributes:
        targets: all photographs.
        out: folder of the results.
        wish: what the run is for.
        saving: what is written; made late, for it brings torch.
        named: files that were named themselves.
        engine: see `limner.cli.engine`.
    """

    targets: Sequence[Target]
    out: Path
    wish: Wish
    saving: Callable[[], Saving]
    named: Collection[Path] = ()
    engine: str | None = None


def restore_archive(run: ArchiveRun, report: Report, bar: Callable[[str, int, int | None], None]) -> None:
    """Restores what is left to do, together with other processes that do the same.

    Raises:
        LimnerError: the manifest can't be used, others restore into the folder with other settings, results have
            changed and the run should fail then, or no space is left.
    """
    from limner.archive.claims import Claims
    from limner.archive.manifest import Manifest
    from limner.archive.plan import plan

    with (
        ended_politely(),
        run.wish.files.held(run.out),
        Manifest(run.out, create=True) as manifest,
        Claims(manifest, run.wish.asked, run.wish.files) as claims,
    ):
        planned = plan(manifest, run.targets, replace(run.wish, since=claims.since))
        claims.prepare(planned)
        _tell_left(planned, manifest, run, report)
        if planned.todo:
            _restore(run, planned, claims, report, bar)
        held = claims.held_by_others([place for place, _ in planned.todo])
        if held:
            report.note(f"{are(held)} in the hands of other processes: `limner status {run.out}` tells.")
    report.finish()


def _tell_left(planned: Plan, manifest: Manifest, run: ArchiveRun, report: Report) -> None:
    """Tells of photographs that this run passes over, and why others are restored again."""
    from limner.archive.plan import told_changes

    changed = sum(planned.changed.values())
    if changed and not run.wish.overwrite:
        what = "kept, though" if run.wish.if_changed == "keep" else "made anew, being"
        report.note(
            f"{are(changed, 'result')} {what} of other photos, settings, weights or another version: "
            f"{told_changes(planned)}. --if-changed says what becomes of such."
        )
    if planned.done:
        report.done_before(planned.done)
    if planned.failed:
        report.failed_before(
            [
                (target.source.path, manifest.ask("SELECT sentence FROM photos WHERE id = ?", number)[0][0])
                for target, number in planned.failed
            ]
        )
    if planned.skipped:
        report.note(f"{are(planned.skipped)} left alone as before: `limner status {run.out}` says why.")


def _restore(
    run: ArchiveRun, planned: Plan, claims: Claims, report: Report, bar: Callable[[str, int, int | None], None]
) -> None:
    with uncollected():
        from limner.archive.manifest import manifest_file
        from limner.archive.work import Work, without_looking
        from limner.folder.find import OWN_RESULT, named

    bar(f"loading the weights {report.settings.weights} of {report.settings.method}", 0, None)
    saving = run.saving()
    todo = [target for _, target in planned.todo]
    seen = manifest_file(run.out)
    with restoring(run.engine, report.settings, without_looking(saving), todo, seen, run.named) as who:
        report.weights = who.weights
        work = Work(claims, planned, run.wish, who.restorer, saving, run.named, who.elsewhere)
        bar("restoring", 0, None)
        try:
            with closing(who.restore_all(work.targets(), None)) as outcomes:
                for outcome in paced(work.recorded(outcomes), bar, len(todo)):
                    report.add(outcome)
        except KeyboardInterrupt:
            report.interrupted(work.at or run.out)
            raise
    if work.own:
        report.note(f"{named(work.own)}: {OWN_RESULT}; a file named by itself is taken.")


def tell_plan(run: ArchiveRun, archive: bool, json: bool) -> None:
    """Tells what a run would do, and does nothing: no net is loaded, nothing written.

    Args:
        run: that would be done.
        archive: whether it would keep a manifest.
        json: whether it is told to machines.

    Raises:
        LimnerError: the manifest can't be read, or results have changed and the run should fail then.
    """
    from limner.archive.manifest import Manifest, manifest_file
    from limner.archive.plan import plan, told_changes

    with uncollected():
        if archive:
            run.wish.files.listing(run.out, [])
            run.wish.files.bring(manifest_file(run.out))
        if archive and manifest_file(run.out).is_file():
            with Manifest(run.out) as manifest:
                planned = plan(manifest, run.targets, run.wish)
        else:
            planned = plan(None, run.targets, run.wish)
    changed = sum(planned.changed.values())
    if json:
        ui.emit(
            {
                "photos": len(planned.targets),
                "todo": len(planned.todo),
                "new": planned.new,
                "there": planned.there,
                "changed": changed,
                "changes": dict(planned.changed),
                "missing": planned.missing,
                "retried": planned.retried,
                "done": len(planned.done),
                "failed": len(planned.failed),
                "skipped": planned.skipped,
            }
        )
        return
    reasons = {
        "new": planned.new,
        f"made anew ({told_changes(planned)})": changed if run.wish.if_changed != "keep" else 0,
        "without a result": planned.missing,
        "failed before": planned.retried,
    }
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
    print(f"{photos_of(len(planned.targets))}, {len(planned.todo)} to restore{f': {why}' if why else ''}.")
    if planned.there:
        print(f"{planned.there} of them have a result already, which is looked into and stays if it is what is asked.")
    left = {"done": len(planned.done), "failed (--retry-failed)": len(planned.failed), "left alone": planned.skipped}
    print(", ".join(f"{count} {what}" for what, count in left.items()) + ".")


def photos_of(count: int) -> str:
    """So many photographs, in words."""
    return f"{count} photo" if count == 1 else f"{count} photos"
