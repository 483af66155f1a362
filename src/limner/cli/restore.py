"""`limner restore`: the faces of photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from limner.cli import output as ui
from limner.cli.archive import ArchiveRun, restore_archive, tell_plan
from limner.cli.clip import CLIP_OPTIONS, clips_too
from limner.cli.engine import Engine, restoring
from limner.cli.loading import uncollected
from limner.cli.options import Given, Json, Megapixels, Overwrite, Sensitivity, takes
from limner.cli.pace import paced
from limner.cli.report import Report
from limner.cli.stopping import ended_politely
from limner.cli.stored import refuse_addresses, stored
from limner.cli.streams import STREAM, streams
from limner.cluster.address import address_of
from limner.damage import SENSITIVITY
from limner.declared import declared_fields
from limner.errors import LimnerError
from limner.settings import Settings

if TYPE_CHECKING:
    from limner.folder.pictures import SidePictures
    from limner.folder.run import Saving
    from limner.folder.targets import Target
    from limner.holes.mask import MaskFiles

FindDamage = Annotated[
    bool,
    typer.Option(
        "--find-damage", help="Fill scratches, specks, folds, tears and stains, as `limner damage` finds them."
    ),
]
Holes = Annotated[
    str | None,
    typer.Option(
        "--mask",
        help="Holes to fill, white in a picture of the photo's size; for several photos a folder of masks of their "
        "names; or auto-black: pixels that are exactly black.",
    ),
]
SaveIntermediate = Annotated[
    Path | None,
    typer.Option(
        help="Folder for what the method makes on the way: difface's estimate, clrface's recovered face and mask."
    ),
]
SaveMap = Annotated[
    Path | None, typer.Option(help="Folder for pictures of what was made up: grey photos, red where invented.")
]
IfChanged = Annotated[
    Literal["redo", "keep", "fail"],
    typer.Option(help="Of a folder's results whose photo, settings, weights or version have changed since."),
]


@takes(*(one.name for one in declared_fields(Settings)), methods=True, others=CLIP_OPTIONS)
@clips_too
def restore(
    given: Given,
    sources: Annotated[list[Path], typer.Argument(help="Photos or their folders, also s3://, gs://; - is the input.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, or a file for one photo; - is the output.")],
    quality: Annotated[int | None, typer.Option(help="Of JPEG, WebP and AVIF, 1 to 100.")] = None,
    save_intermediate: SaveIntermediate = None,
    save_map: SaveMap = None,
    holes: Holes = None,
    find_damage: FindDamage = False,
    sensitivity: Sensitivity = SENSITIVITY,
    compare: Annotated[Path | None, typer.Option(help="Folder for pictures of before and after, side by side.")] = None,
    suffix: Annotated[str, typer.Option(help="Behind the name of each result, such as _restored.")] = "",
    keep_time: Annotated[bool, typer.Option("--keep-time", help="Results bear the times of their photos.")] = False,
    no_provenance: Annotated[bool, typer.Option("--no-provenance", help="Leave out who made the result.")] = False,
    overwrite: Overwrite = False,
    if_changed: IfChanged = "redo",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Of a folder, what failed before, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")] = False,
    max_megapixels: Megapixels = 100.0,
    timeout: Annotated[float | None, typer.Option(help="Give up a photo that takes more seconds.")] = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Restore the faces of photographs."""
    settings = given.settings()
    if json and output == STREAM:
        raise LimnerError("The output stream can't hold both a photo and --json: give a file with --output.")
    here = {"--mask": holes, "--compare": compare, "--save-intermediate": save_intermediate, "--save-map": save_map}
    refuse_addresses({"--reference": settings.references, **here})
    what = "looking for photos" if dry_run else "loading PyTorch"
    with (
        ui.progress(what, show=not json) as bar,
        stored(sources, output, max_megapixels) as places,
        streams(places.sources, places.output) as files,
    ):
        single = len(sources) == 1 and not files.sources[0].is_dir()
        asking = Asking(
            settings=settings,
            sides=(save_intermediate, save_map, compare),
            masks=masks_of(holes, find_damage, sensitivity, single),
            saved={"overwrite": overwrite, "max_megapixels": max_megapixels, "quality": quality, "timeout": timeout}
            | {"provenance": not no_provenance, "keep_time": keep_time, "files": places.files},
            suffix=suffix,
            if_changed=if_changed,
            retry_failed=retry_failed,
            engine=engine,
        )
        archive = is_archive(files.sources, output)
        targets, passed_over = asking.targets(files.sources, files.output, archive, output == STREAM)
        report = Report(settings, len(targets), single, json, lambda text: places.files.named(files.named(text)))
        for sentence in passed_over:
            report.note(sentence)
        if dry_run:
            tell_plan(asking.archive(targets, files.sources, files.output), archive, json)
        elif archive:
            restore_archive(asking.archive(targets, files.sources, files.output), report, bar)
        else:
            run(targets, asking, report, bar)
    if report.failed or report.passed_over:
        raise typer.Exit(1)


def is_archive(sources: Sequence[Path], output: Path) -> bool:
    """Whether a run keeps a manifest: of a folder's photographs, into a folder."""
    from limner.folder.targets import is_file_name

    return any(source.is_dir() for source in sources) and output != STREAM and not is_file_name(output)


@dataclass(frozen=True)
class Asking:
    """What was asked of a run, beside its sources.

    Attributes:
        settings: how to restore.
        sides: folders for pictures beside the results, see `SidePictures`.
        masks: of photographs with holes.
        saved: the other arguments of `Saving`.
        suffix: behind the name of each result.
        if_changed, retry_failed: see `limner.archive.plan.Wish`.
        engine: see `limner.cli.engine`.
    """

    settings: Settings
    sides: tuple[Path | None, Path | None, Path | None]
    masks: MaskFiles | None
    saved: Mapping[str, Any]
    suffix: str
    if_changed: Literal["redo", "keep", "fail"]
    retry_failed: bool
    engine: str | None = None

    @property
    def beside(self) -> SidePictures:
        from limner.folder.pictures import SidePictures

        return SidePictures(*self.sides)

    def saving(self) -> Saving:
        """What is written; brings torch.

        Raises:
            LimnerError: see `Saving`.
        """
        with uncollected():
            from limner.folder.run import Saving

        return Saving(**self.saved, beside=self.beside, masks=self.masks)

    def targets(
        self, sources: Sequence[Path], output: Path, archive: bool, streamed: bool = False
    ) -> tuple[list[Target], list[str]]:
        """All photographs, and what was passed over.

        Args:
            sources, output: of the run.
            archive: whether it keeps a manifest.
            streamed: whether its result goes to the output stream.

        Raises:
            LimnerError: a source doesn't exist, a result can't be written, or masks fit no photograph.
        """
        from limner.folder.find import find_photos, named
        from limner.folder.targets import targets_of
        from limner.photo.read import check_limit
        from limner.photo.writable import check_quality

        if self.engine:
            address_of(self.engine)
        check_limit(self.saved["max_megapixels"])
        check_quality(self.saved["quality"])
        if self.saved["overwrite"] and self.if_changed != "redo":
            raise LimnerError("--overwrite makes all results anew, so that --if-changed says nothing: leave out one.")
        if not archive and (self.if_changed != "redo" or self.retry_failed):
            raise LimnerError(
                "--if-changed and --retry-failed are for folders of photos, whose results have a manifest: name a "
                "folder, or leave them out."
            )
        if self.sides[0]:
            from limner.folder.run import check_intermediate

            check_intermediate(self.settings.method, self.beside)
        drawn = [self.masks.folder] if self.masks and self.masks.folder else []
        results = [output, *self.beside.folders(), *drawn]
        if not archive and any(self.saved["files"].stores(source) and source.is_dir() for source in sources):
            raise LimnerError("The photos of a folder in a store go into a folder: give one with --output.")
        if self.saved["keep_time"] and self.saved["files"].stores(output):
            raise LimnerError(
                f"{output} can't bear the times of photos, for a store says when an object was written: leave out "
                "--keep-time."
            )
        with uncollected():  # of an archive they are many, and stay
            found = find_photos(sources, results, not archive, self.saved["files"])
            masks = self.masks.files([one.place for one in found.photos]) if self.masks else ()
            targets = targets_of(found, output, self.settings.results, self.suffix, masks)
            left = self.masks.left([target.source.place for target in targets]) if self.masks else []
        if streamed and sum(len(target.outputs) for target in targets) > 1:
            raise LimnerError("The output stream takes one photo with one result: give a folder with --output.")
        if left and len(targets) > 1:  # beside one photo of many all others' masks say nothing
            found.passed_over.append(f"{named(left)}: of no photo of this run, for a mask has its photo's name.")
        return targets, found.passed_over

    @property
    def _limits(self) -> str:
        timeout = self.saved["timeout"]
        return f"{self.saved['max_megapixels']:g} megapixels" + (f", {timeout:g} s" if timeout else "")

    def archive(self, targets: Sequence[Target], sources: Sequence[Path], output: Path) -> ArchiveRun:
        """The same for a run that keeps a manifest.

        Raises:
            LimnerError: weights or references don't exist.
        """
        from limner.archive.asked import asked_of
        from limner.archive.plan import Wish

        saved = self.saved
        holes = "" if self.masks is None else self.masks.kind
        asked = asked_of(self.settings, self._limits, saved["quality"], saved["provenance"], holes)
        wish = Wish(
            *(asked, saved["overwrite"], self.if_changed, self.retry_failed, self.suffix, self.beside, self.masks),
            files=saved["files"],
        )
        named = [source for source in sources if not source.is_dir()]
        return ArchiveRun(targets, output, wish, self.saving, named, self.engine)


def masks_of(holes: str | None, find_damage: bool, sensitivity: float, single: bool) -> MaskFiles | None:
    """Where the holes of a run's photographs are told; None where none are to be filled.

    Raises:
        LimnerError: both `--mask` and `--find-damage` tell them; or as `MaskFiles` and `OwnDamage`.
    """
    from limner.holes.mask import MaskFiles, OwnDamage

    if holes is not None and find_damage:
        raise LimnerError(
            "The holes are either those of --mask or those of --find-damage: write the latter with `limner damage`, "
            "and draw the former into them."
        )
    if sensitivity != SENSITIVITY and not find_damage:
        raise LimnerError("--sensitivity is how damage is looked for: give --find-damage, too.")
    given = OwnDamage(sensitivity) if find_damage else holes
    return None if given is None else MaskFiles(given, single)


def run(targets: Sequence[Target], asking: Asking, report: Report, bar: Callable[[str, int, int | None], None]) -> None:
    """Restores the photos and tells of each, also of those that were done when the run is interrupted."""
    number = 0

    def progress(done: int, total: int) -> None:
        if len(targets) == 1:
            bar(targets[0].source.path.name, done, total)

    try:
        with ended_politely():
            bar(f"loading the weights {report.settings.weights} of {report.settings.method}", 0, None)
            with restoring(asking.engine, report.settings, asking.saving(), targets) as who:
                report.weights = who.weights
                bar("restoring", 0, None)
                with closing(who.restore_all(targets, progress)) as outcomes:
                    for outcome in paced(outcomes, bar, len(targets)):
                        report.add(outcome)
                        asking.saved["files"].drop(outcome.source, *outcome.outputs)
                        number += 1
    except KeyboardInterrupt:
        report.interrupted(targets[min(number, len(targets) - 1)].source.path)
        raise
    report.finish()
