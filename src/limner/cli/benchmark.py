"""The command line's `limner benchmark`: a protocol, measured and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, Json, takes
from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.data.faces import Split
    from limner.restorer import Restorer


class Protocol(StrEnum):
    limner_test = "limner-test"
    landmarks = "landmarks"
    verification = "verification"
    references = "references"
    guidance = "guidance"
    harm = "harm"


@takes("weights", "strength", "finish", "scheduler", "seed", "device", "dtype", "threads", methods=True)
def benchmark(
    given: Given,
    data: Annotated[Path, typer.Option(help="Folder of aligned faces with index.csv and landmarks.csv.")],
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="limner-test: restoration; references: identity with the right, no and wrong references; landmarks: "
            "the finder; verification: the recogniser; guidance: what CLR-Face's mask is worth, over growing guidance; "
            "harm: what becomes of sharp faces that are hardly damaged."
        ),
    ] = Protocol.limner_test,
    preset: Annotated[str, typer.Option(help="Degradation, for limner-test and references.")] = "ffhq-ref-severe",
    method: Annotated[
        list[str] | None,
        typer.Option(help="Restoration method, or METHOD@STEPS; limner-test and harm measure several side by side."),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="test; val is for choosing settings; held-out: pairs of photographs, for references and verification."
        ),
    ] = "test",
    limit: Annotated[int | None, typer.Option(help="The first so many faces only.", min=1)] = None,
    sheet: Annotated[Path | None, typer.Option(help="Save a contact sheet of some faces here (PNG).")] = None,
    plot: Annotated[Path | None, typer.Option(help="guidance: save the curves here (PNG).")] = None,
    judge: Annotated[
        Path | None, typer.Option(help="guidance: folder or file of a recogniser that took no part, to tell likeness.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure on the test faces, which nothing was trained on."""
    common = given.settings(options={})
    if protocol is Protocol.verification:
        _verification(data, split, common.threads, json)
        return
    if protocol is Protocol.references and split not in ("test", "held-out", "test+held-out"):
        raise LimnerError(f"There is no split '{split}' with pairs: choose test, held-out or test+held-out.")
    if protocol is not Protocol.references and split not in ("test", "val"):
        raise LimnerError(f"There is no split '{split}' to measure: choose test or val.")
    chosen: Split = "val" if split == "val" else "test"
    if protocol is Protocol.landmarks:
        from limner.data.faces import FaceSet
        from limner.device import choose
        from limner.evaluate import landmarks

        choose(threads=common.threads)
        rows = landmarks.measure_all(FaceSet.open(data, chosen), limit, common.seed)
        if json:
            ui.emit({"protocol": protocol.value, "rows": [asdict(row) for row in rows]})
        else:
            print(landmarks.table(rows))
        return

    from limner.restorer import Restorer

    restorers = {}
    for wish in method or ["difface"]:
        name, at = method_and_steps(wish)
        options = given.options if at is None else {**given.options, "steps": at}
        settings = given.settings(method=name, options=options, aligned=protocol is Protocol.harm)
        restorers[wish] = Restorer(settings)
    if protocol is Protocol.limner_test:
        _limner_test(data, preset, restorers, chosen, limit, sheet, json)
        return
    if protocol is Protocol.harm:
        _harm(data, restorers, chosen, limit, sheet, json)
        return
    if len(restorers) > 1:
        raise LimnerError(f"The protocol {protocol.value} measures one method at a time, not {len(restorers)}.")
    (restorer,) = restorers.values()
    if protocol is Protocol.guidance:
        _guidance(data, preset, restorer, chosen, limit, judge, sheet, plot, json)
        return
    _references(data, preset, restorer, split, limit, sheet, json)


def method_and_steps(text: str) -> tuple[str, int | None]:
    """`ldbfr@25` to (`ldbfr`, 25), and `ldbfr` to (`ldbfr`, None).

    Raises:
        LimnerError: if what follows the @ is no whole number.
    """
    name, at, steps = text.partition("@")
    if at and not steps.isdecimal():
        raise LimnerError(f"--method is '{text}': give a method such as {name}, or one with its steps, {name}@25.")
    return name, int(steps) if at else None


@contextmanager
def _progress(json: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told (done, of how many)."""
    with ui.progress("measuring", show=not json) as bar:
        yield lambda done, total: bar("measuring", done, total)


def _limner_test(
    data: Path,
    preset: str,
    restorers: dict[str, Restorer],
    split: Split,
    limit: int | None,
    sheet: Path | None,
    json: bool,
) -> None:
    from limner.evaluate.protocols import limner_test
    from limner.evaluate.report import save_sheet

    with _progress(json) as progress:
        measured = limner_test(data, preset, restorers, limit=limit, split=split, progress=progress)
    if sheet:
        save_sheet(sheet, measured.pictures, [row.method for row in measured.rows] + ["truth"])
    if json:
        figures = {name: getattr(measured, name) for name in ("protocol", "preset", "faces")}
        ui.emit({**figures, "rows": [asdict(row) for row in measured.rows]})
        return
    ui.table_of(
        measured.rows,
        [
            ("method", "method", ""),
            ("PSNR dB", "psnr", ".2f"),
            ("SSIM", "ssim", ".4f"),
            ("detail ratio", "detail", ".2f"),
            ("identity", "identity", ".3f"),
            ("rank 1", "rank1", ".1%"),
            ("HOG", "hog", ".3f"),
            ("rank 1", "hog_rank1", ".1%"),
            ("s a face", "seconds", ".2f"),
        ],
    )


def _harm(
    data: Path, restorers: dict[str, Restorer], split: Split, limit: int | None, sheet: Path | None, json: bool
) -> None:
    from limner.evaluate.harm import COLUMNS, harm_test
    from limner.evaluate.report import save_sheet

    with _progress(json) as progress:
        measured = harm_test(data, restorers, limit=limit, split=split, progress=progress)
    if sheet:
        save_sheet(sheet, measured.pictures, ["input", *restorers, "truth"], most=len(measured.pictures))
    if json:
        ui.emit({"protocol": "harm", "faces": measured.faces, "rows": [asdict(row) for row in measured.rows]})
    else:
        ui.table_of(measured.rows, COLUMNS)


def _references(
    data: Path, preset: str, restorer: Restorer, split: str, limit: int | None, sheet: Path | None, json: bool
) -> None:
    from limner.evaluate.hog import HogIdentity
    from limner.evaluate.references import COLUMNS, reference_test
    from limner.evaluate.report import save_sheet
    from limner.weights.load import load_identity

    with _progress(json) as progress:
        measured = reference_test(
            data,
            preset,
            restorer,
            {"mini/identity": load_identity("mini"), "HOG": HogIdentity()},
            splits=split.split("+"),  # type: ignore[arg-type]
            limit=limit,
            progress=progress,
        )
    if sheet:
        save_sheet(sheet, measured.pictures, COLUMNS)
    if json:
        figures = {name: getattr(measured, name) for name in ("preset", "faces", "people", "gallery")}
        ui.emit({"protocol": "references", **figures, "rows": [asdict(row) for row in measured.rows]})
        return
    ui.table(
        ["measure", "pictures", "similarity to the truth", "against none", "better", "rank 1", "PSNR dB"],
        [
            [
                row.measure,
                row.pictures,
                f"{row.mean:.3f} ± {row.spread:.3f}",
                f"{row.gain:+.3f} (error {row.error:.3f})",
                f"{row.better:.0%}",
                f"{row.rank1:.1%}",
                f"{row.psnr:.2f}",
            ]
            for row in measured.rows
        ],
    )
    ui.say(
        f"{measured.faces} photographs of {measured.people} people under {measured.preset}; gallery of "
        f"{measured.gallery} faces."
    )


def _guidance(
    data: Path,
    preset: str,
    restorer: Restorer,
    split: Split,
    limit: int | None,
    judge: Path | None,
    sheet: Path | None,
    plot: Path | None,
    json: bool,
) -> None:
    from limner.evaluate.guidance import guidance_sweep
    from limner.evaluate.report import save_plot, save_sheet
    from limner.weights.load import load_identity

    with _progress(json) as progress:
        measured = guidance_sweep(
            data,
            preset,
            restorer,
            judge=None if judge is None else load_identity(judge),
            split=split,
            limit=limit,
            progress=progress,
        )
    if sheet:
        save_sheet(sheet, measured.pictures, measured.headings)
    if plot:
        by = "HOG" if judge is None else "a recogniser that took no part"
        curves = {
            point.curve: [
                (p.perceptual, p.hog if p.judge is None else p.judge)
                for p in measured.points
                if p.curve in (point.curve, "mask 0")  # where every curve begins
            ]
            for point in measured.points
        }
        save_plot(
            plot, curves, "perceptual distance to the truth (less is better)", f"likeness by {by} (more is better)"
        )
    if json:
        rows = [asdict(point) for point in measured.points]
        ui.emit({"protocol": "guidance", "preset": preset, "faces": measured.faces, "points": rows})
        return
    ui.table_of(
        measured.points,
        [
            ("curve", "curve", ""),
            ("scale", "scale", "g"),
            ("identity", "identity", ".3f"),
            ("judge", "judge", ".3f"),
            ("HOG", "hog", ".3f"),
            ("rank 1", "rank1", ".1%"),
            ("PSNR dB", "psnr", ".2f"),
            ("SSIM", "ssim", ".4f"),
            ("perceptual", "perceptual", ".2f"),
            ("detail ratio", "detail", ".2f"),
            ("mask", "open", ".2f"),
        ],
    )


def _verification(data: Path, split: str, threads: int | None, json: bool) -> None:
    from limner.data.faces import FaceSet
    from limner.device import choose
    from limner.evaluate import identity

    if split not in ("test", "held-out"):
        raise LimnerError(f"There is no split '{split}' to verify on: choose test or held-out.")
    choose(threads=threads)
    rows = identity.measure_all(FaceSet.open(data, split))
    if json:
        ui.emit({"protocol": "verification", "rows": [asdict(row) for row in rows]})
    else:
        print(identity.table(rows))
