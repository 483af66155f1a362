"""Options that several commands of the command line share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli import output as ui
from limner.errors import LimnerError


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Dtype(StrEnum):
    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


class Detector(StrEnum):
    haar = "haar"
    yunet = "yunet"


class Background(StrEnum):
    keep = "keep"
    clean = "clean"


class Timetable(StrEnum):
    leading = "leading"
    trailing = "trailing"


class Mask(StrEnum):
    learned = "learned"
    one = "one"
    zero = "zero"


class Encoding(StrEnum):
    wide = "wide"
    separate = "separate"


Json = Annotated[bool, typer.Option("--json", help=ui.JSON_HELP)]
DeviceOption = Annotated[Device, typer.Option(help="Where nets run.")]
DtypeOption = Annotated[Dtype, typer.Option(help="Precision of the nets; auto: bf16 where the hardware has it.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads of torch.", min=1)]
Method = Annotated[str, typer.Option(help="Restoration method, see `limner methods`.")]
References = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference", help="refldm, clrface: another photo of the same person, or a folder of them; may be repeated."
    ),
]
StrengthOption = Annotated[
    str,
    typer.Option(
        help="auto takes from photo and restoration what each knows better; a number blends them plainly: 0 keeps the "
        "face as it was, 1 takes the restored one."
    ),
]
WeightsOption = Annotated[str, typer.Option(help="mini, official, or a folder (ldbfr: or a checkpoint).")]
Start = Annotated[
    int | None, typer.Option(help="difface, ldbfr, clrface: timestep at which the chain is entered; larger is freer.")
]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Evaluations of the diffusion net; 0: what stands before it alone (difface: the estimator, ldbfr: stage "
        "A, clrface: the identity recovery network), under the finish."
    ),
]
Eta = Annotated[float | None, typer.Option(help="0 faithful to 1 most realistic.")]
Guidance = Annotated[
    float | None,
    typer.Option(
        help="refldm: 1 none; larger leans more on the references. clrface: 0 none; larger is more like the person."
    ),
]
MaskOption = Annotated[
    Mask | None,
    typer.Option("--mask", help="clrface: where the guidance acts: learned, all over (one), nowhere (zero)."),
]
GuideBelow = Annotated[int | None, typer.Option(help="clrface: guide only timesteps below this, 0 to 1000.")]
GuideEvery = Annotated[int | None, typer.Option(help="clrface: of those, each (1), every other (2), ...")]
Finish = Annotated[
    int | None,
    typer.Option(help="refldm, ldbfr, clrface: looks of DifFace's prior over the result; 0 leaves it smooth.", min=0),
]
TimetableOption = Annotated[
    Timetable | None, typer.Option(help="refldm, ldbfr, clrface: steps count from the first or the last.")
]
EncodingOption = Annotated[Encoding | None, typer.Option(help="refldm: references side by side, or each alone.")]
Snap = Annotated[bool | None, typer.Option("--snap", help="ldbfr: bring every step's estimate to the nearest codes.")]
Scheduler = Annotated[str | None, typer.Option(help="ddim, dpmsolver++ or unipc.")]
Seed = Annotated[int, typer.Option(help="Seed of all noise.", min=0)]
DetectorOption = Annotated[Detector, typer.Option(help="Face finder; yunet needs its ONNX file.")]
Yunet = Annotated[
    Path | None, typer.Option(help="Its ONNX file, unless `limner weights fetch official/yunet` brought it.")
]
Megapixels = Annotated[float, typer.Option("--max-megapixels", help="Refuse larger photos.")]
Faces = Annotated[str, typer.Option(help="all, largest, or indices as 0,2 (0 is the largest).")]
MinFace = Annotated[float, typer.Option(help="Leave faces smaller than this many pixels alone.", min=0)]
MinScore = Annotated[float, typer.Option(help="Leave faces the finder is less sure of alone.", min=0, max=1)]


def strength_of(text: str) -> float | Literal["auto"]:
    """`auto`, or a number, from the option's text.

    Raises:
        LimnerError: if it is neither.
    """
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError as error:
        raise LimnerError(f"--strength is '{text}': give auto, or a number from 0 to 1.") from error
