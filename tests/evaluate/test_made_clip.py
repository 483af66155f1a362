"""The made clip: its face is where its path says, and its times and sound are what they should be."""

import numpy as np
import pytest
from skimage.data import astronaut

from limner.evaluate.made_clip import CROP, made_clip, write_made_clip
from limner.faces.align import crop, similarity, transform
from limner.template import template
from limner.video.read import clip_info, frames_of

from ..own_faces import POINTS

FACE = crop(astronaut(), similarity(POINTS, 256), 256)


def test_the_face_moves_on_the_path():
    clip = made_clip([FACE], "ffhq-ref-moderate", 12, 200)
    for frame, matrix in zip(clip.truth, clip.matrices, strict=True):
        laid = crop(frame, matrix, CROP).astype(int)
        assert np.abs(laid - FACE)[40:-40, 40:-40].mean() < 5
    eyes = [transform(template(CROP)[:1], np.linalg.inv(np.vstack([m, [0, 0, 1]]))[:2])[0] for m in clip.matrices]
    assert np.ptp(eyes, axis=0).min() > 3


def test_every_frame_is_damaged_anew_but_the_clear_ones():
    clip = made_clip([FACE], "ffhq-ref-moderate", 6, 128, clear=[2])
    assert np.array_equal(clip.damaged[2], clip.truth[2])
    apart = [np.abs(a.astype(int) - b).mean() for a, b in zip(clip.truth, clip.damaged, strict=True)]
    assert len({round(one, 3) for one in apart}) == 6 and sorted(apart)[1] > 1


@pytest.mark.parametrize("varying", [False, True])
def test_it_is_written_whole(tmp_path, varying):
    clip = made_clip([FACE, FACE[:, ::-1]], "ffhq-ref-moderate", 6, 128, varying=varying)
    write_made_clip(clip, tmp_path / "a.mkv")
    info = clip_info(tmp_path / "a.mkv")
    times = [float(frame.pts * info.time_base) for frame in frames_of(info)]
    assert times == pytest.approx([time / 12_000 for time in clip.times], abs=6e-4)
    steps = np.diff(clip.times)
    assert set(steps.tolist()) == ({500, 1000} if varying else {500})
