"""What the protocol `harm` measures, on pictures whose right values are known."""

import json
import math
from dataclasses import replace
from statistics import NormalDist
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner import LimnerError
from limner.data.faces import FaceSet
from limner.data.pairs import fixed_pairs, named_generator
from limner.degrade.degrade import apply
from limner.evaluate import harm
from limner.evaluate.damages import BLUR, DAMAGES, NOISE, NOTHING, damaged, noisy
from limner.evaluate.harm import SIZES, shown_at
from limner.evaluate.known_degradations import KnownDegradations
from limner.evaluate.metrics.detail import detail_of_top_octaves, octaves
from limner.evaluate.picture_files import picture_of
from limner.evaluate.protocols import Request


@pytest.fixture(scope="module")
def texture():
    """Fine and coarse detail between 65 and 190 grey levels, so that nothing clips."""
    generator = np.random.default_rng(0)
    coarse, fine = (cv2.GaussianBlur(generator.normal(size=(128, 160, 3)), (0, 0), sigma) for sigma in (6, 0.7))
    both = coarse / coarse.std() + fine / fine.std()
    return np.clip(127 + 14 * both, 65, 190).astype(np.uint8)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder with a sharp and a soft face of 512 px, and one that is too small to take part."""
    folder = tmp_path_factory.mktemp("faces")
    sharp = astronaut()[..., ::-1]
    pictures = {"small.png": sharp[::2, ::2], "soft.png": cv2.GaussianBlur(sharp, (0, 0), 3), "sharp.png": sharp}
    points = ",".join(f"x{i},y{i}" for i in range(5))
    index, landmarks = ["file,person_id,split,out_size"], [f"file,{points}"]
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
        index.append(f"{name},{name},test,{len(picture)}")
        landmarks.append(name + ",0" * 10)
    (folder / "index.csv").write_text("\n".join(index))
    (folder / "landmarks.csv").write_text("\n".join(landmarks))
    return folder


class Stub:
    """Stands in for a restorer by any function of pixels."""

    def __init__(self, way):
        self.way = way

    def restore(self, photo):
        return SimpleNamespace(photos=[replace(photo, pixels=self.way(photo.pixels))], seconds=0.5)


def test_the_bands_are_the_finest_of_the_pyramid(texture):
    finest, next_one = octaves(texture[:, :159], 2)
    assert (finest.shape, next_one.shape) == ((128, 159), (64, 80))
    assert finest.dtype == np.float32 and abs(float(finest.mean())) < 0.5
    flat = octaves(np.full((32, 32, 3), 77, np.uint8), 2)
    assert max(np.abs(band).max() for band in flat) < 1e-3


def test_detail_and_true_detail(texture):
    assert detail_of_top_octaves(texture, texture) == pytest.approx((1, 1))
    assert detail_of_top_octaves(255 - texture, texture) == pytest.approx((1, 0), abs=1e-6)  # all of it is false
    halved = np.rint(127 + (texture - 127.0) / 2).astype(np.uint8)
    assert detail_of_top_octaves(halved, texture) == pytest.approx((0.25, 0.25), abs=0.01)
    detail, true = detail_of_top_octaves(noisy(texture, 20, np.random.default_rng(1)), texture)
    assert detail > 2 and true == pytest.approx(1, abs=0.1)
    detail, true = detail_of_top_octaves(cv2.GaussianBlur(texture, (0, 0), 1.5), texture)
    assert true <= detail < 0.4
    other = np.ascontiguousarray(texture[::-1])
    detail, true = detail_of_top_octaves(other, texture)
    assert detail == pytest.approx(1, abs=0.01) and true < 0.05


def test_the_damages(texture):
    for one in damaged(texture, NOTHING, np.random.default_rng(0)):
        np.testing.assert_array_equal(one, texture)
    grey = np.full((256, 256, 3), 128, np.uint8)
    assert (noisy(grey, 5, np.random.default_rng(0)) - 128.0).std((0, 1)) == pytest.approx([5, 5, 5], rel=0.02)
    lq, truth = damaged(grey, NOISE, np.random.default_rng(0))
    assert (truth == grey).all() and 1 < (lq[..., 1] - 128.0).std() < 5  # the JPEG takes part of the noise away
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 255
    lq, truth = damaged(edge, BLUR, np.random.default_rng(0))
    assert (truth == edge).all()
    expected = [255 * NormalDist(sigma=1).cdf(x + 0.5 - 32) for x in range(64)]
    assert np.abs(lq[20, :, 0] - expected).max() < 3
    with pytest.raises(LimnerError, match="There is no degradation preset 'fire'"):
        damaged(edge, "fire", np.random.default_rng(0))


def test_a_preset_spoils_as_it_does_elsewhere(faces):
    (pair,) = fixed_pairs(FaceSet.open(faces, "test").first(1), 256, "old-print")
    clean = shown_at(astronaut()[::2, ::2], 256)
    for mine, theirs in zip(damaged(clean, "old-print", named_generator("small.png", "old-print")), pair, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_a_run(faces):
    told = []
    stubs = {"itself": Stub(lambda rgb: rgb), "soft": Stub(lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 2))}
    report = harm.run(Request(faces, progress=lambda *at: told.append(at)), stubs)
    assert report.facts == {"protocol": "harm", "faces": 2} and told[-1] == (36, 36) and len(told) == 36
    rows = {(row["damage"], row["size"], row["method"]): row for row in report.rows}
    assert len(rows) == len(report.rows) == len(DAMAGES) * len(SIZES) * 3
    for damage in DAMAGES:
        for size in SIZES:
            before, same, soft = (rows[damage, size, method] for method in ("input", "itself", "soft"))
            assert before["gain"] is before["worst"] is before["worst_file"] is None
            assert same["psnr"] == before["psnr"] and same["seconds"] < 0.5
            assert same["identity_least"] == pytest.approx(0) and same["hog_least"] == pytest.approx(0)
            assert soft["detail"] < same["detail"]
            if damage == NOTHING:
                assert before["psnr"] is same["psnr"] is same["worst"] is same["gain"] is soft["gain"] is None
                assert (same["untouched"], soft["untouched"]) == (2, 0)
                assert before["detail"] == before["true_detail"] == pytest.approx(1)
                assert soft["true_detail"] < 0.6
                assert soft["worst_file"] == "sharp.png" and soft["worst"] < soft["psnr"]
                assert soft["identity_least"] < 0 and soft["hog_least"] < 0
            else:
                assert same["gain"] == 0 == same["worst"] and soft["worst"] < soft["gain"]
                assert math.isnan(same["gain_low"]) and math.isnan(same["gain_high"])  # of two faces
    lost = rows[BLUR, 256, "soft"]  # the soft face, to which the damage itself did next to nothing, has most to lose
    assert lost["gain"] < 0 and lost["worst_file"] == "soft.png"
    assert report.sheet.headings == ["input", "itself", "soft", "truth"] and report.sheet.most == 18
    assert [len(pictures) for pictures in report.sheet.pictures] == [4] * 18
    assert {picture.shape for pictures in report.sheet.pictures for picture in pictures} == {(256, 256, 3)}
    packages = ("perceptual", "dlib")  # shown where they are installed
    assert [heading for heading in report.headings() if heading not in packages] == [
        *("damage", "px", "method", "PSNR dB", "same", "gain", "worst", "of", "SSIM", "detail", "true detail"),
        *("identity", "least", "HOG", "least", "s a face"),
    ]
    assert report.cells()[0][:5] == ["nothing", "256", "input", "-", "2"]


def test_a_killed_run_goes_on_and_leaves_inputs_and_truths_for_others(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(harm, "SIZES", (64,))
    monkeypatch.setattr(harm, "DAMAGES", (NOTHING, "ffhq-ref-severe"))
    restored = []

    def soft(rgb):
        restored.append(rgb)
        if len(restored) == 4:
            raise KeyboardInterrupt
        return cv2.GaussianBlur(rgb, (0, 0), 2)

    with pytest.raises(KeyboardInterrupt):
        harm.run(Request(faces, output=tmp_path), {"soft": Stub(soft)})
    done = len(restored)
    report = harm.run(Request(faces, output=tmp_path), {"soft": Stub(soft)})
    assert len(restored) == done + 3, "a warm-up, and both faces of the second cell"
    whole = harm.run(Request(faces), {"soft": Stub(lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 2))})
    mine, theirs = ([{**row, "seconds": 0} for row in one.as_json()["rows"]] for one in (report, whole))
    assert mine == theirs
    cell = tmp_path / "ffhq-ref-severe-64"
    (lq, truth) = (picture_of(cell / part / "sharp.png") for part in ("input", "truth"))
    known = KnownDegradations.read(str(cell / "degradation.json")).of("sharp", "sharp.png", 64, 64)
    np.testing.assert_array_equal(apply(truth, known), lq)


def test_who_cannot_be_measured(faces, tmp_path):
    with pytest.raises(LimnerError, match="measure at least 1 face"):
        harm.run(Request(faces, limit=0), {})
    for name in ("index.csv", "landmarks.csv"):
        (tmp_path / name).write_text((faces / name).read_text().replace("512", "300"))
    with pytest.raises(LimnerError, match="has no face of 512 px in the split 'test': measure another split."):
        harm.run(Request(tmp_path), {})


@pytest.mark.slow
def test_the_command_line(run, shared, tmp_path, monkeypatch):
    monkeypatch.setattr(harm, "SIZES", (256,))
    words = ["--protocol", "harm", "--data", shared / "faces", "--limit", 1, "--steps", 0, "--threads", 1]
    code, out, err = run("benchmark", *words, "--sheet", tmp_path / "sheet.png", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["protocol"], told["faces"]) == ("harm", 1)
    assert [row["method"] for row in told["rows"]] == ["input", "difface"] * 6
    assert told["rows"][0]["psnr"] is None and told["rows"][0]["untouched"] == 1
    assert (tmp_path / "sheet.png").stat().st_size > 1000
