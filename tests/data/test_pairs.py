"""Streams of clean faces and of degraded ones beside them."""

import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.data.pairs import Faces, RestorationPairs, fixed_pairs, named_generator
from limner.degrade.degrade import apply, draw


@pytest.fixture(scope="module")
def splits(shared):
    return {name: FaceSet.open(shared / "faces", name) for name in ("val", "test")}


def test_samples_depend_on_seed_and_number_alone(splits):
    def pairs(seed):
        return RestorationPairs(splits["val"].first(6), 64, seed, {"ffhq-ref-severe": 1}, grey=0.3)

    first, again, other = pairs(0), pairs(0), pairs(1)
    again[3]
    for n in (0, 7, 100):
        assert all((first[n][key] == again[n][key]).all() for key in ("lq", "image"))
    assert any((first[n]["lq"] != other[n]["lq"]).any() for n in range(6))
    epoch = [Faces(splits["val"].first(6), 64, 0, flip=False)[n]["image"] for n in range(6)]
    assert len({float(image.sum()) for image in epoch}) == 6, "an epoch shows every face once"


def test_grey_faces_are_grey_in_input_and_target(splits):
    sample = RestorationPairs(splits["val"].first(2), 64, 0, {"gfpgan": 1}, grey=1)[0]
    assert (sample["image"][0] == sample["image"][1]).all()
    assert (sample["lq"][0] - sample["lq"][2]).abs().mean() < 0.1


def test_fixed_pairs_do_not_depend_on_the_other_faces(splits):
    one, all_three = (fixed_pairs(splits["test"].first(n), 64, "ffhq-ref-severe") for n in (1, 3))
    np.testing.assert_array_equal(one[0][0], all_three[0][0])
    assert (all_three[0][0] != all_three[0][1]).any()


def test_half_of_the_faces_are_mirrored(splits):
    faces = splits["val"].first(4)
    stream = Faces(faces, 64, 0)
    plain = {file: faces.image(index, 64) for index, file in enumerate(faces.files)}
    mirrored = 0
    for n in range(60):
        picture, place, _ = stream.picture(n)
        kept = (picture == plain[faces.files[place]]).all()
        assert kept or (picture[:, ::-1] == plain[faces.files[place]]).all()
        mirrored += not kept
    assert 18 < mirrored < 42


def test_presets_come_as_often_as_asked(splits, monkeypatch):
    drawn = []
    monkeypatch.setattr("limner.data.pairs.draw", lambda preset, *rest: drawn.append(preset) or draw(preset, *rest))
    stream = RestorationPairs(splits["val"].first(2), 32, 0, {"gfpgan": 3, "ffhq-ref-severe": 1})
    for n in range(120):
        stream[n]
    assert 75 < drawn.count("gfpgan") < 105 and len(drawn) == 120


def test_a_fixed_pair_belongs_to_its_file_and_preset(splits):
    faces = splits["test"].first(2)
    for index, (lq, clean) in enumerate(fixed_pairs(faces, 64, "gfpgan")):
        degradation = draw("gfpgan", named_generator(faces.files[index], "gfpgan"), 64, 64)
        np.testing.assert_array_equal(lq, apply(clean, degradation))
    assert named_generator("a.jpg", "gfpgan").random() != named_generator("a.jpg", "refldm").random()
    assert named_generator("a.jpg", "gfpgan").random() != named_generator("b.jpg", "gfpgan").random()
