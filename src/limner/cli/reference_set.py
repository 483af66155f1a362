"""The command line's `limner reference-set`: from a folder of aligned faces to tables of faces and their references."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, Json, takes
from limner.errors import LimnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from limner.data.reference_set.sets import ReferenceSet
    from limner.device import Compute


class Thin(StrEnum):
    test = "test"
    all = "all"


@takes("seed", "device", "threads")
def reference_set(
    given: Given,
    folder: Annotated[Path, typer.Argument(help="Folder of aligned face crops, searched to the bottom.")],
    out: Annotated[Path, typer.Option("--output", "--out", "-o", help="Folder for tables and embeddings.")],
    identity: Annotated[
        str, typer.Option(help="Identity net: mini, a path (as an ArcFace ONNX file), or none (with --people).")
    ] = "mini",
    people: Annotated[Path | None, typer.Option(help="Who is who: a CSV with file and person_id.")] = None,
    threshold: Annotated[float, typer.Option(help="Cosine distance below which two faces are one person.")] = 0.4,
    duplicates: Annotated[float, typer.Option(help="Pictures no further apart than this are near-duplicates.")] = 0.1,
    thin: Annotated[Thin, typer.Option(help="Where near-duplicates go.")] = Thin.test,
    split: Annotated[
        str, typer.Option(help="People of val and test: counts (300,150), shares (0.05,0.025), or listed.")
    ] = "0.05,0.025",
    fewest: Annotated[int, typer.Option(help="References that a test picture needs.", min=1)] = 2,
    most: Annotated[int, typer.Option(help="References that a picture gets at most.", min=1)] = 9,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace tables that are there.")] = False,
    batch: Annotated[int, typer.Option(help="Pictures that are embedded at once.", min=1)] = 32,
    workers: Annotated[int, typer.Option(help="Threads that read pictures.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Find the people in a folder of aligned faces: a table of references for each split."""
    from limner.data.reference_set.sets import Rules, build
    from limner.data.reference_set.table import read_people
    from limner.device import choose
    from limner.folder.find import find_photos

    settings = given.settings()
    val, test = split_wish(split)
    rules = Rules(threshold, duplicates, "all" if thin is Thin.all else "test", val, test, fewest, most, settings.seed)
    compute = choose(settings.device, "fp32", settings.threads)
    if not folder.is_dir():
        raise LimnerError(f"{folder} is no folder: give a folder of aligned face crops.")
    if (out / "test_references.csv").exists() and not overwrite:
        raise LimnerError(f"{out} has tables already, perhaps looked through by hand: --overwrite makes them anew.")
    if identity == "none" and not people:
        raise LimnerError("Without an identity net it must be known who is who: give --people, a CSV.")
    known = read_people(people) if people else None
    pictures = {path.as_posix(): file for file, path in find_photos([folder], [out]).photos}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LimnerError(f"{out} can't be made a folder ({error.strerror or error}): choose another.") from error

    files, vectors, broken, about = list(pictures), None, {}, "none"
    with ui.progress("embedding", show=not json) as bar:
        if identity != "none":
            from limner.weights.load import identity_licence

            files, vectors, broken = embeddings(pictures, identity, out, batch, workers, compute, bar)
            about = f"{identity}, licence: {identity_licence(identity)}"
        made = build(files, vectors, rules, known, lambda done, total: bar("comparing", done, total))
    made.left_out |= broken
    made.save(out, rules, about)
    tell(out, made, broken, json)
    if broken:
        raise typer.Exit(1)


def split_wish(text: str) -> tuple[float | None, float | None]:
    """People of val and test as `Rules` takes them, from the option's text.

    Raises:
        LimnerError: if it isn't two numbers or `listed`.
    """
    if text == "listed":
        return None, None
    try:
        val, test = (float(part) for part in text.split(","))
    except ValueError as error:
        raise LimnerError(
            f"--split is '{text}': give val and test as counts (300,150) or shares (0.05,0.025), or listed."
        ) from error
    return val, test


def embeddings(
    pictures: Mapping[str, Path],
    identity: str,
    out: Path,
    batch: int,
    workers: int,
    compute: Compute,
    bar: Callable[[str, int, int], None],
) -> tuple[list[str], np.ndarray, dict[str, str]]:
    """Names and vectors of the pictures that could be embedded, and why the others couldn't."""
    from limner.data.reference_set.embeddings import embed, fingerprint
    from limner.weights import load_identity

    net = load_identity(identity)
    done, broken = embed(
        pictures,
        compute.place(net),
        out / "embeddings.npz",
        name=fingerprint(net),
        batch=batch,
        workers=workers,
        device=compute.device,
        progress=lambda done, total: bar("embedding", done, total),
    )
    return done.files, done.vectors, broken


def tell(out: Path, made: ReferenceSet, broken: Mapping[str, str], json: bool) -> None:
    """What became of the folder."""
    if json:
        printed = {"folder": str(out), "splits": made.counts(), "left_out": made.left_out, "notes": made.notes}
        ui.emit(printed)
        return
    rows = [[name, str(count["images"]), str(count["people"])] for name, count in made.counts().items()]
    ui.table(["split", "images", "people"], rows)
    ui.say(f"The tables are in {out}.")
    for sentence in broken.values():
        ui.say(f"  Left out: {sentence}")
    if others := len(made.left_out) - len(broken):
        ui.say(f"  {others} more pictures are left out, see {out / 'left_out.csv'}.")
    for note in made.notes:
        ui.say(f"  Note: {note}")
