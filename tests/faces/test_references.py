from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner.data.faces import FaceSet
from limner.degrade.degrade import degrade
from limner.errors import LimnerError, PhotoError
from limner.faces.references import Reference, References, least_alike, reference_files, resemblance
from limner.nets.identity import IdentityNet
from limner.photo.photo import Photo
from limner.settings import Settings
from limner.weights import load_identity

SIZE = 64


def read_references(sources, size: int, max_megapixels: float = 100.0, **settings) -> list[Reference]:
    wish = Settings(method="refldm", references=sources, **settings)
    return list(References.read(wish, size, torch.device("cpu"), max_megapixels).known)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:300, 80:380])


@pytest.fixture(scope="module")
def true_crop(portrait, tmp_path_factory) -> np.ndarray:
    return read_references([saved(portrait, tmp_path_factory.mktemp("true") / "a.png")], SIZE)[0].crop


def saved(pixels: np.ndarray, path: Path, **save) -> Path:
    Image.fromarray(pixels).save(path, **save)
    return path


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def test_the_face_is_found_and_aligned(true_crop):
    assert true_crop.shape == (SIZE, SIZE, 3) and true_crop.dtype == np.uint8
    face = cv2.resize(astronaut()[20:230, 110:320], (SIZE, SIZE))
    assert difference(true_crop, face) < 60, "the crop shows something else than the head"


@pytest.mark.slow
def test_a_folder_stands_for_the_photographs_in_it(portrait, tmp_path, true_crop):
    for name in ("b.png", "a.JPG", ".hidden.png"):
        saved(portrait, tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "deeper").mkdir()
    saved(portrait[::-1], tmp_path / "deeper" / "c.png")
    files = [tmp_path / "a.JPG", tmp_path / "b.png"]
    assert reference_files([tmp_path]) == files
    assert reference_files([tmp_path / "b.png", tmp_path]) == files[::-1], "each once, as first named"
    references = read_references([str(tmp_path)], SIZE)
    assert [Path(one.name).name for one in references] == ["a.JPG", "b.png"]
    assert difference(references[1].crop, true_crop) == 0


def test_an_exif_turn_is_applied(portrait, tmp_path, true_crop):
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the photograph lies at the right of the stored picture
    path = saved(np.rot90(portrait).copy(), tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    assert difference(read_references([path], SIZE)[0].crop, true_crop) < 3


@pytest.mark.slow
def test_grey_and_transparent_photographs(portrait, tmp_path, true_crop):
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    clear = np.dstack([portrait, np.full(portrait.shape[:2], 90, np.uint8)])
    paths = [saved(grey, tmp_path / "grey.png"), saved(clear, tmp_path / "clear.png")]
    one, other = read_references(paths, SIZE)
    assert np.ptp(one.crop.astype(int), axis=2).max() == 0
    assert difference(one.crop, cv2.cvtColor(true_crop, cv2.COLOR_RGB2GRAY)[..., None]) < 8
    assert difference(other.crop, true_crop) == 0


@pytest.mark.slow
def test_among_several_people_the_largest_face_counts(portrait, tmp_path, true_crop):
    canvas = np.full((300, 470, 3), 200, np.uint8)
    canvas[:, :300], canvas[100:250, 310:460] = portrait, cv2.resize(portrait[:, ::-1], (150, 150))
    found = read_references([saved(canvas, tmp_path / "group.png")], SIZE)[0].crop
    assert difference(found, true_crop) < 5 < difference(found, true_crop[:, ::-1])


def test_open_photographs_are_taken_too(portrait, true_crop):
    reference = read_references([Photo(portrait, "PNG")], SIZE)[0]
    assert reference.name == "number 1" and difference(reference.crop, true_crop) == 0


def test_aligned_crops_are_only_resized(portrait, tmp_path):
    path = saved(portrait, tmp_path / "crop.png")
    wall = saved(np.full((90, 90, 3), 120, np.uint8), tmp_path / "wall.png")
    one, other = read_references([path, wall], SIZE, aligned=True)
    assert difference(one.crop, cv2.resize(portrait, (SIZE, SIZE), interpolation=cv2.INTER_AREA)) < 6
    assert (other.crop == 120).all()


@pytest.mark.slow
def test_bad_references_are_named(portrait, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    good = saved(portrait, folder / "good.jpg")
    (folder / "torn.jpg").write_bytes(good.read_bytes()[:2000])
    with pytest.raises(PhotoError, match=r"torn\.jpg is a damaged or truncated"):
        read_references([folder / "torn.jpg"], SIZE)
    wall = saved(np.full((80, 100, 3), 128, np.uint8), tmp_path / "wall.png")
    with pytest.raises(LimnerError, match=r"No face was found in the reference .*wall\.png: give another photograph"):
        read_references([wall, folder / "torn.jpg"], SIZE)
    with pytest.raises(LimnerError, match=r"wall\.png is 100 x 80 pixels, so it is no aligned crop: give square"):
        read_references([wall], SIZE, aligned=True)
    with pytest.raises(LimnerError, match=r"There is no reference .*gone\.jpg: check the path"):
        read_references([tmp_path / "gone.jpg"], SIZE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LimnerError, match=r"The folder of references .*empty holds no photograph"):
        read_references([tmp_path / "empty"], SIZE)
    with pytest.raises(PhotoError, match="megapixel"):
        read_references([good], SIZE, max_megapixels=0.01)


@pytest.mark.slow
def test_one_that_cannot_be_used_is_left_out(portrait, tmp_path, monkeypatch):
    good = saved(portrait, tmp_path / "1.jpg")
    saved(np.full((80, 100, 3), 128, np.uint8), tmp_path / "2_garden.png")
    (tmp_path / "3_torn.jpg").write_bytes(good.read_bytes()[:2000])
    read = References.read(Settings(method="refldm", references=[tmp_path]), SIZE, torch.device("cpu"))
    assert [Path(one.name).name for one in read.known] == ["1.jpg"]
    assert ["2_garden.png" in read.notes[0], "3_torn.jpg" in read.notes[1], len(read.notes)] == [True, True, 2]
    monkeypatch.setattr(Photo, "open", lambda path, limit: (_ for _ in ()).throw(MemoryError("so large")))
    with pytest.raises(PhotoError, match=r"1\.jpg can't be used: unexpected MemoryError: so large"):
        read_references([good], SIZE)


def test_resemblance_is_highest_for_the_same_picture():
    torch.manual_seed(0)
    net = IdentityNet(
        sample_size=56, layers=(1, 1), widths=(8, 8), stem_width=8, patch_size=2, embedding=16, head="depthwise"
    ).eval()
    draw = np.random.default_rng(0)
    faces = [draw.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(4)]
    noisy = np.clip(faces[2] + draw.normal(0, 5, faces[2].shape), 0, 255).astype(np.uint8)
    scores = resemblance(net, [noisy, faces[2]], faces)
    assert scores.shape == (4,) and scores.argmax() == 2 and scores[2] > 0.99 and (scores <= 1.0001).all()


def test_the_embedded_recogniser_finds_the_person_by_another_photograph(collection):
    """People whom no training saw: one photograph of each spoiled, the other one a reference."""
    held_out = FaceSet.open(collection / "faces", "held-out")
    files: dict[str, list[str]] = {}
    for file, person in zip(held_out.files, held_out.people, strict=True):
        files.setdefault(person, []).append(file)
    few = [pair[:2] for pair in files.values() if len(pair) > 1][:6]

    def opened(name: str) -> np.ndarray:
        picture = Image.open(collection / "faces" / name).convert("RGB")
        return np.asarray(picture.resize((256, 256), Image.Resampling.BOX))

    spoiled = [degrade(opened(one), "ffhq-ref-moderate", np.random.default_rng(0)) for one, _ in few]
    net = load_identity("mini")
    assert [int(resemblance(net, [opened(other)], spoiled).argmax()) for _, other in few] == list(range(len(few)))


def test_a_face_that_shows_detail_must_resemble_its_references_more(portrait, monkeypatch):
    face = cv2.resize(portrait[60:190, 65:195], (SIZE * 4, SIZE * 4), interpolation=cv2.INTER_CUBIC)
    lost = cv2.GaussianBlur(face, (0, 0), 8)
    assert (least_alike(face), least_alike(lost)) == (0.45, 0.25)
    known = References([Reference("someone.jpg", face)], torch.device("cpu"))
    for score, told, told_of_lost in ((0.2, 1, 1), (0.35, 1, 0), (0.5, 0, 0)):
        scores = np.array([score])
        monkeypatch.setattr("limner.faces.references.resemblance", lambda *_, scores=scores: scores)
        assert (len(known.strangers(face)), len(known.strangers(lost))) == (told, told_of_lost)
