"""The command line: arguments in, library call, result out. Whatever takes time to import is imported inside."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner import __version__
from limner.cli import output as ui
from limner.cli.benchmark import benchmark
from limner.cli.options import (
    Background,
    Detector,
    DetectorOption,
    Device,
    DeviceOption,
    Dtype,
    DtypeOption,
    EncodingOption,
    Eta,
    Faces,
    Finish,
    Guidance,
    GuideBelow,
    GuideEvery,
    Json,
    MaskOption,
    Megapixels,
    Method,
    MinFace,
    MinScore,
    References,
    Scheduler,
    Seed,
    Snap,
    Start,
    Steps,
    StrengthOption,
    Threads,
    TimetableOption,
    WeightsOption,
    Yunet,
    strength_of,
)
from limner.cli.reference_set import reference_set
from limner.cli.train import train
from limner.cli.weights import weights_app
from limner.errors import LimnerError

app = typer.Typer(
    help="Restores degraded photographs of faces, offline, with diffusion models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(weights_app, name="weights")


def version(show: bool) -> None:
    if show:
        print(f"limner {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (anywhere on the line).")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """`main` looks at --debug before typer does; it stands here for the help."""


@app.command()
def restore(
    sources: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, or a file for a single photo.")],
    method: Method = "difface",
    weights: WeightsOption = "mini",
    reference: References = None,
    strength: StrengthOption = "auto",
    no_grain: Annotated[
        bool, typer.Option("--no-grain", help="Leave restored faces without the grain of the photo around them.")
    ] = False,
    background: Annotated[
        Background, typer.Option(help="clean takes noise, blocks and mild blur off the whole photo.")
    ] = Background.keep,
    faces: Faces = "all",
    min_face: MinFace = 0,
    min_score: MinScore = 0,
    aligned: Annotated[bool, typer.Option("--aligned", help="Photos and references are aligned face crops.")] = False,
    upscale: Annotated[int, typer.Option(help="Enlarge the photo; the background by Lanczos.")] = 1,
    samples: Annotated[int, typer.Option(help="Results for each photo.")] = 1,
    start: Start = None,
    steps: Steps = None,
    eta: Eta = None,
    guidance: Guidance = None,
    mask: MaskOption = None,
    guide_below: GuideBelow = None,
    guide_every: GuideEvery = None,
    finish: Finish = None,
    timetable: TimetableOption = None,
    encoding: EncodingOption = None,
    snap: Snap = None,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    detector: DetectorOption = Detector.haar,
    yunet: Yunet = None,
    quality: Annotated[int | None, typer.Option(help="Of JPEG, WebP and AVIF, 1 to 100.")] = None,
    save_intermediate: Annotated[
        Path | None,
        typer.Option(
            help="Folder for what the method makes on the way: difface's estimate, clrface's recovered face and mask."
        ),
    ] = None,
    save_map: Annotated[
        Path | None, typer.Option(help="Folder for pictures of what was made up: grey photos, red where invented.")
    ] = None,
    no_provenance: Annotated[bool, typer.Option("--no-provenance", help="Leave out who made the result.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make results anew that are there.")] = False,
    max_megapixels: Megapixels = 100.0,
    device: DeviceOption = Device.auto,
    dtype: DtypeOption = Dtype.auto,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Restore the faces of photographs."""
    from limner.folder import photos_in, restore_all
    from limner.restorer import Restorer, Settings

    settings = Settings(
        method=method,
        weights=weights,
        references=reference or (),
        start=start,
        steps=steps,
        eta=eta,
        guidance=guidance,
        mask=mask and mask.value,
        guide_below=guide_below,
        guide_every=guide_every,
        finish=finish,
        timetable=timetable and timetable.value,
        encoding=encoding and encoding.value,
        snap=snap,
        scheduler=scheduler,
        samples=samples,
        seed=seed,
        faces=chosen_faces(faces),
        min_face=min_face,
        min_score=min_score,
        detector=detector.value,
        yunet=yunet,
        aligned=aligned,
        strength=strength_of(strength),
        grain=not no_grain,
        background=background.value,
        upscale=upscale,
        device=device.value,
        dtype=dtype.value,
        threads=threads,
    )
    photos = photos_in(sources, output)
    single = len(photos) == 1 and not sources[0].is_dir()
    restorer = Restorer(settings, max_megapixels)
    told, failed = [], []
    with ui.progress("restoring", show=not json) as bar:
        current = {"name": photos[0][0].name, "number": 0}

        def progress(done: int, total: int) -> None:
            bar(str(current["name"]), int(current["number"]) * total + done, len(photos) * total)

        outcomes = restore_all(
            restorer,
            photos,
            output,
            overwrite=overwrite,
            max_megapixels=max_megapixels,
            quality=quality,
            provenance=not no_provenance,
            intermediate=save_intermediate,
            maps=save_map,
            progress=progress,
        )
        for number, outcome in enumerate(outcomes):
            current = {"name": outcome.source.name, "number": number + 1}
            if outcome.error and single:
                raise LimnerError(outcome.error)
            if outcome.error:
                failed.append(outcome)
            if json:
                told.append(ui.outcome_as_json(outcome, restorer.settings, restorer.method.info.name))
            elif not outcome.error:
                ui.describe(outcome)
    if json:
        ui.emit(told[0] if single else told)
    elif failed:
        ui.say(f"{len(failed)} of {len(photos)} photos failed:")
        for outcome in failed:
            ui.say(f"  {outcome.error}")
    if failed:
        raise typer.Exit(1)


@app.command()
def detect(
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    faces: Faces = "all",
    min_face: MinFace = 0,
    min_score: MinScore = 0,
    detector: DetectorOption = Detector.haar,
    yunet: Yunet = None,
    max_megapixels: Megapixels = 100.0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Find the faces of a photograph: boxes, five points, scores."""
    from limner.device import choose
    from limner.faces.find import choose_faces, find_faces
    from limner.photo.photo import Photo

    choose(threads=threads)
    rgb = Photo.open(photo, max_megapixels).srgb()
    found = choose_faces(find_faces(rgb, detector.value, yunet), chosen_faces(faces), min_face, min_score)
    if json:
        ui.emit({"photo": str(photo), "faces": [ui.face_as_json(face) for face in found]})
    elif found:
        rows = [
            [
                str(i),
                f"{f.score:.2f}",
                *(f"{v:.0f}" for v in (f.box[0], f.box[1], f.box[2] - f.box[0], f.box[3] - f.box[1])),
            ]
            for i, f in enumerate(found)
        ]
        ui.table(["face", "score", "left", "top", "width", "height"], rows)
    else:
        ui.say(f"{photo}: no face found.")


@app.command()
def degrade(
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    preset: Annotated[str, typer.Option(help="Degradation, e.g. ffhq-ref-severe or old-print.")] = "ffhq-ref-moderate",
    seed: Seed = 0,
    max_megapixels: Megapixels = 100.0,
) -> None:
    """Spoil a photograph the way the papers do, or age it (old-print), to try a restoration on it."""
    import numpy as np

    from limner.degrade.degrade import degrade as spoil
    from limner.photo.photo import Photo

    opened = Photo.open(photo, max_megapixels)
    spoilt = spoil(opened.srgb(), preset, np.random.default_rng(seed))
    native = opened.from_srgb(spoilt.astype(np.float32) / 255)
    opened.replaced(np.rint(native * opened.peak).astype(opened.pixels.dtype)).save(output)


@app.command("methods")
def list_methods(json: Json = False) -> None:
    """List the restoration methods."""
    from limner.methods import methods

    if json:
        ui.emit([asdict(method) for method in methods()])
    else:
        rows = [[m.name, m.title, m.paper, "yes" if m.references else "no"] for m in methods()]
        ui.table(["method", "how", "paper", "references"], rows)


app.command()(benchmark)
app.command()(train)
app.command("reference-set")(reference_set)


def chosen_faces(text: str) -> Literal["all", "largest"] | list[int]:
    """`all`, `largest` or a list of indices, from the option's text.

    Raises:
        LimnerError: if it is none of them.
    """
    if text == "all":
        return "all"
    if text == "largest":
        return "largest"
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise LimnerError(f"--faces is '{text}': give all, largest, or indices such as 0,2.") from error


def main() -> None:
    """Runs the command line: 0 done, 1 some photos failed, 2 wrong input, 130 interrupted."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        app()
    except LimnerError as error:
        if debug:
            raise
        ui.say(f"limner: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        if debug:
            raise
        ui.say("limner: interrupted.")
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        ui.say(f"limner: unexpected {type(error).__name__}: {error} (run again with --debug and report it)")
        sys.exit(3)
