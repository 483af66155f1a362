"""The curves of a chain over its steps, by solver."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import LimnerError
from limner.evaluate import steps
from limner.evaluate.picture_files import picture_of
from limner.evaluate.protocols import Request
from limner.evaluate.steps import Point, points_of, without_point
from limner.methods.crops import seed_of
from limner.methods.loaded import LoadedMethod
from limner.methods.options import CLRFaceOptions, DifFaceOptions, RefLDMOptions
from limner.pixels import to_picture, to_tensor
from limner.settings import Settings
from limner.weights.load import WeightsInfo

from ..methods import tiny
from .faces_folder import folder_of_faces
from .sets import small_measures

SOLVERS = ("ddim", "dpmsolver++", "unipc")


def restorer(pipeline, suited, **settings):
    asked = Settings(method=suited.info.name, **settings)
    method = LoadedMethod(pipeline, WeightsInfo("tiny", "none", "here", 32))
    return SimpleNamespace(
        method=method, settings=asked, size=32, options=suited.but(asked.options), finish=2, compute=None
    )


def difface(**settings):
    return restorer(tiny.difface(), DifFaceOptions(start=300, steps=2), **settings)


@pytest.fixture
def faces(monkeypatch, tmp_path):
    small_measures(monkeypatch)
    return folder_of_faces(tmp_path / "faces", 4)


def test_every_solver_has_a_row_for_each_number_of_steps(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "STEPS", (1, 2, 5, 500))
    report = steps.run(Request(faces, "gfpgan", output=tmp_path / "out"), {"difface": difface()})
    points = [(solver, number) for solver in SOLVERS for number in (1, 2, 5)]  # 500 don't fit below 300
    names = ["input", "estimator", *(f"difface {solver} {number}" for solver, number in points)]
    assert [row["method"] for row in report.rows] == names
    assert [(row["solver"], row["steps"]) for row in report.rows[2:]] == points
    assert report.rows[0]["steps"] is None and report.facts["protocol"] == "steps"
    assert "guided" not in report.headings(), "nothing guides DifFace"
    assert len({row["psnr"] for row in report.rows[1:5]}) == 4, "each number of steps does something else"
    assert report.rows[2]["psnr"] != report.rows[5]["psnr"], "and so does another solver"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "restoring: difface" in page and "joining" not in page and "finishing" not in page
    assert report.plot and {name: [x for x, _ in curve] for name, curve in report.plot.curves.items()} == {
        f"difface {solver}": [1, 2, 5] for solver in SOLVERS
    }
    report.plot.save(tmp_path / "plot.png")
    assert np.asarray(Image.open(tmp_path / "plot.png").convert("RGB")).std() > 10


def test_it_is_the_chain_alone_from_the_same_noise(faces, tmp_path):
    asked = difface(options={"steps": 3}, scheduler="ddim", seed=7)
    steps.run(Request(faces, "gfpgan", output=tmp_path), {"difface@3": asked})
    shown, pipeline = tmp_path / "difface-ddim-3", tiny.difface()
    for number in range(4):
        crop = to_tensor(picture_of(tmp_path / "input" / f"face{number}.png"))[None]
        noise = torch.Generator().manual_seed(seed_of(7, number, 0))
        alone = pipeline.restore(crop, generator=noise, start=300, steps=3).images[0]
        np.testing.assert_array_equal(picture_of(shown / f"face{number}.png"), to_picture(alone))
    assert asked.finish == 2 and asked.settings.strength == "auto", "the caller's restorer stays as it was"


def test_a_killed_run_goes_on(faces, tmp_path, monkeypatch):
    asked = {"difface": difface(options={"steps": 1})}
    before = steps.run(Request(faces, "gfpgan", output=tmp_path), asked)
    monkeypatch.setattr(Point, "restored", lambda *_: pytest.fail("it is there already"))
    after = steps.run(Request(faces, "gfpgan", output=tmp_path), asked)
    assert [dict(row.figures) for row in after.rows] == [dict(row.figures) for row in before.rows]


@pytest.mark.slow
def test_the_command(run, shared, tmp_path):
    pytest.importorskip("matplotlib")
    words = ["--protocol", "steps", "--data", shared / "faces", "--split", "val", "--limit", 1, "--threads", 1]
    methods = ["--method", "difface@1", "--method", "difface@steps=2,scheduler=unipc", "--plot", tmp_path / "plot.png"]
    code, out, err = run("benchmark", *words, *methods, "--json")
    assert code == 0, err
    rows = [f"difface {solver} 1" for solver in SOLVERS]
    assert [row["method"] for row in json.loads(out)["rows"]] == ["input", "estimator", *rows, "difface unipc 2"]
    assert (tmp_path / "plot.png").is_file()


def test_guided_steps_are_told():
    asked = CLRFaceOptions(guidance=0.5, guide_below=600)
    counts = {point.steps: point.guided for point in points_of("clrface", restorer(tiny.clrface(), asked))}
    assert counts == {1: 0, 2: 1, 5: 3, 10: 6, 20: 12, 50: 30, 100: 60}
    free = points_of("clrface", restorer(tiny.clrface(), asked.but({"guidance": 0.0})))
    assert {point.guided for point in free} == {0}


def test_what_is_asked_for_is_measured_alone():
    pipeline, options = tiny.refldm(), RefLDMOptions(steps=1)
    whole = points_of("refldm", restorer(pipeline, options))
    assert [point.steps for point in whole if point.solver == "unipc"] == [1, 2, 5, 10, 20, 50, 100]
    one = points_of(
        "refldm@steps=50,scheduler=unipc", restorer(pipeline, options, options={"steps": 50}, scheduler="unipc")
    )
    assert [(point.row, point.steps) for point in one] == [("refldm unipc 50", 50)]
    assert type(one[0].method.pipeline.scheduler).__name__ == "UniPCMultistepScheduler"
    assert type(pipeline.scheduler).__name__ == "DDIMScheduler", "the pipeline keeps its own"


@pytest.mark.parametrize(
    ("asked", "curve"),
    [
        ("difface", "difface"),
        ("difface@5", "difface"),
        ("difface@steps=5,start=100,scheduler=unipc", "difface@start=100"),
    ],
)
def test_points_of_one_curve_share_its_name(asked, curve):
    assert without_point(asked) == curve


def test_no_step_is_no_chain():
    with pytest.raises(LimnerError, match="The chain of difface@0 has no step: ask for 1 or more, or leave the number"):
        points_of("difface@0", difface(options={"steps": 0}))
