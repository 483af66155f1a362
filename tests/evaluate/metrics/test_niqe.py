"""Less natural is higher, by our own fit and by a model of the user's."""

import sys

import numpy as np
import pytest
from scipy.io import savemat

from limner.errors import LimnerError
from limner.evaluate.metrics import niqe as module
from limner.evaluate.metrics.niqe import fit, load_model, natural_faces, niqe, save_model

from .faces import FLOATS, GREY, RISING, face


def windows() -> list[np.ndarray]:
    return [np.ascontiguousarray(face(192)[y : y + 128, x : x + 128]) for y in (0, 64) for x in (0, 64)]


def test_less_natural_is_higher():
    truth, model = face(192), natural_faces()
    assert niqe(truth, model) == niqe(truth, model) > 0
    for spoil, strengths in RISING:
        figures = [niqe(spoil(truth, strength), model) for strength in (strengths[1], strengths[2])]
        assert niqe(truth, model) < figures[0] < figures[1]


def test_our_own_fit_is_small_and_says_what_it_is():
    model = natural_faces()
    assert (model.name, model.patch) == ("own fit on faces, 32-px patches", 32)
    assert np.linalg.eigvalsh(model.covariance).min() > 0


def test_a_fit_of_the_picture_itself_is_nearest():
    truth = face(192)
    model = fit([truth] * 6 + windows(), "itself", patch=16)
    noise = np.random.default_rng(0).integers(0, 256, truth.shape, np.uint8)
    assert niqe(truth, model) < 0.4 * niqe(noise, model)


@pytest.mark.parametrize("ending", ["npz", "mat"])
def test_a_published_model_is_read(tmp_path, ending: str):
    model, path = natural_faces(), tmp_path / f"published.{ending}"
    if ending == "npz":
        save_model(model, path)
    else:
        savemat(path, {"mu_prisparam": model.mean[None], "cov_prisparam": model.covariance})
    read = load_model(path)
    assert (read.name, read.patch) == (path.name, 96)
    assert read.mean == pytest.approx(model.mean) and read.covariance == pytest.approx(model.covariance)


def test_files_that_hold_no_model_are_told(tmp_path, monkeypatch):
    model = natural_faces()
    for name, arrays, message in (
        (
            "short",
            {"mu_prisparam": model.mean},
            r"short.npz holds no model of NIQE: it should have mu_prisparam",
        ),
        ("small", {"mu_prisparam": np.ones(35), "cov_prisparam": model.covariance}, r"36 and 36 x 36 numbers\."),
        ("text", {"mu_prisparam": np.array(["a"] * 36), "cov_prisparam": model.covariance}, r"holds no model"),
        ("nan", {"mu_prisparam": model.mean * np.nan, "cov_prisparam": model.covariance}, r"no finite number: get a"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(LimnerError, match=message):
            load_model(tmp_path / f"{name}.npz")
    for ending in ("npz", "mat"):
        with pytest.raises(LimnerError, match=rf"Can't read the model of NIQE .*nothing.{ending}: "):
            load_model(tmp_path / f"nothing.{ending}")
        (tmp_path / f"broken.{ending}").write_bytes(b"PK\3\4 and no more of it")
        with pytest.raises(LimnerError, match=rf"broken.{ending} is damaged or no .{ending} file"):
            load_model(tmp_path / f"broken.{ending}")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(LimnerError, match=r"needs scipy: install it with `pip install 'limner\[measure\]'`\."):
        load_model(tmp_path / "model.mat")


def test_pictures_that_cannot_be_measured_are_told():
    model = natural_faces()
    for wrong in (GREY, FLOATS):
        with pytest.raises(LimnerError, match=r"takes pictures of H x W x 3 uint8 in RGB"):
            niqe(wrong, model)
    with pytest.raises(LimnerError, match=r"at least 64 px a side, not of 63 x 63 px"):
        niqe(face(63), model)
    with pytest.raises(LimnerError, match=r"The picture is flat"):
        niqe(np.full((96, 96, 3), 80, np.uint8), model)
    with pytest.raises(LimnerError, match=r"can't be fitted on \d+ sharp patches: give more pictures\."):
        fit([face(64)], "few")


def test_the_command_fits_faces(shared, tmp_path, monkeypatch, capsys):
    out = tmp_path / "fit.npz"
    words = ["niqe", "--data", str(shared / "faces"), "-o", str(out), "--limit", "12"]
    monkeypatch.setattr(sys, "argv", words)
    module.main()
    assert capsys.readouterr().out == f"Fitted on 12 faces: {out}\n"
    assert load_model(out, 32).mean == pytest.approx(natural_faces().mean, abs=0.5)
