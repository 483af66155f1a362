"""The sweep of CLR-Face's guidance."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import LimnerError
from limner.evaluate import guidance
from limner.evaluate.guidance import Pull, guidance_sweep
from limner.evaluate.protocols import Request
from limner.evaluate.report import Plot
from limner.methods.loaded import LoadedMethod
from limner.methods.options import CLRFaceOptions, DifFaceOptions
from limner.nets.identity import IdentityNet
from limner.restorer import Settings
from limner.weights.load import WeightsInfo

from ..methods import tiny
from .faces_folder import folder_of_faces


def restorer(pipeline):
    return SimpleNamespace(
        method=LoadedMethod(pipeline, WeightsInfo("tiny", "none", "here", 64)),
        settings=Settings(),
        size=64,
        options=CLRFaceOptions(steps=3, guidance=1.0),
    )


def identity():
    torch.manual_seed(9)
    return IdentityNet(28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=16).eval()


@pytest.fixture(scope="module")
def swept(shared):
    told = []
    request = Request(shared / "faces", limit=2, progress=lambda *done: told.append(done))
    sweep = guidance_sweep(request, restorer(tiny.clrface()), scales=(0.05, 0.5), pulls=(0.05, 0.5), judge=identity())
    assert told == [(1, 2), (2, 2)]
    return sweep


def test_every_curve_has_its_points(swept):
    curves = ["learned mask", "mask 1", "pull to the IRN"]
    found = [(point["curve"], point["scale"]) for point in swept.rows]
    assert found == [("mask 0", 0.0), *((curve, scale) for curve in curves for scale in (0.05, 0.5))]
    assert swept.facts == {"protocol": "guidance", "preset": "ffhq-ref-severe", "faces": 2}
    assert swept.sheet.headings == [
        *("input", "mask 0 0", "learned mask 0.5", "mask 1 0.5", "pull to the IRN 0.5", "truth")
    ]
    assert [len(row) for row in swept.sheet.pictures] == [6, 6]


def test_the_points_tell_of_what_was_done(swept):
    points = {(point["curve"], point["scale"]): point for point in swept.rows}
    assert points["mask 0", 0.0]["open"] == 0
    assert points["mask 1", 0.5]["open"] == pytest.approx(1)
    assert 0 < points["learned mask", 0.5]["open"] < 1
    assert len({point["psnr"] for point in swept.rows}) == len(swept.rows)
    assert len({point["judge"] for point in swept.rows}) == len(swept.rows), "the judge sees each"
    assert all(
        -1 <= point["hog"] <= 1 and 0 <= point["rank1"] <= 1 and point["perceptual"] > 0 and point["detail"] > 0
        for point in swept.rows
    )


def test_every_curve_is_drawn_from_the_unguided_point_on(swept):
    start = (swept.rows[0]["perceptual"], swept.rows[0]["judge"])
    assert [len(points) for points in swept.plot.curves.values()] == [1, 3, 3, 3]
    assert all(points[0] == start for points in swept.plot.curves.values())
    assert swept.plot.across == "perceptual distance to the truth (less is better)"
    assert swept.plot.up == "likeness by a recogniser that took no part (more is better)"


def test_the_pull_is_towards_the_recovered_latent():
    z0, towards = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    shift, mask = Pull(towards, 0.5).shift(z0, torch.tensor([3]), torch.tensor(0.25))
    assert torch.equal(z0 - shift, 0.25 * towards) and torch.equal(mask, towards)


def test_another_method_has_no_mask(shared):
    with pytest.raises(LimnerError, match="The method 'difface' can't be measured so: measure clrface."):
        guidance_sweep(Request(shared / "faces"), restorer(SimpleNamespace(paper=DifFaceOptions())))


def test_the_plot_is_drawn(tmp_path):
    curves = {"mask 0": [(1.0, 0.5)], "mask 1": [(1.0, 0.5), (2.0, 0.7)]}
    Plot(curves, "across", "up").save(tmp_path / "docs" / "plot.png")
    drawn = np.asarray(Image.open(tmp_path / "docs" / "plot.png").convert("RGB"))
    assert drawn.shape == (600, 840, 3) and drawn.std() > 10


def test_memory_does_not_grow_with_the_faces(tmp_path, monkeypatch):
    monkeypatch.setattr(guidance, "SHOWN", 1)
    peaks = []
    for count in (2, 8):
        request = Request(folder_of_faces(tmp_path / str(count), count, side=64))
        tracemalloc.start()
        guidance_sweep(request, restorer(tiny.clrface()), scales=(0.05,), pulls=())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # of a face its vectors are kept, and no longer its pair and what became of it at three points, 61 kB
    assert peaks[1] < peaks[0] + 6 * 30_000
