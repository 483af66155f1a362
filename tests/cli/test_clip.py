"""`limner restore` of moving pictures: what is refused, where results go, what is told."""

import json
import re

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data

from limner.cli.clip import ClipsAsked, clip_as_json
from limner.errors import LimnerError
from limner.evaluate.made_clip import made_clip, write_made_clip
from limner.faces.align import crop, similarity
from limner.restorer import Restorer
from limner.video.clip import RestoredClip
from limner.video.tracks import Sighting, Track

from ..own_faces import POINTS
from ..video.clips import facts, write


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "a.mkv")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--compare", "both"], "--compare: for photos alone, so leave it out."),
        (["--mask", "auto-black", "--save-map", "maps"], "--save-map, --mask: for photos alone, so leave it out."),
        (["--upscale", "2"], "--upscale is for photos (frames keep their size): leave it out."),
        (["--from", "3", "--to", "2"], "There is nothing from 3 s to 2 s: give times with --from before --to."),
        (["--preview", "2", "--to", "9"], "--preview says how long the result is, and --to where it ends"),
        (["--quality", "101"], "quality"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_net_is_loaded(run, clip, tmp_path, monkeypatch, words, sentence):
    monkeypatch.setattr(Restorer, "__init__", lambda *_: pytest.fail("the nets were loaded"))
    code, _, err = run("restore", clip, "-o", tmp_path / "out.mkv", *words)
    assert code == 2 and sentence in err and not (tmp_path / "out.mkv").exists()


def test_photos_know_nothing_of_clips_options(run, clip, tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    code, _, err = run("restore", tmp_path / "a.png", "-o", tmp_path / "out", "--codec", "h264", "--from", "2")
    assert code == 2 and "--codec, --from: for moving pictures alone, so leave it out." in err
    code, _, err = run("restore", tmp_path / "a.png", clip, "-o", tmp_path / "out")
    assert code == 2 and "There are photos among the clips: restore them apart" in err


def test_results_go_where_they_are_told(tmp_path):
    def asked(*sources, output):
        return ClipsAsked([tmp_path / one for one in sources], output, "_restored", False, False, False)

    source = tmp_path / "a.mov"
    assert asked("a.mov", output=tmp_path / "b.mp4").target(source) == tmp_path / "b.mp4"
    assert asked("a.mov", output=tmp_path / "out").target(source) == tmp_path / "out" / "a_restored.mov"
    assert asked("a.mov", "b.mov", output=tmp_path / "out").target(source) == tmp_path / "out" / "a_restored.mov"
    with pytest.raises(LimnerError, match=r"b.png is no name for a clip: end it in .mp4, .mkv or .mov, or give a"):
        asked("a.mov", output=tmp_path / "b.png").target(source)


@pytest.mark.slow
def test_a_clip_is_restored_told_and_kept(run, clip, tmp_path):
    words = ["restore", clip, "-o", tmp_path / "out.mkv", "--threads", "1"]
    code, out, _ = run(*words, "--preview", "0.2", "--json")
    told = json.loads(out)
    assert code == 0 and told["frames"] == 4 and told["faces"] == [] and told["frames_a_second"] > 0
    assert facts(tmp_path / "out.mkv").pixels == facts(clip).pixels[:4]
    code, _, err = run(*words)
    assert code == 0 and "out.mkv is there already, so it stays: --overwrite makes it anew." in err
    code, _, err = run(*words, "--overwrite")
    assert code == 0 and "no face found, so all 10 frames are as they were" in err


@pytest.mark.slow
def test_one_clip_s_failure_ends_no_run(run, clip, tmp_path):
    (tmp_path / "b.mkv").write_bytes(b"nothing of the kind")
    code, out, _ = run("restore", tmp_path / "b.mkv", clip, "-o", tmp_path / "out", "--json", "--threads", "1")
    told = json.loads(out)
    assert code == 1 and "can't be read as a moving picture" in told[0]["error"] and told[1]["frames"] == 10


def test_json_tells_of_every_face(tmp_path):
    track = Track(0, [3, 9], [Sighting(np.zeros((5, 2)), 0.9, 80.0)] * 2)
    done = RestoredClip(10, [track, Track(1, [4], track.seen[:1])], [track], 5.0, 10, 0.25, ["a note"])
    told = clip_as_json(tmp_path / "a.mkv", tmp_path / "b.mkv", done)
    assert told["faces"] == [
        {"number": 0, "first": 3, "last": 9, "size": 80.0, "restored": True},
        {"number": 1, "first": 4, "last": 4, "size": 80.0, "restored": False},
    ]
    assert told["frames_a_second"] == 2.0 and told["invented"] == 0.25 and told["notes"] == ["a note"]


def test_two_clips_of_one_name_and_the_output_stream_are_refused(run, tmp_path):
    sources = [tmp_path / name / "film.mkv" for name in ("a", "b")]
    for source in sources:
        source.parent.mkdir()
        source.write_bytes(b"")
    code, _, err = run("restore", *sources, "-o", tmp_path / "out")
    assert code == 2 and f"{sources[0]} and {sources[1]} would both become" in err
    code, _, err = run("restore", sources[0], "-o", "-")
    assert code == 2 and "A clip doesn't go through the output stream" in err


@pytest.fixture
def film(tmp_path):
    """Three frames of the astronaut, and a folder with two photographs of her, mirrored: another exposure."""
    face = crop(data.astronaut(), similarity(POINTS, 256), 256)
    write_made_clip(made_clip([face], "ffhq-ref-moderate", 3, 160), tmp_path / "film.mkv")
    (tmp_path / "photos").mkdir()
    mirrored = Image.fromarray(data.astronaut()[:, ::-1])
    mirrored.save(tmp_path / "photos" / "whole.png")
    mirrored.crop((150, 0, 452, 300)).save(tmp_path / "photos" / "part.png")
    return tmp_path / "film.mkv"


@pytest.mark.slow
@pytest.mark.parametrize("given", ["--album", "--reference"])
def test_an_album_and_references_serve_clips_as_they_serve_photos(run, film, tmp_path, monkeypatch, given):
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "album.sqlite"))
    words = [given] if given == "--album" else [given, tmp_path / "photos"]
    if given == "--album":
        assert run("album", "index", tmp_path / "photos")[0] == 0
    how = ["restore", film, "-o", tmp_path / "out.mkv", "--method", "refldm", "--steps", "1", "--finish", "0", "--json"]
    code, out, _ = run(*how, "--threads", "1", *words)
    told = json.loads(out)
    assert code == 0 and len(told["faces"]) == 1 and told["faces"][0]["restored"]
    if given == "--album":
        assert told["notes"][0].startswith("The face is ") and "; the references are " in told["notes"][0]
    with av.open(str(tmp_path / "out.mkv")) as file:
        count = int(re.search(r"(\d) references", file.metadata["COMMENT"])[1])
    assert count == (1 if given == "--album" else 2)  # an album takes one of two that are copies
