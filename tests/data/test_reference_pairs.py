import cv2
import numpy as np
import pytest
import torch

from limner.data.augment import Augmentation
from limner.data.faces import FaceSet
from limner.data.reference_pairs import ReferencePairs

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def faces(tmp_path):
    """Two photographs of one person, one of each of three others; every file one colour."""
    files, people = [], ["a", "a", "b", "c", "d"]
    for number, person in enumerate(people):
        files.append(f"{person}{number}.png")
        cv2.imwrite(str(tmp_path / files[-1]), np.full((32, 32, 3), (40 * number, 80, 120), np.uint8))
    return FaceSet(tmp_path, files, people, np.zeros((5, 5, 2), np.float32))


def stream(faces, **changes):
    settings = {"most": 3, "fewest": 1, "group": 4} | changes
    return ReferencePairs(faces, 32, 0, {"ffhq-ref-moderate": 1}, STILL, **settings)


def blue(picture):
    return round(picture[2].mean().item() * 255 / 40)


def test_references_are_the_persons_other_photographs_or_else_its_own(faces):
    pairs = stream(faces)
    for n in range(40):
        sample = pairs[n]
        number = blue(sample["image"])
        wanted = {0: 1, 1: 0}.get(number, number)
        assert {blue(one) for one in sample["references"][sample["present"]]} == {wanted}
        assert sample["references"][~sample["present"]].abs().sum() == 0


def test_their_number_varies_between_groups_and_not_within(faces):
    pairs = stream(faces)
    counts = [int(pairs[n]["present"].sum()) for n in range(80)]
    assert set(counts) == {1, 2, 3}
    assert all(len(set(counts[start : start + 4])) == 1 for start in range(0, 80, 4))


@pytest.mark.slow
def test_people_with_several_photographs_come_as_often_as_asked(faces):
    def share(known):
        return np.mean([blue(stream(faces, known=known)[n]["image"]) < 2 for n in range(300)])

    assert share(None) == pytest.approx(0.4, abs=0.01)
    assert share(0.9) == pytest.approx(0.94, abs=0.05)


def test_a_sample_depends_on_its_number_alone(faces):
    forward = [stream(faces)[n] for n in range(4)]
    for n in reversed(range(4)):
        again = stream(faces)[n]
        assert all(torch.equal(again[key], forward[n][key]) for key in again)


def test_grey_truths_have_references_in_grey_and_in_colour(faces):
    pairs = stream(faces, grey=1.0)
    coloured = [bool((pairs[n]["references"][0, 0] != pairs[n]["references"][0, 2]).any()) for n in range(40)]
    assert 5 < sum(coloured) < 35
