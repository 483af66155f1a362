"""`limner status`: how far an archive is restored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from limner.cli import output as ui
from limner.cli.archive import photos_of
from limner.cli.options import Json, Results
from limner.cli.stored import stored

if TYPE_CHECKING:
    from limner.archive.status import Status

FEW = 20  # photographs that are listed for people


def status(out: Results, json: Json = False) -> None:
    """How far an archive is restored: counts, rate, failures, who is at work."""
    from limner.archive.manifest import Manifest, manifest_file
    from limner.archive.status import status_of

    with stored([out]) as places:
        places.files.bring(manifest_file(places.sources[0]))
        with Manifest(places.sources[0]) as manifest:
            found = status_of(manifest)
    if json:
        ui.emit(_status_as_json(found))
        return
    print(", ".join(f"{count} {state}" for state, count in found.counts.items()) + f"; {found.faces} faces restored.")
    if found.per_hour:
        left = f", {found.hours_left:.1f} hours left" if found.hours_left else ""
        print(f"{found.per_hour:.0f} photos an hour in the last ten minutes{left}.")
    for one in found.workers:
        seen = f"at work, seen {time.time() - one.seen:.0f} s ago" if one.at_work else "was stopped"
        print(f"Process {one.pid} on {one.host}: {seen}, {photos_of(one.done)} done.")
    for what, photos in (("failed", found.failed), ("left alone", found.skipped)):
        if photos:
            print(f"{photos_of(len(photos))} {what}:")
        for one in photos[:FEW]:
            print(ui.plain(f"  {one.sentence}" + (f" (tried {one.tries} times)" if one.tries > 1 else "")))
        if len(photos) > FEW:
            print(f"  and {len(photos) - FEW} more: --json lists all.")


def _status_as_json(found: Status) -> dict[str, object]:
    return {
        "counts": found.counts,
        "faces": found.faces,
        "per_hour": found.per_hour,
        "hours_left": found.hours_left,
        "seconds": found.seconds,
        **{
            what: [{"photo": one.photo, "sentence": one.sentence, "tries": one.tries} for one in photos]
            for what, photos in (("failed", found.failed), ("skipped", found.skipped))
        },
        "workers": [
            {
                "host": one.host,
                "pid": one.pid,
                "at_work": one.at_work,
                "started": one.started,
                "seen": one.seen,
                "done": one.done,
            }
            for one in found.workers
        ],
    }
