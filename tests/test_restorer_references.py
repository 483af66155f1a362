"""The whole way with references, from a saved pipeline of tiny untrained nets: who gets them, and what is told."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

import limner.faces.placing
from limner import LimnerError, Photo, Restorer, Settings, restore, weights
from limner.album.index import Indexer
from limner.album.people import forget_person, name_faces, name_person
from limner.album.store import Album
from limner.errors import PhotoError
from limner.faces.find import find_faces
from limner.faces.placing import FoundFaces
from limner.faces.recogniser import Recogniser
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import refldm_schedule
from limner.nets.identity import IdentityNet
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.photo.provenance import read


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A saved ReF-LDM for crops of 32 px."""
    torch.manual_seed(0)
    vqgan = VQGAN(32, 4, 64, 8, multipliers=(1, 2), depth=1, middle=False, groups=4, patch_size=2)
    torch.nn.init.normal_(vqgan.codebook.weight)
    unet = UNet(8, 8, 4, 16, (1, 2), (1, 1), attention_levels=(0, 1), head_channels=16, scale_shift=False, groups=8)
    for net in (vqgan, unet):
        for parameter in net.parameters():  # ends of branches start at zero and would hide what lies inside them
            if parameter.abs().max() < 1e-3:
                torch.nn.init.normal_(parameter, std=0.1)
    path = tmp_path_factory.mktemp("refldm")
    RefLDMPipeline(vqgan, unet, refldm_schedule("sample")).save_pretrained(path)
    return path


@pytest.fixture(scope="module", autouse=True)
def found_once():
    """Finding faces is what takes time here, and the same few pictures are searched again and again."""
    known: dict[bytes, list] = {}

    def remembered(rgb, *args):
        key = rgb.tobytes()
        if key not in known:
            known[key] = find_faces(rgb, *args)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limner.faces.placing, "find_faces", remembered)
        yield


@pytest.fixture(scope="module")
def plain(folder) -> Settings:
    # joined, nothing would be left of what random nets make
    return Settings(method="refldm", weights=str(folder), options={"steps": 2}, threads=1, dtype="fp32", strength=1.0)


@pytest.fixture
def recogniser(monkeypatch) -> IdentityNet:
    """An untrained identity net: the very same face is still the most alike."""
    torch.manual_seed(0)
    net = IdentityNet(56, (1, 1), (8, 8), stem_width=8, patch_size=2, embedding=16, head="depthwise").eval()
    monkeypatch.setattr(weights, "load_identity", lambda source="mini": net)
    return net


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:300, 80:380])


@pytest.fixture(scope="module")
def someone(collection) -> np.ndarray:
    """Another person's photograph, 300 px."""
    face = np.asarray(Image.open(collection / "faces/london_001_1.jpg").convert("RGB"))
    return cv2.resize(face, (300, 300), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def files(portrait, tmp_path_factory) -> list[Path]:
    """Two photographs of the astronaut."""
    place = tmp_path_factory.mktemp("references")
    warmer = np.clip(portrait * np.array([1.05, 1.0, 0.9]), 0, 255).astype(np.uint8)
    paths = [place / "one.png", place / "two.png"]
    for path, pixels in zip(paths, (portrait, warmer), strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def group(large: np.ndarray, small: np.ndarray) -> Photo:
    """Two people side by side."""
    canvas = np.full((300, 420, 3), 210, np.uint8)
    canvas[:, :300], canvas[:120, 300:] = large, cv2.resize(small, (120, 120), interpolation=cv2.INTER_AREA)
    return Photo(canvas, "PNG")


def face_of(done, number: int) -> np.ndarray:
    x0, y0, x1, y1 = (round(v) for v in done.faces[number].box)
    return done.photos[0].pixels[max(y0, 0) : y1, x0:x1].astype(int)


@pytest.mark.slow
def test_references_change_the_face_and_nothing_else(plain, portrait, files):
    photo = Photo(portrait, "PNG")
    without = Restorer(plain).restore(photo)
    restorer = Restorer(replace(plain, references=files))
    done = restorer.restore(photo)
    assert (without.referenced, done.referenced) == (None, 0)
    assert np.abs(face_of(done, 0) - face_of(without, 0)).mean() > 0.5
    assert (done.photos[0].pixels[-20:] == portrait[-20:]).all()
    assert "There are no references, so the method 'refldm' restored from the photo alone" in without.notes[-1]
    assert not [note for note in done.notes if "references" in note]
    assert done.provenance.references == 2 and without.provenance.references == 0
    again = Restorer(replace(plain, references=files)).restore(photo)
    np.testing.assert_array_equal(again.photos[0].pixels, done.photos[0].pixels)
    np.testing.assert_array_equal(restorer.restore(photo).photos[0].pixels, done.photos[0].pixels)


def test_the_order_of_references_does_not_matter(plain, portrait, files):
    one, other = (
        Restorer(replace(plain, references=some)).restore(Photo(portrait, "PNG")) for some in (files, files[::-1])
    )
    assert np.abs(face_of(one, 0) - face_of(other, 0)).max() <= 1


def test_a_folder_and_open_photos_are_the_same_as_its_files(plain, portrait, files):
    photo = Photo(portrait, "PNG")
    expected = Restorer(replace(plain, references=files)).restore(photo).photos[0].pixels
    for same in ([files[0].parent], [str(path) for path in files], [Photo.open(path) for path in files]):
        done = Restorer(replace(plain, references=same)).restore(photo)
        np.testing.assert_array_equal(done.photos[0].pixels, expected)


def test_a_photo_is_no_reference_for_itself(plain, files):
    """It may well lie in the folder of references, where it would teach the method its own damage."""
    photo = Photo.open(files[0])
    whole = Restorer(replace(plain, references=[files[0].parent]))
    done = whole.restore(photo)
    expected = Restorer(replace(plain, references=files[1:])).restore(photo)
    np.testing.assert_array_equal(done.photos[0].pixels, expected.photos[0].pixels)
    assert done.provenance is not None and done.provenance.references == len(files) - 1
    assert "The photo was left out of its own references" in done.notes[-1]
    alone = Restorer(replace(plain, references=files[:1])).restore(photo)
    assert alone.referenced is None and "There are no references" in alone.notes[-1]


@pytest.mark.slow
def test_in_a_group_they_go_to_whom_they_resemble(plain, portrait, someone, files, recogniser):
    for place, people in enumerate([(portrait, someone), (someone, portrait)]):
        photo = group(*people)
        without = Restorer(plain).restore(photo)
        done = Restorer(replace(plain, references=files[:1])).restore(photo)
        assert len(done.faces) == 2 and done.referenced == place
        changed = [np.abs(face_of(done, i) - face_of(without, i)).mean() for i in range(2)]
        assert changed[place] > 0.5 and changed[1 - place] < 0.05
        assert f"The references went to face {place} (0 is the largest), which resembles them most" in done.notes[-1]


@pytest.mark.slow
def test_the_chosen_face_gets_them_whoever_it_resembles(plain, portrait, someone, files):
    """Without a recogniser: a single chosen face needs no comparison."""
    photo = group(portrait, someone)
    done = Restorer(replace(plain, references=files, faces=[1])).restore(photo)
    assert len(done.faces) == 1 and done.referenced == 0
    assert len([note for note in done.notes if "hardly resembles" in note]) == len(files), "whoever, but it is told"
    without = Restorer(replace(plain, faces=[1])).restore(photo)
    assert np.abs(face_of(done, 0) - face_of(without, 0)).mean() > 0.5


def test_aligned_means_the_references_too(plain, portrait, files):
    crop = Photo(cv2.resize(portrait, (96, 96)), "PNG")
    done = Restorer(replace(plain, references=files, aligned=True)).restore(crop)
    without = Restorer(replace(plain, aligned=True)).restore(crop)
    assert done.referenced == 0 and np.abs(face_of(done, 0) - face_of(without, 0)).mean() > 0.5


def test_a_strangers_reference_is_told_with_the_figure(plain, portrait, someone, tmp_path):
    Image.fromarray(someone).save(tmp_path / "stranger.png")
    done = Restorer(replace(plain, references=[tmp_path / "stranger.png"])).restore(Photo(portrait, "PNG"))
    told = r"stranger\.png hardly resembles the face \(-?0\.[01]\d; photos of one person reach 0\.45\)"
    assert re.search(told, done.notes[-1])
    again = Restorer(replace(plain, references=[Photo(portrait, "PNG")])).restore(Photo(portrait, "PNG"))
    assert not [note for note in again.notes if "reference" in note]


def test_one_that_cannot_be_used_is_left_out_and_told(plain, portrait, files, tmp_path):
    Image.fromarray(np.full((80, 80, 3), 128, np.uint8)).save(tmp_path / "garden.png")
    (tmp_path / "torn.png").write_bytes(files[0].read_bytes()[:2000])
    photo = Photo(portrait, "PNG")
    some = Restorer(replace(plain, references=[tmp_path / "garden.png", *files, tmp_path / "torn.png"])).restore(photo)
    garden, torn = [note for note in some.notes if note.startswith("A reference was left out: ")]
    assert "garden.png: give another" in garden and "torn.png is a damaged" in torn
    expected = Restorer(replace(plain, references=files)).restore(photo)
    np.testing.assert_array_equal(some.photos[0].pixels, expected.photos[0].pixels)


def test_references_are_read_once_for_many_photos(plain, portrait, files, monkeypatch):
    passes = []
    original = UNet.read_references
    monkeypatch.setattr(UNet, "read_references", lambda *args: passes.append(len(args[1])) or original(*args))
    restorer = Restorer(replace(plain, references=files))
    for _ in range(2):
        restorer.restore(Photo(portrait, "PNG"))
    assert len(passes) == 2, "the references and the zero, for both photos"


def test_no_face_no_references(plain, files):
    done = Restorer(replace(plain, references=files)).restore(Photo(np.full((80, 90, 3), 99, np.uint8), "PNG"))
    assert done.faces == [] and done.referenced is None and done.notes == []


def test_a_file_tells_of_its_references(plain, portrait, files, tmp_path):
    Image.fromarray(portrait).save(tmp_path / "a.png")
    restore(tmp_path / "a.png", tmp_path / "b.png", replace(plain, references=files))
    told = read(tmp_path / "b.png")
    assert told is not None and (told.method, told.references) == ("refldm", 2)
    restorer = Restorer(replace(plain, references=files))
    assert told == restorer.provenance(tmp_path / "a.png", 1, told.invented), "what it takes to make it again"
    others = Restorer(replace(plain, references=files[::-1]))
    assert told != others.provenance(tmp_path / "a.png", 1, told.invented)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "difface"},
            "The method 'difface' can't use references: choose refldm or clrface, or leave them out",
        ),
        (
            {"options": {"start": 100}},
            "The method 'refldm' has no option 'start': it takes steps, eta",
        ),
        (
            {"method": "difface", "references": (), "weights": "mini", "options": {"guidance": 2.0}},
            "'difface' has no option",
        ),
        ({"references": "one.png"}, r"The references must be a list, also where there is one: \[reference\]"),
        ({"references": ["gone.png"]}, "There is no reference gone.png: check the path"),
        ({"weights": "nowhere"}, "There are no refldm weights 'nowhere': give mini, official, or a folder"),
    ],
)
def test_messages(plain, files, settings, message):
    with pytest.raises(LimnerError, match=message):
        Restorer(replace(plain, **({"references": files} | settings)))


def test_larger_references_than_allowed_are_refused(plain, files):
    with pytest.raises(PhotoError, match="megapixel"):
        Restorer(replace(plain, references=files), max_megapixels=0.01)


def test_the_command_line(run, folder, portrait, files, tmp_path):
    album = tmp_path / "album"
    album.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(portrait).save(album / name)
    words = ["--method", "refldm", "--weights", folder, "--steps", 2, "--threads", 1]
    given = ["--reference", files[0], "--reference", files[1]]
    code, out, err = run("restore", album, "-o", tmp_path / "out", *words, *given, "--guidance", 2, "--json")
    told = json.loads(out)
    assert code == 0, err
    assert [(one["referenced"], one["method"]) for one in told] == [(0, "refldm")] * 2
    assert "references" not in str([one["notes"] for one in told])
    code, _, err = run("restore", album / "a.png", "-o", tmp_path / "plain.png", *words)
    assert code == 0 and "There are no references" in err
    pixels = [np.asarray(Image.open(tmp_path / name)) for name in ("out/a.png", "out/b.png", "plain.png")]
    assert (pixels[0] != pixels[2]).any() and np.abs(pixels[0].astype(int) - pixels[1]).max() == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--method", "difface", "--reference", "{good}"],
            "The method 'difface' can't use references: choose refldm or clrface",
        ),
        (
            ["--method", "refldm", "--weights", "{folder}", "--reference", "{torn}"],
            "torn.jpg is a damaged or truncated",
        ),
        (["--method", "refldm", "--weights", "{folder}", "--reference", "{wall}"], "No face .* reference .*wall.png"),
        (
            ["--method", "refldm", "--weights", "{folder}", "--guidance", "-1"],
            "takes 0 to 20 for guidance, not -1.0",
        ),
        (["--method", "refldm", "--weights", "{folder}", "--start", "9"], "'refldm' has no option 'start'"),
    ],
)
def test_bad_references_get_one_sentence_and_exit_code_2(run, folder, portrait, files, tmp_path, words, message):
    Image.fromarray(portrait).save(tmp_path / "torn.jpg")
    (tmp_path / "torn.jpg").write_bytes((tmp_path / "torn.jpg").read_bytes()[:2000])
    Image.fromarray(np.full((80, 80, 3), 128, np.uint8)).save(tmp_path / "wall.png")
    places = {
        "good": files[0],
        "torn": tmp_path / "torn.jpg",
        "wall": tmp_path / "wall.png",
        "folder": folder,
    }
    code, out, err = run("restore", files[1], "-o", tmp_path / "out", *(word.format(**places) for word in words))
    assert code == 2 and out == "" and err.startswith("limner: ") and err.count("\n") == 1, err
    assert re.search(message, err), err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def album(tmp_path, monkeypatch, portrait, someone):
    """An album that knows the astronaut, by two photographs, and somebody else."""
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "album.sqlite"))
    place = tmp_path / "photos"
    place.mkdir()
    Image.fromarray(portrait[:, ::-1]).save(place / "astronaut.png")
    Image.fromarray(np.rint(portrait[:, ::-1] * 0.8 + 20).astype(np.uint8)).save(place / "dark.png")
    Image.fromarray(someone).save(place / "someone.png")
    with Album(create=True) as opened:
        indexer = Indexer(opened, Recogniser(), FoundFaces("limner", None))
        assert indexer.run(sorted(place.iterdir()), [place]).faces == 3
        for face in opened.faces():
            name = opened.photo(face.photo).path.stem.replace("dark", "astronaut")
            name_faces(opened, [face.id], name)
    return place


@pytest.mark.slow
def test_an_album_gives_each_face_its_own_persons_references(plain, portrait, someone, album):
    photo = group(portrait, someone)
    done = Restorer(replace(plain, album=True)).restore(photo)
    assert [one.person for one in done.people] == ["astronaut", "someone"], done.notes
    given = [{Path(path).stem for path, _ in one.references} for one in done.people]
    assert given[0] and given[0] <= {"astronaut", "dark"} and done.provenance is not None
    assert done.provenance.references == sum(len(one.references) for one in done.people)
    without = Restorer(plain).restore(photo)
    assert np.abs(face_of(done, 0) - face_of(without, 0)).mean() > 0.5 and done.referenced is None


@pytest.mark.slow
def test_a_stranger_among_the_albums_is_restored_without_and_told(plain, someone, album):
    (album / "someone.png").unlink()
    with Album() as opened:
        forget_person(opened, "someone")
    done = Restorer(replace(plain, album=True)).restore(Photo(someone, "PNG"))
    assert done.people[0].person is None and done.provenance is not None and done.provenance.references == 0
    assert any("nobody whom the album knows" in note for note in done.notes)
    expected = Restorer(plain).restore(Photo(someone, "PNG"))
    np.testing.assert_array_equal(done.photos[0].pixels, expected.photos[0].pixels)


@pytest.mark.slow
def test_a_result_with_the_albums_references_stays_until_the_album_changes(run, folder, portrait, album, tmp_path):
    photo = tmp_path / "a.png"
    Image.fromarray(portrait).save(photo)
    words = ["restore", photo, "-o", tmp_path / "out", "--method", "refldm", "--weights", folder, "--steps", 2]
    words += ["--threads", 1, "--album", "--json"]
    first = json.loads(run(*words)[1])
    assert first["people"][0]["person"] == "astronaut" and not first["skipped"]
    assert first["people"][0]["references"][0]["why"].startswith("damage ")
    assert json.loads(run(*words)[1])["skipped"]
    with Album() as opened:
        name_person(opened, "astronaut", "Eileen")
    assert not json.loads(run(*words)[1])["skipped"]


@pytest.mark.slow
def test_the_samples_most_like_the_person_are_kept(plain, portrait, files, run, folder, tmp_path):
    settings = replace(plain, references=files, samples=4)
    every = Restorer(settings).restore(Photo(portrait, "PNG"))
    restorer = Restorer(replace(settings, keep=2))
    kept = restorer.restore(Photo(portrait, "PNG"))
    assert len(kept.photos) == len(kept.crops[0].samples) == 2 and len(every.photos) == 4
    samples = [np.rint(255 * one).astype(np.uint8) for one in every.crops[0].samples]
    likeness = restorer.references.likeness(samples)
    assert kept.crops[0].numbers == np.argsort(-likeness)[:2].tolist()
    for photo, number in zip(kept.photos, kept.crops[0].numbers, strict=True):
        np.testing.assert_array_equal(photo.pixels, every.photos[number].pixels)
    Image.fromarray(portrait).save(tmp_path / "a.png")
    words = ["--method", "refldm", "--weights", folder, "--steps", 1, "--threads", 1, "--reference", files[0]]
    code, _, err = run("restore", tmp_path / "a.png", "-o", tmp_path / "out", *words, "--samples", 3, "--keep", 2)
    assert code == 0 and "Of 3 samples those most like the person were kept" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_1.png", "a_2.png"]
