"""`limner restore` of moving pictures: its own options, which of photographs' make no sense for them, what is told."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from limner.cli import output as ui
from limner.cli.loading import uncollected
from limner.cli.options import Given
from limner.cli.stopping import ended_politely
from limner.cli.streams import STREAM
from limner.errors import LimnerError, unexpected
from limner.storage.address import address_of
from limner.video.suffixes import SUFFIXES, is_clip

if TYPE_CHECKING:
    from limner.restorer import Restorer
    from limner.video.clip import ClipSaving, RestoredClip

PANEL = "Moving pictures"


def _option(name: str, kind: Any, flag: str, help: str, default: Any = None) -> inspect.Parameter:
    told = Annotated[kind, typer.Option(flag, help=help, rich_help_panel=PANEL)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=told)


CLIP_OPTIONS = (
    _option("codec", str | None, "--codec", "Of the result, such as h264, hevc or ffv1 (lossless); else the clip's."),
    _option("from_second", float, "--from", "Second with which the result begins.", 0.0),
    _option("to_second", float | None, "--to", "Second with which it ends."),
    _option("preview", float | None, "--preview", "Only so many seconds, to see what comes out."),
    _option(
        "own_references",
        bool,
        "--own-references/--no-own-references",
        "refldm, clrface: without references take the clearest frames of each face.",
        True,
    ),
)
"""What `limner restore` is asked of moving pictures alone."""

_ALSO_CLIPS = {"sources", "output", "quality", "suffix", "keep_time", "no_provenance", "overwrite", "json"}


@dataclass(frozen=True)
class ClipsAsked:
    """What was asked of a run of clips.

    Attributes:
        sources: the clips.
        output: a file for one, or a folder.
        suffix: behind the name of each result in a folder.
        overwrite: whether results that are there are made anew.
        keep_time: whether results bear their clips' times.
        json: whether machines are told.
    """

    sources: Sequence[Path]
    output: Path
    suffix: str
    overwrite: bool
    keep_time: bool
    json: bool

    def target(self, source: Path) -> Path:
        """The result of a clip."""
        if self.output == STREAM:
            raise LimnerError("A clip doesn't go through the output stream: give a file or a folder with --output.")
        single = len(self.sources) == 1 and not self.output.is_dir()
        if single and self.output.suffix.lower() in SUFFIXES:
            return self.output
        if single and self.output.suffix:
            raise LimnerError(f"{self.output} is no name for a clip: end it in .mp4, .mkv or .mov, or give a folder.")
        return self.output / f"{source.stem}{self.suffix}{source.suffix}"


def clips_too(photos: Callable[..., None]) -> Callable[..., None]:
    """Makes a command that restores photographs restore clips, too.

    Args:
        photos: the command, that takes `given: Given` and what is the photographs' own.
    """
    known = inspect.signature(photos, eval_str=True).parameters

    @wraps(photos)
    def run(given: Given, **values: Any) -> None:
        own = {one.name: values.pop(one.name) for one in CLIP_OPTIONS}
        clips = [one for one in values["sources"] if is_clip(one)]
        if not clips:
            _refuse([one for one in CLIP_OPTIONS if own[one.name] != one.default], "for moving pictures")
            return photos(given=given, **values)
        if len(clips) < len(values["sources"]):
            raise LimnerError("There are photos among the clips: restore them apart, one kind at a time.")
        if address := next(filter(None, map(address_of, [*clips, values["output"]])), None):
            raise LimnerError(f"Clips are restored on this machine alone, not at {address}: copy them here first.")
        _refuse([known[name] for name in values if _given(known[name], values[name])], "for photos")
        asked = ClipsAsked(clips, *(values[name] for name in ("output", "suffix", "overwrite", "keep_time", "json")))
        restore_clips(given, asked, own, values["quality"], not values["no_provenance"])

    return run


def _given(parameter: inspect.Parameter, value: object) -> bool:
    return parameter.name not in _ALSO_CLIPS and value != parameter.default


def _refuse(parameters: Sequence[inspect.Parameter], what: str) -> None:
    """
    Raises:
        LimnerError: if there are any.
    """
    if parameters:
        flags = ", ".join(_flag(one) for one in parameters)
        raise LimnerError(f"{flags}: {what} alone, so leave it out.")


def _flag(parameter: inspect.Parameter) -> str:
    """A parameter's name on the command line."""
    options = [one for one in get_args(parameter.annotation) if hasattr(one, "param_decls")]
    words = [word for one in options for word in (one.default, *(one.param_decls or ()))]  # typer takes the first so
    named = [word.partition("/")[0] for word in words if isinstance(word, str) and word.startswith("--")]
    return named[0] if named else f"--{parameter.name.replace('_', '-')}"


def restore_clips(given: Given, asked: ClipsAsked, own: dict[str, Any], quality: int | None, provenance: bool) -> None:
    """Restores clips, one after another, and tells of each; one that fails is told, and the others go on.

    Raises:
        LimnerError: if something is asked that makes no sense, or the only clip fails in a way that can be put right.
    """
    settings, failed = given.settings(), False
    targets = [asked.target(source) for source in asked.sources]
    for number, target in enumerate(targets):
        if target in targets[:number]:
            first, second = asked.sources[targets.index(target)], asked.sources[number]
            raise LimnerError(f"{first} and {second} would both become {target}: give a folder for each.")
    results: list[dict[str, object]] = []
    with ended_politely(), ui.progress("loading PyTorch", show=not asked.json) as bar:
        with uncollected():
            from limner.restorer import Restorer
            from limner.video.clip import check_settings
        saving = _saving(own, quality, provenance)
        check_settings(settings)
        bar(f"loading the weights {settings.weights} of {settings.method}", 0, None)
        there = [target.exists() and not asked.overwrite for target in targets]
        restorer = None if all(there) else Restorer(settings)
        for source, target, kept in zip(asked.sources, targets, there, strict=True):
            if restorer is None or kept:
                results.append({"clip": str(source), "output": str(target), "skipped": True})
                _say(f"{target} is there already, so it stays: --overwrite makes it anew.", asked.json)
                continue
            try:
                results.append(_restored(restorer, source, target, saving, asked, bar))
            except Exception as error:
                if len(asked.sources) == 1:
                    raise
                known = isinstance(error, LimnerError)
                sentence = str(error) if known else f"{source} can't be restored: {unexpected(error)}"
                results.append({"clip": str(source), "error": sentence})
                _say(sentence, asked.json)
                failed = True
            except KeyboardInterrupt:
                _say(f"{source}: the same command goes on where this one was interrupted.", asked.json)
                raise
    if asked.json:
        ui.emit(results[0] if len(results) == 1 else results)
    if failed:
        raise typer.Exit(1)


def _restored(
    restorer: Restorer, source: Path, target: Path, saving: ClipSaving, asked: ClipsAsked, bar: Callable[..., None]
) -> dict[str, object]:
    """Restores a clip and tells people of it; what machines are told."""
    from limner.video.clip import restore_clip

    done = restore_clip(restorer, source, target, saving, bar)
    if asked.keep_time:
        times = source.stat()
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    _tell(target, done, asked.json)
    return clip_as_json(source, target, done)


def _saving(own: dict[str, Any], quality: int | None, provenance: bool) -> ClipSaving:
    """
    Raises:
        LimnerError: if times or quality can't be.
    """
    from limner.photo.writable import check_quality
    from limner.video.clip import ClipSaving
    from limner.video.read import Part

    check_quality(quality)
    start, end, preview = own["from_second"], own["to_second"], own["preview"]
    if preview is not None and end is not None:
        raise LimnerError("--preview says how long the result is, and --to where it ends: give one of them.")
    part = Part(start, start + preview if preview is not None else end)
    return ClipSaving(part, own["codec"], quality, own["own_references"], provenance)


def clip_as_json(source: Path, target: Path, done: RestoredClip) -> dict[str, object]:
    """What became of a clip, as `limner restore --json` prints it."""
    return {
        "clip": str(source),
        "output": str(target),
        "frames": done.frames,
        "faces": [
            {
                "number": track.number,
                "first": track.frames[0],
                "last": track.frames[-1],
                "size": round(track.size, 1),
                "restored": track in done.restored,
            }
            for track in done.tracks
        ],
        "invented": None if done.invented is None else round(done.invented, 3),
        "seconds": round(done.seconds, 3),
        "frames_a_second": round(done.pace, 3),
        "skipped": False,
        "notes": done.notes,
    }


def _tell(target: Path, done: RestoredClip, json: bool) -> None:
    pace = f"{done.made} frames in {done.seconds:.1f} s, {done.pace:.2f} a second"
    if not done.tracks:
        _say(f"{target}: no face found, so all {done.frames} frames are as they were ({pace}).", json)
    else:
        count = f"{len(done.restored)} of {len(done.tracks)} faces" if len(done.tracks) > 1 else "1 face"
        made_up = "" if done.invented is None else f", {done.invented:.0%} made up"
        _say(f"{target}: {count} restored{made_up} ({pace}).", json)
    if len(done.tracks) > 1:
        for track in done.tracks:
            _say(f"  face {track.number}: frames {track.frames[0]} to {track.frames[-1]}, {track.size:.0f} px", json)
    for note in done.notes:
        _say(f"  Note: {note}", json)


def _say(text: str, json: bool) -> None:
    if not json:
        ui.say(text)
