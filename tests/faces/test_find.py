"""Faces are found, told apart, and chosen."""

import copy
import csv
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from skimage.data import coffee

from limner import Photo
from limner.data.faces import MESH_POINTS, FaceSet
from limner.errors import LimnerError, PhotoError
from limner.evaluate.canvases import on_canvas
from limner.faces import align, find, proposals
from limner.faces.align import transform
from limner.faces.find import Face, choose_faces, find_faces, look_closely, merge, smallest_found, upright_frames
from limner.nets.alignnet import upright_points

OLD = """
    000380 000875 001268 001386 001658 001752 003640 004226 004414 004567 004868 005730 007079 007406 007636 009273
    009443 009933 010383
"""


def read(path: Path) -> np.ndarray:
    data = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert data is not None
    return cv2.cvtColor(data, cv2.COLOR_BGR2RGB)


def five(x: float, y: float, eyes: float) -> np.ndarray:
    """The template's five points about (x, y)."""
    points = upright_points(eyes / 0.3125)
    return points - points.mean(0) + (x, y)


def face(size: float, score: float) -> Face:
    return Face((0, 0, size, size), five(size / 2, size / 2, size / 2.4).astype(np.float32), score)


# Choosing


def test_choose():
    faces = [face(200, 0.99), face(100, 0.7), face(40, 0.95)]
    assert choose_faces(faces) == faces
    assert choose_faces(faces, "largest") == faces[:1]
    assert choose_faces(faces[::-1], "largest") == faces[:1]
    assert choose_faces(faces, [2, 0]) == [faces[2], faces[0]]
    assert choose_faces(faces, min_size=60) == faces[:2]
    assert choose_faces(faces, min_score=0.9) == [faces[0], faces[2]]
    assert choose_faces(faces, "largest", min_score=0.995) == []
    assert choose_faces(faces, [1], min_size=150) == []
    assert choose_faces([], "all") == choose_faces([], "largest") == []


def test_choose_what_is_not_there():
    faces = [face(200, 0.9)] * 3
    with pytest.raises(LimnerError, match=r"^There is no face 4: the photo has 3 \(0 to 2\)\.$"):
        choose_faces(faces, [0, 4])
    with pytest.raises(LimnerError, match=r"^There is no face -1: the photo has 3 \(0 to 2\)\.$"):
        choose_faces(faces, [-1])
    with pytest.raises(LimnerError, match=r"^There is no face 0: the photo has none\.$"):
        choose_faces([], [0])
    with pytest.raises(LimnerError, match="'biggest' is no choice of faces"):
        choose_faces(faces, "biggest")  # type: ignore[arg-type]


# Merging


def test_merge_keeps_the_best_of_each_face():
    points = np.stack([five(100, 100, 40), five(104, 98, 42), five(300, 100, 40), five(101, 101, 39)])
    assert merge(points, np.array([0.8, 0.9, 0.7, 0.6]), 0.5) == [1, 2]
    assert merge(points, np.array([0.8, 0.9, 0.7, 0.6]), 0.75) == [1]
    assert merge(np.empty((0, 5, 2)), np.empty(0), 0.5) == []


def test_an_eye_taken_for_a_face_is_merged_with_its_face():
    points = np.stack([five(100, 100, 60), five(85, 85, 8)])
    assert merge(points, np.array([0.9, 0.8]), 0.5) == [0]


def test_neighbours_in_a_crowd_stay_apart():
    points = np.stack([five(100, 100, 20), five(145, 110, 20), five(120, 60, 18)])
    assert len(merge(points, np.array([0.9, 0.8, 0.7]), 0.5)) == 3


# The finder


@pytest.mark.parametrize("shape", [(200, 300), (1, 1), (7, 900), (64, 64)])
@pytest.mark.slow
def test_a_blank_picture_has_no_face(shape):
    assert find_faces(np.full((*shape, 3), 128, np.uint8)) == []


@pytest.mark.slow
def test_noise_has_no_face():
    rng = np.random.default_rng(0)
    assert find_faces(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)) == []


@pytest.fixture(scope="module")
def crops(shared) -> FaceSet:
    return FaceSet.open(shared / "faces", "test", points=MESH_POINTS)


@pytest.mark.parametrize("angle", [0, 30, -45, 90, 180])
@pytest.mark.slow
def test_a_turned_face_is_found_with_the_right_points(crops, angle):
    picture, truth = crops.image(0, 512), crops.landmarks(0, 512)
    turn = cv2.getRotationMatrix2D((255.5, 255.5), angle, 1)
    turned = cv2.warpAffine(picture, turn, (512, 512), borderValue=(128, 128, 128))
    found = find_faces(turned)
    assert len(found) == 1
    distance = np.linalg.norm(found[0].landmarks - transform(truth, turn), axis=1)
    assert distance.mean() < 0.04 * np.linalg.norm(truth[1] - truth[0])
    assert found[0].landmarks.dtype == np.float32 and 0.5 < found[0].score <= 1
    x0, y0, x1, y1 = found[0].box
    assert x1 - x0 == pytest.approx(y1 - y0) == pytest.approx(found[0].size)
    assert ((found[0].landmarks > (x0, y0)) & (found[0].landmarks < (x1, y1))).all()


@pytest.mark.slow
def test_a_face_of_32_pixels_in_a_large_photo(crops):
    photo = np.full((900, 1400, 3), 90, np.uint8)
    small = cv2.resize(crops.image(1, 512), (54, 54), interpolation=cv2.INTER_AREA)  # the face is 0.59 of a crop
    photo[600:654, 1000:1054] = small
    found = find_faces(photo)
    assert len(found) == 1 and 25 < found[0].size < 40
    np.testing.assert_allclose(found[0].landmarks, crops.landmarks(1, 54) + np.array([1000, 600]), atol=2)


@pytest.mark.slow
def test_points_of_a_large_photo_are_exact_at_its_full_size(crops):
    photo = cv2.resize(crops.image(0, 512), (2600, 2600), interpolation=cv2.INTER_CUBIC)
    (found,) = find_faces(photo)
    truth = (crops.landmarks(0, 512) + 0.5) * (2600 / 512) - 0.5
    assert np.linalg.norm(found.landmarks - truth, axis=1).mean() < 0.03 * np.linalg.norm(truth[1] - truth[0])


def test_a_tight_and_very_blurred_face_is_found(crops):
    tight = cv2.GaussianBlur(crops.image(2, 512)[90:480, 60:450], (0, 0), 12)
    assert len(find_faces(tight)) == 1


def test_both_nets_judge(crops, monkeypatch):
    picture = crops.image(0, 512)
    assert len(find_faces(picture)) == 1
    doubts = copy.deepcopy(find.load_alignnet())
    with torch.no_grad():
        cast(torch.nn.Linear, doubts.judge[-1]).bias.sub_(60)
    monkeypatch.setattr(find, "load_alignnet", lambda: doubts)
    assert find_faces(picture) == []
    monkeypatch.undo()
    silent = copy.deepcopy(find.load_proposal_net())
    with torch.no_grad():
        cast(torch.nn.Conv2d, silent.answer[-1]).bias[:1].sub_(60)
    monkeypatch.setattr(find, "load_proposal_net", lambda: silent)
    assert find_faces(picture) == []


@pytest.mark.parametrize("wrong", [90, 180, 270])
def test_a_proposal_that_mistakes_the_turn_is_looked_at_turned(crops, wrong):
    picture, points = crops.image(0, 512), crops.landmarks(0, 512).astype(float)
    centre = find._box(points)[0]
    mistaken = transform(points, cv2.getRotationMatrix2D(centre.tolist(), wrong, 1))
    found = proposals.Proposals(np.array([0.9]), mistaken[None], np.array([find._box(points)[1]]), np.zeros(1, int))
    scores, seen = find._look_turned(find.load_alignnet(), align.Pyramid(picture), found)
    assert scores[0] > 0.9
    assert np.linalg.norm(seen[0] - points, axis=1).mean() < 0.08 * np.linalg.norm(points[1] - points[0])


def test_small_faces_are_looked_at_less_often(crops, monkeypatch):
    looks = []
    look = find.look
    monkeypatch.setattr(
        find, "look", lambda net, picture, frames: looks.append(len(frames)) or look(net, picture, frames)
    )
    frames = upright_frames(np.stack([crops.landmarks(0, side).astype(float) for side in (512, 512, 60)]))
    scores, points = find.look_steadily(find.load_alignnet(), crops.image(0, 512), frames)
    assert looks == [2 * 2 * len(find.ZOOMS), 2] and scores.shape == (3,) and points.shape == (3, 5, 2)
    np.testing.assert_allclose(points[0], points[1], atol=0.5)


@pytest.mark.slow
def test_all_faces_of_solvay_and_nothing_else(collection):
    with (Path(__file__).parent / "solvay_points.csv").open(encoding="utf-8", newline="") as table:
        truth = np.array([[float(v) for v in row.values()] for row in csv.DictReader(table)])
    assert len(truth) == 29
    found = find_faces(read(collection / "photos" / "solvay_conference_1927_rgba.png"))
    between = np.array([f.landmarks[:2].mean(0) for f in found])
    distances = np.linalg.norm(truth[:, None] - between[None], axis=-1)
    assert (distances < 6).any(1).all()  # the eyes are about 19 px apart
    assert len(found) == 29
    assert [f.size for f in found] == sorted((f.size for f in found), reverse=True)


@pytest.mark.parametrize("number", OLD.split())
@pytest.mark.slow
def test_an_old_portrait_has_one_face(collection, number):
    (found,) = find_faces(read(collection / "photos" / f"old_{number}.jpg"))
    assert found.size >= 40


@pytest.mark.slow
def test_refining_is_stable(crops):
    """Looking again from the found points changes next to nothing."""
    picture = crops.image(3, 512)
    (found,) = find_faces(picture)
    (again,) = look_closely(find.load_alignnet(), picture, upright_frames(found.landmarks[None].astype(float)))
    eyes = np.linalg.norm(found.landmarks[1] - found.landmarks[0])
    assert np.abs(again.landmarks - found.landmarks).max() < 0.05 * eyes


# Other detectors, and what can go wrong


def test_unknown_detector():
    with pytest.raises(LimnerError, match="no detector 'mtcnn': choose one of limner, yunet"):
        find_faces(np.zeros((9, 9, 3), np.uint8), "mtcnn")


def test_whatever_holds_a_photo(monkeypatch, tmp_path):
    seen = list[np.ndarray]()
    monkeypatch.setattr(find, "_find_with_nets", lambda rgb: seen.append(rgb) or [])
    picture = skimage.data.astronaut()[:60, :50]
    (image := Image.fromarray(picture)).save(tmp_path / "old.png")
    for photo in (picture, image, Photo.of(picture), tmp_path / "old.png", str(tmp_path / "old.png")):
        assert find_faces(photo) == [] and np.array_equal(seen[-1], picture)
    for photo in (tmp_path / "nowhere.jpg", picture.astype(np.float32), None):
        with pytest.raises(PhotoError):
            find_faces(photo)  # type: ignore[arg-type]


# Large and wide photographs, one tint, nobody


@pytest.fixture(scope="module")
def row_of_faces(crops) -> np.ndarray:
    """A scan of 12,000 x 1,200 px with 24 faces of 110 px."""
    strip = np.full((1200, 12000, 3), 128, np.uint8)
    for place in range(24):
        x = 500 * place + 150
        strip[500:700, x : x + 200] = cv2.resize(crops.image(place, 512), (200, 200), interpolation=cv2.INTER_AREA)
    return strip


@pytest.mark.slow
def test_small_faces_of_a_wide_scan_and_a_tall_one(row_of_faces):
    assert len(find_faces(row_of_faces)) == 24
    lower = row_of_faces[400:800].reshape(400, 24, 500, 3).transpose(1, 0, 2, 3).reshape(9600, 500, 3)
    assert len(find_faces(np.ascontiguousarray(lower))) == 24


@pytest.mark.slow
def test_one_small_face_in_a_hundred_megapixels(crops):
    photo = np.full((10_000, 10_000, 3), 128, np.uint8)
    photo[6000:6271, 7000:7271] = cv2.resize(crops.image(0, 512), (271, 271), interpolation=cv2.INTER_AREA)
    (found,) = find_faces(photo)
    assert 140 < found.size < 180 and found.size > smallest_found(10_000, 10_000)


def test_the_smallest_faces_that_are_searched_for():
    assert smallest_found(800, 600) == 20
    assert smallest_found(12_000, 1_200) == pytest.approx(smallest_found(1_200, 12_000)) == pytest.approx(52.2, abs=0.1)
    assert smallest_found(10_000, 10_000) == pytest.approx(137.5, abs=0.1)


@pytest.mark.slow
def test_a_large_photo_is_shrunk_before_it_is_searched(monkeypatch):
    """A photo of 24 megapixels once took half a minute, nearly all of it in copies of windows at its full size."""
    copied = []
    cut = align._mirrored_part

    def counted(image, x0, y0, x1, y1):
        copied.append((x1 - x0) * (y1 - y0))
        return cut(image, x0, y0, x1, y1)

    monkeypatch.setattr(align, "_mirrored_part", counted)
    assert find_faces(cv2.resize(coffee(), (6000, 4000))) == []
    assert max(copied, default=0) < (6 * 96) ** 2


@pytest.mark.slow
def test_faces_of_24_pixels_in_a_crowd(crops):
    """Three among larger ones, before a photograph."""
    photo = cv2.resize(coffee(), (900, 600))
    truth = []
    for place, side in enumerate((24, 24, 24, 60, 80, 110, 50)):
        crop = round(side / 0.59)
        x, y = 30 + 120 * place, 60 + 300 * (place % 2)
        photo[y : y + crop, x : x + crop] = cv2.resize(
            crops.image(20 * place, 256), (crop, crop), interpolation=cv2.INTER_AREA
        )
        truth.append(crops.landmarks(20 * place, crop).mean(0) + np.array([x, y]))
    found = np.stack([face.landmarks.mean(0) for face in find_faces(photo)])
    away = np.linalg.norm(np.stack(truth)[:, None] - found, axis=-1)
    assert len(found) == 7 and away.min(1).max() < 8


@pytest.mark.slow
def test_two_hundred_faces_in_one_photo(crops):
    tiles = [crops.image(n % len(crops), 90) for n in range(200)]
    photo = np.vstack([np.hstack(tiles[row : row + 20]) for row in range(0, 200, 20)])
    centres = np.stack([face.landmarks.mean(0) for face in find_faces(photo)])
    assert len({(int(x) // 90, int(y) // 90) for x, y in centres}) >= 198 and len(centres) <= 201


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cat", "coins", "clock"])
def test_animals_coins_and_clocks_are_no_faces(name):
    picture = getattr(skimage.data, name)()
    assert find_faces(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB) if picture.ndim == 2 else picture) == []


@pytest.mark.slow
def test_a_blue_print_shows_its_faces_as_the_grey_one_does(crops):
    for number in range(2):
        picture = cv2.copyMakeBorder(crops.image(number, 300), *[100] * 4, cv2.BORDER_REFLECT_101)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        share = grey[..., None] / np.float32(255)
        blue = np.rint((0, 10, 60) + (60, 110, 160) * share).astype(np.uint8)
        (expected,), (found,) = find_faces(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)), find_faces(blue)
        assert abs(found.score - expected.score) < 0.02
        assert np.abs(found.landmarks - expected.landmarks).max() < 0.06 * expected.size


@pytest.mark.slow
@pytest.mark.parametrize("part", ["Ethnicitytop10004", "Ethnicitytop10005", "Lightingtop10013"])
def test_an_earring_a_sign_and_an_ear_are_no_faces(crops, part):
    """Of 50 to 100 px, and with scores that are enough for a large face."""
    (index,) = (place for place, file in enumerate(crops.files) if part in str(file))
    picture, _ = on_canvas(crops.image(index, 512), crops.landmarks(index, 512), 0)
    assert len(find_faces(picture)) == 1


@pytest.mark.slow
def test_a_second_copy_makes_surer(crops, monkeypatch):
    (seen,) = find_faces(crops.image(0, 512))
    monkeypatch.setattr(proposals.Proposals, "seconded", lambda every, found, least: np.full(len(found.scores), least))
    (once,) = find_faces(crops.image(0, 512))
    assert once.score < seen.score
