"""Windows of restorations and of photographs twice as large: they show the same place, and shares are whole."""

import cv2
import numpy as np
import pytest
from torch import nn

from limner.data import large_restorations
from limner.data.faces import FaceSet
from limner.data.large_restorations import LargeRestorations
from limner.data.restorations import Restorations, Restored
from limner.pixels import to_picture


def test_the_windows_show_the_same_place():
    small = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    faces = FaceSet(__file__, [], [], np.zeros((0, 5, 2)))
    pool = Restorations(faces, nn.Identity(), 1, 64, 0, made={0: Restored(large, large, large, small)})
    stream, seen = LargeRestorations(pool, 16), set()
    for n in range(20):
        sample = stream[n]
        restored, photo, image = (to_picture(sample[name]) for name in ("restored", "photo", "image"))
        assert restored.shape == (16, 16, 3) and photo.shape == (32, 32, 3)
        assert (photo == image).all() and (photo[::2, ::2] == restored).all()
        for mirror in (1, -1):
            found = cv2.matchTemplate(small, restored[:, ::mirror].copy(), cv2.TM_SQDIFF)
            if found.min() < 1:
                seen.add((mirror, int(found.argmin())))
    assert {mirror for mirror, _ in seen} == {1, -1} and len(seen) > 10
    assert (to_picture(stream[7]["restored"]) == to_picture(LargeRestorations(pool, 16)[7]["restored"])).all()


def test_shares_are_whole_and_frames_twice_as_large():
    for shares in (large_restorations.SHOWN, large_restorations.DAMAGE, large_restorations.WAYS):
        assert sum(shares.values()) == pytest.approx(1)
    assert min(large_restorations.SHOWN) >= large_restorations.SIDE
