import csv

import numpy as np
import pytest
from PIL import Image

from limner.data.faces import FaceSet, held_out_people
from limner.errors import LimnerError


@pytest.fixture(scope="module")
def splits(shared):
    return {name: FaceSet.open(shared / "faces", name) for name in ("train", "val", "test", "held-out")}


def test_no_person_is_in_two_splits(splits, shared):
    people = {name: set(faces.people) for name, faces in splits.items()}
    for name, some in people.items():
        for other, others in people.items():
            assert name == other or not some & others, (name, other)
    with (shared / "faces/index.csv").open() as table:
        assert sum(map(len, splits.values())) == sum(1 for _ in csv.DictReader(table))


def test_held_out_people_have_two_photographs_each(splits):
    assert set(splits["held-out"].people) == held_out_people() and len(held_out_people()) == 22
    assert len(splits["held-out"]) == 44


def test_pictures_and_points(splits):
    faces = splits["val"]
    image, points = faces.image(0, 128), faces.landmarks(0, 128)
    assert image.shape == (128, 128, 3) and image.dtype == np.uint8 and points.shape == (5, 2)
    left, right, _, mouth, _ = points
    assert left[0] < right[0] and mouth[1] > left[1] and points.min() > 0 and points.max() < 128
    assert faces.image(0, 128) is image, "decoded twice"
    assert faces.first(3).files == faces.files[:3]
    few = faces.spread(3)
    assert few.files == [faces.files[i] for i in (0, round((len(faces) - 1) / 2), len(faces) - 1)]
    np.testing.assert_array_equal(few.landmarks(2, 64), faces.landmarks(len(faces) - 1, 64))
    assert faces.spread(10_000).files == faces.files


def test_messages(tmp_path):
    with pytest.raises(LimnerError, match=r"has no index.csv: give a folder of aligned faces with both tables"):
        FaceSet.open(tmp_path)
    (tmp_path / "index.csv").write_text("file,person_id,split,out_size\na.jpg,a,train,64\n")
    with pytest.raises(LimnerError, match=r"has no landmarks.csv"):
        FaceSet.open(tmp_path)
    points = ",".join("1" for _ in range(10))
    names = ",".join(f"p{i}" for i in range(10))
    (tmp_path / "landmarks.csv").write_text(f"file,{names},score\na.jpg,{points},1\n")
    with pytest.raises(LimnerError, match="lists no face of the split 'test'"):
        FaceSet.open(tmp_path, "test")
    with pytest.raises(LimnerError, match=r"a.jpg can't be read as a picture"):
        FaceSet.open(tmp_path, "train").image(0, 32)
    Image.new("RGB", (64, 64), (9, 9, 9)).save(tmp_path / "a.jpg")
    assert FaceSet.open(tmp_path, "train").image(0, 32).shape == (32, 32, 3)
