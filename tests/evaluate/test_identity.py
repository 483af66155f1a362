"""Verification: its figures on similarities that are known, its pairs, and the descriptor that nothing trained."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from limner.cli.main import app
from limner.data.faces import FaceSet
from limner.errors import LimnerError
from limner.evaluate import identity
from limner.evaluate.hog import mean_descriptor
from limner.evaluate.identity import Photographs, auc, best_threshold, figures, measure_all, table, verify
from limner.faces.hog import HogIdentity, describe


def _similarities(people: int, same: float, noise: float, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    cosine = rng.normal(0, noise, (2 * people, 2 * people))
    cosine += same * np.kron(np.eye(people), np.ones((2, 2)))
    return torch.from_numpy((cosine + cosine.T) / 2)


def test_a_perfect_measure():
    row = figures(_similarities(8, 10.0, 0.1))
    assert (row.people, row.accuracy, row.auc, row.rank1) == (8, 1.0, 1.0, 1.0)
    assert row.same == pytest.approx(10, abs=0.1) and row.different == pytest.approx(0, abs=0.1)


def test_a_measure_that_knows_nothing():
    rows = [figures(_similarities(30, 0.0, 1.0, seed)) for seed in range(20)]
    assert np.mean([row.auc for row in rows]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([row.accuracy for row in rows]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([row.rank1 for row in rows]) < 0.06


def test_accuracy_lies_between():
    """Two normal distributions 2 deviations apart: the best threshold is right for 84 % of both."""
    rng = np.random.default_rng(0)
    cosine = rng.normal(0, 1, (200, 200)) + 2 * np.kron(np.eye(100), np.ones((2, 2)))
    row = figures(torch.from_numpy(cosine))
    assert row.accuracy == pytest.approx(0.841, abs=0.04)
    assert row.auc == pytest.approx(0.921, abs=0.03)  # Phi(2 / sqrt 2)


def test_the_photograph_itself_is_no_candidate():
    cosine = torch.eye(6) * 9 + torch.block_diag(*[1 - torch.eye(2)] * 3)
    assert figures(cosine).rank1 == 1
    assert figures(cosine).same == 1


def test_a_degraded_probe_is_a_row():
    """Rows and columns are told apart: a probe that is like nothing loses its own row only."""
    cosine = _similarities(4, 5.0, 0.01)
    cosine[0] = torch.linspace(0, -1, 8)
    assert figures(cosine).rank1 == pytest.approx(7 / 8 + (1 / 8))  # its mate still comes first
    cosine[0] = torch.linspace(-1, 0, 8)
    assert figures(cosine).rank1 == 7 / 8


def test_auc_counts_ties_half():
    assert auc(np.array([1.0, 2.0]), np.array([0.0, 1.0])) == (0.75 + 1.0) / 2
    assert auc(np.zeros(3), np.zeros(5)) == 0.5


def test_the_threshold_lies_in_the_middle_of_the_gap():
    assert best_threshold(np.array([0.6, 0.8]), np.array([0.0, 0.2])) == pytest.approx(0.4)
    # Many more different pairs don't outweigh the few alike ones.
    assert best_threshold(np.array([0.5, 0.9]), np.array([0.1, 0.2, 0.3] * 50 + [0.6])) == pytest.approx(0.4)


def _faces(tmp_path, people):
    lines, points = ["file,person_id,split,out_size"], ["file," + ",".join("abcdefghij")]
    import cv2

    for person, count in people.items():
        for number in range(count):
            file = f"{person}_{number}.png"
            rng = np.random.default_rng(list(person.encode()))
            picture = cv2.resize(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), (64, 64))
            cv2.imwrite(str(tmp_path / file), cv2.add(picture, number * 3))
            lines.append(f"{file},{person},test,64")
            points.append(f"{file}," + ",".join(["30"] * 10))
    (tmp_path / "index.csv").write_text("\n".join(lines))
    (tmp_path / "landmarks.csv").write_text("\n".join(points))
    return FaceSet.open(tmp_path, "test")


def test_pairs_are_the_first_two_photographs_of_a_person(tmp_path):
    faces = _faces(tmp_path, {"a": 2, "b": 1, "c": 3, "d": 2})
    photographs = Photographs.of(faces, conditions=(None, "ffhq-ref-moderate"))
    assert photographs.people == ["a", "c", "d"]
    assert photographs.crops[None].shape == (6, 3, 512, 512)
    assert not torch.equal(photographs.crops[None][2], photographs.crops[None][3])
    again = Photographs.of(_faces(tmp_path, {"c": 3, "a": 2, "d": 2}), conditions=("ffhq-ref-moderate",))
    torch.testing.assert_close(
        photographs.crops["ffhq-ref-moderate"][:2], again.crops["ffhq-ref-moderate"][2:4], rtol=0, atol=0
    )
    assert Photographs.of(_faces(tmp_path, {"a": 2, "b": 2, "c": 2, "d": 2}), (None,), ["a", "c", "d"]).people == [
        "a",
        "c",
        "d",
    ]
    with pytest.raises(LimnerError, match="needs at least three people with two photographs"):
        Photographs.of(_faces(tmp_path, {"a": 2, "b": 2, "c": 1}))


def test_the_gallery_is_clean(tmp_path):
    photographs = Photographs.of(_faces(tmp_path, {"a": 2, "b": 2, "c": 2}))

    def measure(crops):
        return torch.nn.functional.normalize(torch.nn.functional.avg_pool2d(crops, 64).flatten(1) - 0.5, dim=1)

    clean, moderate, severe = verify(measure, photographs, "means")
    assert (clean.degraded, moderate.degraded, severe.degraded) == (None, "ffhq-ref-moderate", "ffhq-ref-severe")
    assert clean.rank1 == 1 and clean.same > severe.same > severe.different
    assert "means          ffhq-ref-severe" in table([clean, moderate, severe])


def test_hog_is_called_like_the_net_and_fixed_by_the_face():
    rows = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    crops = torch.nn.functional.interpolate(rows, size=(256, 256), mode="bicubic").clamp(0, 1).expand(-1, 3, -1, -1)
    hog = HogIdentity()
    vectors = hog(crops)
    assert vectors.shape == (3, 4356) and hog.mean.shape == (4356,)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    large = torch.nn.functional.interpolate(crops, size=(512, 512), mode="bilinear")
    alike = vectors @ hog(large).T
    assert alike.diag().min() > 0.9 and (alike - 9 * torch.eye(3)).max() < 0.6
    brighter = (vectors * hog(0.8 * crops + 0.1)).sum(1)
    assert brighter.min() > 0.97
    assert describe(crops[0]).shape == (4356,)


def test_the_mean_descriptor_comes_from_the_training_faces(collection):
    faces = FaceSet.open(collection / "faces", "train")
    every = slice(None, None, 12)
    some = mean_descriptor(FaceSet(faces.folder, faces.files[every], faces.people[every], faces.points[every]))
    assert np.corrcoef(some, HogIdentity().mean)[0, 1] > 0.98
    assert np.abs(some - HogIdentity().mean).max() < 0.1


@pytest.fixture(scope="module")
def rows(collection):
    return measure_all(FaceSet.open(collection / "faces", "test"))


@pytest.mark.slow
def test_both_measures_know_the_test_people(rows):
    for measure in ("mini/identity", "HOG"):
        clean, moderate, _ = (row for row in rows if row.measure == measure)
        assert clean.people == 9
        assert clean.auc > 0.9 and moderate.auc > 0.85
        assert clean.same > clean.different + 2 * clean.different_spread


@pytest.mark.slow
def test_command(collection, rows):
    command = ["benchmark", "--protocol", "verification", "--data", str(collection / "faces"), "--json"]
    told = json.loads(CliRunner().invoke(app, command).stdout)
    measures = [row["measure"] for row in told["rows"]]
    assert measures == [row.measure for row in rows] and measures[:6] == ["mini/identity"] * 3 + ["HOG"] * 3
    assert [row["auc"] for row in told["rows"]] == pytest.approx([row.auc for row in rows])
    result = CliRunner().invoke(app, [*command[:-1], "--split", "val"])
    assert "There is no split 'val' to verify on" in str(result.exception)


def test_dlib_judges_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(identity.dlib, "installed", lambda: None)
    assert list(identity.judges()) == ["mini/identity", "HOG"]
    monkeypatch.setattr(identity.dlib, "installed", lambda: "a file")
    monkeypatch.setattr(identity, "dlib_recogniser", lambda: "the judge")
    assert list(identity.judges()) == ["mini/identity", "HOG", "dlib"] and identity.judges()["dlib"] == "the judge"
