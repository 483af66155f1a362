"""The command line as a user meets it: output, messages, exit codes. Runs `main` in this process."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.errors import LimnerError
from limner.photo.provenance import SOURCE_TYPE, read

from ..methods import tiny

FAST = ["--steps", "2", "--threads", "1"]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "Портрет.png"
    Image.fromarray(astronaut()[:300, 80:380]).save(path)
    return path


@pytest.fixture
def scenery(tmp_path) -> Path:
    """A photo without a face, as JPEG, whose bytes a re-encoding would change."""
    path = tmp_path / "sky.jpg"
    ramp = np.linspace(90, 200, 120).astype(np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (90, 1))] * 3, axis=2)).save(path, quality=71)
    return path


def test_restore_saves_a_restored_photo(run, portrait, tmp_path):
    code, out, err = run("restore", portrait, "-o", tmp_path / "out", *FAST)
    assert code == 0 and out == ""
    assert "1 face restored" in err
    before, after = (np.asarray(Image.open(p)) for p in (portrait, tmp_path / "out" / portrait.name))
    changed = (before != after).any(axis=2)
    assert before.shape == after.shape
    assert 0.05 < changed.mean() < 0.9, "the face should change and the surroundings should not"
    assert not changed[:, :5].any() and not changed[-5:].any()


def test_restore_tells_machines_in_json(run, portrait, tmp_path):
    code, out, _ = run("restore", portrait, "-o", tmp_path, "--seed", 7, "--json", *FAST)
    told = json.loads(out)
    assert code == 0
    assert told["photo"] == str(portrait) and told["output"] == str(tmp_path / portrait.name)
    assert (told["method"], told["weights"], told["seed"]) == ("difface", "mini", 7)
    assert told["seconds"] > 0 and len(told["faces"]) == 1
    face = told["faces"][0]
    assert len(face["box"]) == 4 and np.shape(face["landmarks"]) == (5, 2) and 0 < face["score"] <= 1


@pytest.mark.slow
def test_same_seed_same_file_and_strength_zero_keeps_the_pixels(run, portrait, tmp_path):
    for name, words in {"a": [], "b": [], "c": ["--seed", "9"], "d": ["--strength", "0"]}.items():
        assert run("restore", portrait, "-o", tmp_path / f"{name}.png", *words, *FAST)[0] == 0
    a, b, c, d = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abcd")
    assert (a == b).all() and (a != c).any()
    assert (d == np.asarray(Image.open(portrait))).all()


@pytest.mark.slow
def test_what_was_made_up_is_told_drawn_and_written(run, portrait, tmp_path):
    spoilt = tmp_path / portrait.name
    Image.open(portrait).reduce(4).resize((300, 300)).save(spoilt)
    words = ("restore", spoilt, "-o", tmp_path / "out", "--save-map", tmp_path / "maps", "--no-grain", *FAST)
    code, out, _ = run(*words, "--json")
    told = json.loads(out)
    assert code == 0 and 0 < told["invented"] < 1
    written = read(tmp_path / "out" / spoilt.name)
    assert written is not None and written.invented == told["invented"]
    assert Image.open(tmp_path / "maps" / f"{spoilt.name}_invented.png").size == Image.open(spoilt).size
    _, _, err = run(*words, "--overwrite")
    assert f"{told['invented']:.0%} made up" in err


@pytest.mark.slow
def test_a_clean_background_is_asked_for(run, portrait, tmp_path):
    for background in ("keep", "clean"):
        words = ("restore", portrait, "-o", tmp_path / f"{background}.png", "--background", background)
        assert run(*words, *FAST)[0] == 0
    kept, cleaned = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("keep", "clean"))
    assert (kept[:, :5] == np.asarray(Image.open(portrait))[:, :5]).all() and (cleaned[:, :5] != kept[:, :5]).any()
    wall = tmp_path / "wall.png"
    Image.fromarray(np.random.default_rng(0).integers(118, 138, (80, 100, 3), np.uint8)).save(wall)
    _, _, err = run("restore", wall, "-o", tmp_path / "wall_clean.png", "--background", "clean", *FAST)
    assert f"no face found, so {tmp_path / 'wall_clean.png'} is the photo, cleaned." in err


@pytest.mark.slow
def test_samples_make_numbered_files(run, portrait, tmp_path):
    assert run("restore", portrait, "-o", tmp_path, "--samples", 2, *FAST)[0] == 0
    pictures = [np.asarray(Image.open(tmp_path / f"{portrait.stem}_{i}.png")) for i in (1, 2)]
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.slow
def test_upscale_enlarges_with_the_face_in_its_place(run, portrait, tmp_path):
    assert run("restore", portrait, "-o", tmp_path, "--upscale", 2, "--steps", 0)[0] == 0
    before, after = (np.asarray(Image.open(p)).astype(float) for p in (portrait, tmp_path / portrait.name))
    assert after.shape == (600, 600, 3)
    back = cv2.resize(after, (300, 300), interpolation=cv2.INTER_AREA)
    assert np.abs(back - before).mean() < 12, "the enlarged photo shows something else"
    assert np.abs(back[-40:] - before[-40:]).mean() < 3, "the background is no plain enlargement"


@pytest.mark.slow
def test_provenance_is_written_and_left_out_on_request(run, portrait, tmp_path):
    run("restore", portrait, "-o", tmp_path / "with.png", "--seed", 3, *FAST)
    run("restore", portrait, "-o", tmp_path / "without.png", "--no-provenance", *FAST)
    told = read(tmp_path / "with.png")
    assert told is not None and (told.method, told.weights, told.seed, told.faces) == ("difface", "mini", 3, 1)
    assert SOURCE_TYPE.encode() in (tmp_path / "with.png").read_bytes()
    assert read(tmp_path / "without.png") is None


def test_a_photo_without_a_face_is_copied(run, scenery, tmp_path):
    code, _, err = run("restore", scenery, "-o", tmp_path / "out", *FAST)
    assert code == 0 and "no face found" in err
    assert (tmp_path / "out" / "sky.jpg").read_bytes() == scenery.read_bytes()


@pytest.mark.slow
def test_a_folder_with_a_broken_file_restores_the_rest(run, portrait, scenery, tmp_path):
    album = tmp_path / "album"
    (album / "deep").mkdir(parents=True)
    (album / "deep" / "portrait.png").write_bytes(portrait.read_bytes())
    (album / "sky.jpg").write_bytes(scenery.read_bytes())
    (album / "broken.jpg").write_bytes(scenery.read_bytes()[:400])
    code, _, err = run("restore", album, "-o", tmp_path / "out", *FAST)
    assert code == 1
    assert "1 of 3 photos failed:" in err and "broken.jpg is a damaged or truncated" in err
    assert sorted(p.name for p in (tmp_path / "out").rglob("*.*g")) == ["portrait.png", "sky.jpg"]

    code, out, _ = run("restore", album, "-o", tmp_path / "out", "--json", *FAST)
    told = {Path(one["photo"]).name: one for one in json.loads(out)}
    assert code == 1 and "error" in told["broken.jpg"] and told["portrait.png"]["skipped"]


def test_a_result_that_is_there_is_kept(run, portrait, tmp_path):
    target = tmp_path / portrait.name
    target.write_bytes(b"mine")
    code, _, err = run("restore", portrait, "-o", tmp_path, *FAST)
    assert code == 0 and "is there already and doesn't say how" in err and target.read_bytes() == b"mine"
    run("restore", portrait, "-o", tmp_path, "--overwrite", *FAST)
    assert Image.open(target).size == (300, 300)


def test_aligned_crops_are_restored_whole(run, tmp_path):
    crop = tmp_path / "crop.png"
    small = cv2.resize(astronaut()[20:230, 110:320], (48, 48), interpolation=cv2.INTER_AREA)
    Image.fromarray(cv2.resize(small, (192, 192))).save(crop)
    code, out, _ = run("restore", crop, "-o", tmp_path / "out", "--aligned", "--json", *FAST)
    assert code == 0 and json.loads(out)["faces"][0]["box"] == [0, 0, 192, 192]
    changed = np.asarray(Image.open(crop)) != np.asarray(Image.open(tmp_path / "out" / "crop.png"))
    assert changed.any(axis=2).mean() > 0.8 and changed[:3].any() and changed[-3:].any() and changed[:, :3].any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["restore", "{missing}", "-o", "{out}"], r"There is no file or folder .*gone.jpg: check the path."),
        (["restore", "{empty}", "-o", "{out}"], "is empty"),
        (["restore", "{text}", "-o", "{out}"], "is not a picture|no picture|isn't a picture"),
        (["restore", "{portrait}", "-o", "{out}", "--max-megapixels", "0.01"], "megapixel"),
        (["restore", "{portrait}", "-o", "{out}", "--faces", "7"], "There is no face 7"),
        (
            ["restore", "{portrait}", "-o", "{out}", "--faces", "left"],
            "--faces is 'left': give all, largest, or indices",
        ),
        (
            ["restore", "{portrait}", "-o", "{out}", "--strength", "2"],
            "auto, or 0 to 1 for strength, not 2",
        ),
        (["restore", "{portrait}", "-o", "{out}", "--strength", "much"], "--strength is 'much': give auto, or"),
        (["restore", "{portrait}", "-o", "{out}", "--method", "magic"], "There is no method 'magic': choose one of"),
        (["restore", "{portrait}", "-o", "{out}", "--weights", "official"], "limner weights fetch official/difface"),
        (["restore", "{portrait}", "-o", "{out}", "--weights", "nowhere"], "no difface weights 'nowhere'"),
        (["restore", "{portrait}", "-o", "{out}", "--scheduler", "euler"], "There is no scheduler 'euler'"),
        (["restore", "{portrait}", "-o", "{out}", "--start", "2000"], "difface takes 1 to 999 for start, not 2000."),
        (["restore", "{portrait}", "-o", "{out}", "--eta", "3"], "difface takes 0 to 1 for eta, not 3.0."),
        (
            ["restore", "{portrait}", "-o", "{out}", "--finish", "2"],
            "weights mini have no finish",
        ),
        (
            ["restore", "{portrait}", "-o", "{out}", "--method", "ldbfr", "--finish", "99"],
            "takes 0 to 20 steps, not 99",
        ),
        (["restore", "{portrait}", "-o", "{out}", "--samples", "0"], "limner takes 1 to 64 for samples, not 0."),
        (["restore", "{portrait}", "-o", "{out}", "--upscale", "99"], "limner takes 1 to 8 for upscale, not 99."),
        (["restore", "{portrait}", "-o", "{portrait}", "--overwrite"], "input itself|photo itself"),
        (["restore", "{folder}", "-o", "{out}"], "holds no photograph"),
        (["restore", "{portrait}", "-o", "{out}", "--device", "mps"], "no mps device"),
        (["restore", "{portrait}", "-o", "{out}", "--detector", "yunet"], "face_detection_yunet_2023mar.onnx"),
        (["detect", "{missing}"], "gone.jpg does not exist"),
        (["degrade", "{portrait}", "-o", "{out}/a.png", "--preset", "mild"], "no degradation preset 'mild'"),
        (["degrade", "{portrait}", "-o", "{out}/a.gif"], "can't be written: limner writes"),
        (["weights", "show", "mini/diface-prior"], "did you mean mini/difface-prior"),
        (["train", "magic", "--data", "{folder}", "-o", "{out}"], "There is no recipe 'magic'"),
        (["train", "difface-prior", "--data", "{folder}", "-o", "{out}"], "has no index.csv"),
        (["train", "difface-prior", "--preset", "huge", "--data", "{folder}", "-o", "{out}"], "no preset 'huge'"),
        (["benchmark", "--data", "{folder}"], "has no index.csv"),
        (["benchmark", "--data", "{folder}", "--split", "train"], "no split 'train' to measure"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(run, portrait, tmp_path, monkeypatch, words, message):
    monkeypatch.setenv("LIMNER_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("Dear Anna, here is the photo that you asked for.\n" * 9)
    before = portrait.read_bytes()
    places = {
        "missing": tmp_path / "gone.jpg",
        "empty": tmp_path / "empty.jpg",
        "text": tmp_path / "text.jpg",
        "portrait": portrait,
        "folder": folder,
        "out": tmp_path / "out",
    }
    code, out, err = run(*(word.format(**places) for word in words))
    assert code == 2, err
    assert out == "" and "Traceback" not in err
    assert err.startswith("limner: ") and err.count("\n") == 1, "one sentence, one line"
    assert re.search(message, err), err
    assert portrait.read_bytes() == before
    assert not list((tmp_path / "out").rglob("*.*")) if (tmp_path / "out").exists() else True


def test_debug_shows_the_traceback(run, tmp_path):
    with pytest.raises(LimnerError):
        run("detect", tmp_path / "gone.jpg", "--debug")


@pytest.mark.slow
def test_detect(run, portrait, scenery):
    code, out, _ = run("detect", portrait, "--json")
    told = json.loads(out)
    assert code == 0 and told["photo"] == str(portrait) and len(told["faces"]) == 1
    x0, y0, x1, y1 = told["faces"][0]["box"]
    assert 0 <= x0 < 144 < x1 <= 300 and y0 < 115 < y1
    assert "1.00" in run("detect", portrait)[1] or "0.9" in run("detect", portrait)[1]
    code, out, _ = run("detect", scenery, "--json")
    assert code == 0 and json.loads(out)["faces"] == []


def test_degrade_is_seeded(run, portrait, tmp_path):
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        words = ["--preset", "ffhq-ref-severe", "--seed", seed]
        assert run("degrade", portrait, "-o", tmp_path / f"{name}.png", *words)[0] == 0
    a, b, c = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abc")
    assert (a == b).all() and (a != c).any() and a.shape == (300, 300, 3)


def test_degrade_leaves_a_file_that_is_there(run, portrait, tmp_path):
    there = tmp_path / "mine.png"
    there.write_bytes(b"mine")
    code, _, err = run("degrade", portrait, "-o", there)
    assert code == 2 and "mine.png is there already: --overwrite replaces it" in err and there.read_bytes() == b"mine"
    assert run("degrade", portrait, "-o", there, "--overwrite")[0] == 0 and Image.open(there).size == (300, 300)


def test_methods_and_weights_are_listed(run):
    assert [one["name"] for one in json.loads(run("methods", "--json")[1])] == ["difface", "refldm", "ldbfr", "clrface"]
    assert "DifFace" in run("methods")[1]
    names = [one["name"] for one in json.loads(run("weights", "list", "--json")[1])]
    assert "mini/difface-prior" in names and "official/difface-prior" in names
    shown = run("weights", "show", "mini/difface-prior")[1]
    assert "Apache-2.0" in shown and "sha256" in shown
    assert "NTU S-Lab" in run("weights", "show", "official/difface-prior")[1]


def test_converts_a_published_file(run, shared, tmp_path):
    code, out, _ = run("weights", "convert", shared / "golden/difface/tiny_swinir.safetensors", "-o", tmp_path / "net")
    assert code == 0 and (Path(out.strip()) / "config.json").is_file()


@pytest.mark.slow
def test_benchmark(run, shared):
    words = ["--data", shared / "faces", "--limit", 2, "--preset", "ffhq-ref-severe", "--method", "difface"]
    code, out, _ = run("benchmark", "--protocol", "limner-test", *words, "--json", *FAST)
    told = json.loads(out)
    assert code == 0 and (told["protocol"], told["preset"]) == ("limner-test", "ffhq-ref-severe")
    assert [row["method"] for row in told["rows"]] == ["input", "estimator", "difface"]
    figures = {"psnr", "ssim", "detail", "identity", "rank1", "hog", "hog_rank1", "seconds"}
    assert set(told["rows"][0]) >= {"method"} | figures
    again = json.loads(run("benchmark", *words, "--json", *FAST)[1])
    assert [row["psnr"] for row in again["rows"]] == [row["psnr"] for row in told["rows"]]


@pytest.mark.slow
def test_methods_are_measured_side_by_side(run, shared):
    """The same faces for all; what stands beside two of them is measured once."""
    words = ["--data", shared / "faces", "--limit", 2, "--json", "--threads", 1]
    methods = ["--method", "difface@2", "--method", "refldm@1", "--method", "ldbfr@1", "--method", "ldbfr@3"]
    code, out, _ = run("benchmark", *words, *methods)
    rows = {row["method"]: row for row in json.loads(out)["rows"]}
    beside = ["estimator", "difface@2", "ceiling", "refldm@1", "stage A", "ldbfr@1", "ldbfr@3"]
    assert code == 0 and list(rows) == ["input", *beside]
    assert rows["ldbfr@1"]["psnr"] != rows["ldbfr@3"]["psnr"] != rows["stage A"]["psnr"]
    assert rows["ceiling"]["psnr"] > rows["stage A"]["psnr"]
    code, _, err = run("benchmark", *words, "--method", "ldbfr@x")
    assert code == 2 and "ldbfr@x" in err
    code, _, err = run("benchmark", *words, "--protocol", "references", "--method", "refldm", "--method", "ldbfr")
    assert code == 2 and "one method at a time" in err


@pytest.mark.slow
def test_benchmark_of_references(run, shared):
    words = ["--protocol", "references", "--data", shared / "faces", "--method", "refldm", "--limit", 2, "--steps", 2]
    code, out, _ = run("benchmark", *words, "--split", "held-out", "--json", "--threads", 1)
    told = json.loads(out)
    assert code == 0 and (told["protocol"], told["faces"], told["people"]) == ("references", 2, 1)
    assert [row["measure"] for row in told["rows"]] == ["mini/identity"] * 4 + ["HOG"] * 4
    assert [row["pictures"] for row in told["rows"][4:]] == [
        "input",
        "references: none",
        "references: right",
        "references: wrong",
    ]
    code, _, err = run("benchmark", *words, "--split", "val")
    assert code == 2 and "There is no split 'val' with pairs: choose test, held-out or test+held-out." in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["restore", "--colour", "x"], "No such option: --colour.*[.?] See `limner restore --help`."),
        (["restore", "a.jpg"], "Missing option '--output' / '-o'[.?] See `limner restore --help`."),
        (["detect"], "Missing argument '.*'[.?] See `limner detect --help`."),
        (["nonsense"], "No such command 'nonsense'.*[.?] See `limner --help`."),
        (["weights", "shw"], "No such command 'shw'.*[.?] See `limner weights --help`."),
        (["detect", "a.jpg", "--threads", "many"], "Invalid value for '--threads': .* See `limner detect --help`."),
    ],
)
def test_a_line_that_cannot_be_read_gets_one_sentence(run, words, told):
    code, out, err = run(*words)
    assert code == 2 and out == "" and re.fullmatch(f"limner: {told}\n", err), err
    code, out, err = run(*words, "--json")
    assert code == 2 and f"limner: {json.loads(out)['error']}\n" == err


def test_short_options_and_the_shell_s_completion(run, monkeypatch):
    assert run("-V")[1] == run("--version")[1] != ""
    assert run("detect", "-h")[:2] == run("detect", "--help")[:2] and "--save" in run("detect", "-h")[1]
    assert "--install-completion" in run("--help")[1]
    code, _, err = run("weights")
    assert code == 2 and "convert" in err + _
    monkeypatch.setenv("_LIMNER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "limner restore --save")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert run()[1].split() == ["--save-intermediate", "--save-map"]


def test_methods_are_listed_with_when_to_choose_each(run):
    told = json.loads(run("methods", "--json")[1])
    assert all(one["when"] and one["when"].rstrip(".") == one["when"] for one in told)
    assert "other photos of the person" in " ".join(run("methods")[1].split())


def test_help_answers_at_once():
    command = [sys.executable, "-c", "from limner.cli.main import main; main()", "--help"]
    assert "restore" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, limner.cli.main; print([m for m in ('torch', 'cv2', 'diffusers') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ast.literal_eval(loaded) == [], "the command line imports what takes seconds"


@pytest.fixture
def clrface(tmp_path) -> Path:
    tiny.clrface().save_pretrained(tmp_path / "clrface")
    return tmp_path / "clrface"


@pytest.mark.slow
def test_clrface_with_a_reference_and_what_it_makes_on_the_way(run, portrait, tmp_path, clrface):
    words = ["--method", "clrface", "--weights", clrface, "--steps", 3, "--threads", 1, "--seed", 1]
    code, _, err = run("restore", portrait, "-o", tmp_path / "a", *words, "--save-intermediate", tmp_path / "way")
    assert code == 0, err
    names = {f"{portrait.name}_face0_{name}.png" for name in ("recovered", "mask")}
    assert {path.name for path in (tmp_path / "way").iterdir()} == names
    other = tmp_path / "other.png"
    Image.open(portrait).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(other)
    reference = ["--reference", other, "--guidance", 0.5, "--guidance-mask", "one"]
    assert run("restore", portrait, "-o", tmp_path / "b", *words, *reference)[0] == 0
    a, b = (np.asarray(Image.open(tmp_path / folder / portrait.name)) for folder in "ab")
    assert a.shape == b.shape and (a != b).any()
    code, _, err = run("restore", portrait, "-o", tmp_path / "c", "--method", "difface", "--guidance-mask", "one")
    assert code == 2 and "The method 'difface' has no option 'mask'" in err


@pytest.mark.slow
def test_the_guidance_is_swept(run, shared, tmp_path, clrface):
    words = ["--protocol", "guidance", "--data", shared / "faces", "--method", "clrface", "--weights", clrface]
    words += ["--steps", 2, "--limit", 1, "--threads", 1, "--plot", tmp_path / "curves.png"]
    code, out, err = run("benchmark", *words, "--json")
    assert code == 0, err
    points = json.loads(out)["points"]
    assert [point["curve"] for point in points[:2]] == ["mask 0", "learned mask"]
    assert len(points) == 10 and points[0]["judge"] is None
    assert (tmp_path / "curves.png").stat().st_size > 1000
