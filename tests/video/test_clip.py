"""A clip's whole way: steadier than frame by frame, resumed as if nothing had happened, frames of nobody untouched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from limner.errors import LimnerError
from limner.evaluate.flicker import frame_by_frame, frames_in, measured
from limner.evaluate.made_clip import made_clip, write_made_clip
from limner.faces.align import crop, similarity
from limner.restorer import Restorer
from limner.settings import Settings
from limner.video import clip as clips
from limner.video import segments
from limner.video import write as writing
from limner.video.clip import ClipSaving, check_settings, restore_clip
from limner.video.pyav import ClipError
from limner.video.read import Part

from ..own_faces import POINTS
from .clips import facts, frames, write

LOSSLESS = ClipSaving(codec="ffv1")


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(Settings(device="cpu", dtype="fp32", threads=1, finish=0, grain=False, options={"steps": 1}))


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(clips, "FRAMES", 4)
    monkeypatch.setattr(segments, "FRAMES", 4)
    monkeypatch.setattr(writing, "FRAMES", 4)


@pytest.mark.slow
@pytest.mark.parametrize("codec", [None, "ffv1"])
def test_a_clip_without_a_face_passes_bit_for_bit(restorer, tmp_path, codec):
    source = write(tmp_path / "a.mkv", words=True)
    done = restore_clip(restorer, source, tmp_path / "out" / "b.mkv", ClipSaving(codec=codec))
    assert facts(tmp_path / "out" / "b.mkv") == facts(source)
    assert (done.frames, done.tracks, done.made, done.invented) == (10, [], 10, None)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["b.mkv"]


def test_what_makes_no_sense_for_a_clip_is_refused_by_name():
    for wish, name in (
        ({"upscale": 2}, "--upscale is for photos"),
        ({"aligned": True}, "--aligned is for photos"),
        ({"samples": 2}, "--samples is for photos"),
        ({"background": "clean"}, "--background is for photos"),
        ({"strength": 0.5}, "--strength is for photos"),
    ):
        with pytest.raises(LimnerError, match=name):
            check_settings(Settings(**wish))
    check_settings(Settings(faces=[0], grain=False, min_face=20))


def test_the_clip_itself_is_never_the_result(tmp_path):
    source = write(tmp_path / "a.mkv", sound=None)
    restorer = Restorer.__new__(Restorer)
    restorer.settings = Settings()
    with pytest.raises(ClipError, match=r"The result would replace .*a.mkv: give another output."):
        restore_clip(restorer, source, tmp_path / "." / "a.mkv")


def made(folder: Path, count: int = 9, **how):
    face = crop(astronaut(), similarity(POINTS, 256), 256)
    clip = made_clip([face], "ffhq-ref-moderate", count, 160, **how)
    write_made_clip(clip, folder / "made.mkv")
    return clip, folder / "made.mkv"


@pytest.mark.slow
def test_a_face_is_steadier_than_frame_by_frame_and_nearer_to_the_truth(restorer, tmp_path):
    clip, path = made(tmp_path, varying=True)
    done = restore_clip(restorer, path, tmp_path / "b.mkv", LOSSLESS)
    steady, alone = frames_in(tmp_path / "b.mkv"), frame_by_frame(restorer, path)
    ours, theirs, least = (measured(frames, clip) for frames in (steady, alone, clip.truth))
    assert ours.flicker - least.flicker < 0.4 * (theirs.flicker - least.flicker)  # so short a clip, so small a face
    assert ours.psnr >= theirs.psnr
    before, after = facts(path), facts(tmp_path / "b.mkv")
    assert after.times == before.times and after.others == before.others
    assert len(done.restored) == 1 and done.invented is not None and 0 < done.invented < 1
    for one, other in zip(frames_in(path), steady, strict=True):
        assert np.array_equal(one[:6, :6], other[:6, :6]), "beside the face nothing changes"


@pytest.mark.slow
def test_a_run_that_was_interrupted_gives_the_same_file(restorer, tmp_path):
    _, path = made(tmp_path)
    restore_clip(restorer, path, tmp_path / "whole.mp4")

    def interrupted(text, done, total):
        if text == "restoring" and done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_clip(restorer, path, tmp_path / "b.mp4", told=interrupted)
    assert not (tmp_path / "b.mp4").exists()
    done = restore_clip(restorer, path, tmp_path / "b.mp4")
    assert done.made == 5 and done.frames == 9
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.slow
def test_a_cut_begins_a_new_track_and_a_part_is_a_part(restorer, tmp_path):
    face = crop(astronaut(), similarity(POINTS, 256), 256)
    other = np.ascontiguousarray(255 - face[:, :, ::-1] // 2)  # darker places light: the shots differ
    clip = made_clip([face, face], "ffhq-ref-moderate", 8, 160)
    clip.damaged[4:] = [np.clip(one.astype(int) // 2 + 100, 0, 255).astype(np.uint8) for one in clip.damaged[4:]]
    assert other.shape == face.shape
    write_made_clip(clip, tmp_path / "made.mkv")
    done = restore_clip(restorer, tmp_path / "made.mkv", tmp_path / "b.mkv", LOSSLESS)
    assert sorted((one.frames[0], one.frames[-1]) for one in done.tracks) == [(0, 3), (4, 7)]
    part = restore_clip(restorer, tmp_path / "made.mkv", tmp_path / "c.mkv", replace(LOSSLESS, part=Part(0, 0.13)))
    assert part.frames == 4 and len(part.tracks) == 1


def test_nothing_is_made_where_the_sound_has_no_place(tmp_path):
    source = write(tmp_path / "a.mkv", frames(10))
    restorer = Restorer.__new__(Restorer)
    restorer.settings = Settings()
    with pytest.raises(ClipError, match=r"b.webm can't hold the audio"):
        restore_clip(restorer, source, tmp_path / "b.webm", ClipSaving(codec="vp9"))
    assert [one.name for one in tmp_path.iterdir()] == ["a.mkv"]


@pytest.mark.slow
def test_an_error_that_stays_leaves_no_work_behind(restorer, tmp_path):
    source = write(tmp_path / "a.mkv", sound=None)
    with pytest.raises(ClipError, match=r"a.mkv has no frame there: give another --from or --to."):
        restore_clip(restorer, source, tmp_path / "b.mkv", replace(LOSSLESS, part=Part(50)))
    assert [one.name for one in tmp_path.iterdir()] == ["a.mkv"]
