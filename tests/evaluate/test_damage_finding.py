"""The figures of finding damage, on nets that know and nets that guess."""

import sys

import cv2
import numpy as np
import pytest
import torch

from limner.data.faces import FaceSet
from limner.degrade.damage import Damaged
from limner.errors import LimnerError
from limner.evaluate import damage_finding
from limner.evaluate.damage_finding import Counts, around_eyes, counted, found, spared, with_damage


def case_of(truth: np.ndarray, doubtful: np.ndarray | None = None) -> Damaged:
    picture = np.repeat(truth[..., None], 3, 2).astype(np.uint8) * 255
    return Damaged(picture, truth, np.zeros_like(truth) if doubtful is None else doubtful)


class Bright(torch.nn.Module):
    """Takes what is bright for damage."""

    device = torch.device("cpu")

    def __init__(self, above: float = 0.5):
        super().__init__()
        self.above = above

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return 40 * (pictures.mean(1) - self.above)


def test_pixels_are_counted():
    truth, doubt = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    truth[4], doubt[10] = True, True
    chance = np.zeros((20, 20), np.float32)
    chance[4, :15], chance[5, :5], chance[10] = 0.6, 0.6, 1.0
    counts = counted(chance, case_of(truth, doubt), 0.5)
    assert counts == Counts(20, 20, 15) and counts.precision == counts.recall == 0.75
    assert counted(chance, case_of(truth, doubt), 0.3).marked == 0
    assert (counts + counts).recall == 0.75 and Counts().precision == Counts().recall == 1


def test_a_net_that_knows_has_both():
    truth = np.zeros((40, 40), bool)
    truth[10:14] = True
    cases = [case_of(truth)] * 2
    assert found(Bright(), cases, [0.5, 0.5]) == [Counts(320, 320, 320)] * 2
    assert found(Bright(2.0), cases, [0.5])[0].recall == 0


def test_clean_faces_and_their_eyes(tmp_path):
    points = np.array([[[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]]], np.float32).repeat(2, 0)
    for name, place in (("a.png", (35, 40)), ("b.png", (80, 90))):
        picture = np.zeros((100, 100, 3), np.uint8)
        cv2.circle(picture, place, 2, (255,) * 3, -1)
        cv2.imwrite(str(tmp_path / name), picture)
    faces = FaceSet(tmp_path, ["a.png", "b.png"], ["a", "b"], points, [100, 100])
    (clean,) = spared(Bright(), faces, [0.5])
    assert clean.eyes == 1 and 0.001 < clean.share <= clean.worst < 0.01
    assert spared(Bright(2.0), faces, [0.5]) == [damage_finding.Spared(0.0, 0, 0.0)]
    eyes = around_eyes(faces.landmarks(0, 100), 100)
    assert eyes[40, 35] and eyes[40, 65] and not eyes[40, 50] and eyes.mean() < 0.1


@pytest.mark.slow
def test_the_command_prints_its_figures(collection, monkeypatch, capsys):
    words = ["damage_finding", "--data", str(collection / "faces"), "--count", "3", "--sensitivity", "0.4"]
    monkeypatch.setattr(sys, "argv", words)
    damage_finding.main()
    lines = capsys.readouterr().out.splitlines()
    told = ["sensitivity 0.4", "faces", "photographs without a face", "together", "3 clean faces"]
    assert [line.split(":")[0].strip() for line in lines] == told
    assert all(0 <= float(line.split("recall ")[1]) <= 1 for line in lines[1:4])
    files = FaceSet.open(collection / "faces", "test").first(2)
    once, again = (list(with_damage([files.folder / file for file in files.files], "scratches")) for _ in "ab")
    assert all((a.picture == b.picture).all() for a, b in zip(once, again, strict=True))
    monkeypatch.setattr(sys, "argv", [*words, "--sensitivity", "1.5"])
    with pytest.raises(LimnerError, match="below 1"):
        damage_finding.main()
