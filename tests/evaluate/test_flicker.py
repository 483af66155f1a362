"""Flicker and nearness to the truth, by what they are of clips of which they are known."""

import numpy as np
from skimage.data import astronaut

from limner.evaluate.flicker import FACE, frames_in, measured
from limner.evaluate.made_clip import made_clip, write_made_clip
from limner.faces.align import crop, similarity

from ..own_faces import POINTS

CLIP = made_clip([crop(astronaut(), similarity(POINTS, 256), 256)], "ffhq-ref-moderate", 6, 200)


def test_the_truth_hardly_flickers_and_is_the_truth():
    truth, damaged = measured(CLIP.truth, CLIP), measured(CLIP.damaged, CLIP)
    assert truth.flicker < 2 and truth.psnr > 60 and truth.identity is None
    assert damaged.flicker > 2 * truth.flicker and damaged.psnr < 40


def test_light_that_flickers_is_measured_as_such():
    lit = [np.clip(one.astype(int) + 20 * (number % 2), 0, 255) for number, one in enumerate(CLIP.truth)]
    assert 16 < measured([one.astype(np.uint8) for one in lit], CLIP).flicker < 22
    assert 0.4 < FACE.mean() < 0.9


def test_some_frames_are_measured_alone():
    last = CLIP.some([3, 4, 5])
    assert measured(CLIP.damaged[3:], last) == measured(last.damaged, last) != measured(CLIP.damaged, CLIP)


def test_frames_come_back_from_a_file(tmp_path):
    write_made_clip(CLIP, tmp_path / "a.mkv")
    for one, other in zip(frames_in(tmp_path / "a.mkv"), CLIP.damaged, strict=True):
        assert np.abs(one.astype(int) - other).mean() < 3
