"""The mask is that of what can be seen, to the pixel, and the same in every run."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner.degrade.damage import KINDS, damaged, draw_layers, seen
from limner.degrade.damage_layer import Layer, grey
from limner.degrade.scan_wear import File, Grain, Scan

GREY = np.full((80, 80, 3), 120, np.uint8)


def bar(value: float, opacity: float = 1.0, counts: bool = True) -> Layer:
    cover = np.zeros((80, 80), np.float32)
    cover[30:36] = opacity
    return Layer(cover, grey(value), counts=counts)


def test_the_mask_is_the_mark():
    case = damaged(GREY, [bar(1.0)], Scan())
    assert case.truth[30:36].all() and not case.truth[:29].any() and not case.truth[37:].any()
    assert case.picture[32, 5].tolist() == [255] * 3 and case.picture[10, 5].tolist() == [120] * 3
    assert not (case.truth & case.doubtful).any()


def test_what_cannot_be_seen_is_doubtful():
    case = damaged(GREY, [bar(120 / 255)], Scan())  # as grey as the print
    assert not case.truth.any() and case.doubtful[30:36].all() and not case.doubtful[:28].any()
    faint = damaged(GREY, [bar(1.0, 0.06)], Scan())  # eight grey levels
    assert not faint.truth.any() and faint.doubtful.any()
    noisy = damaged(GREY, [bar(1.0, 0.2)], Scan(grains=(Grain(25.0, 0.0, 0.0, False, 3),)))
    assert damaged(GREY, [bar(1.0, 0.2)], Scan()).truth[31:35].all() and noisy.truth[31:35].mean() < 0.5


def test_shading_is_no_damage():
    case = damaged(GREY, [bar(0.0, 0.5, counts=False)], Scan())
    assert case.picture[32, 5, 0] == 60 and not case.truth.any() and not case.doubtful.any()


def test_a_file_spreads_nothing():
    """The ringing that a JPEG leaves around a mark is no part of it."""
    case = damaged(GREY, [bar(1.0)], Scan(files=(File(15, True, (3, 1)),)))
    assert case.truth[31:35].mean() > 0.9 and not case.truth[:28].any() and not case.truth[38:].any()


def test_a_scan_without_colour_has_none():
    picture = astronaut()[:80, 100:180]
    rng = np.random.default_rng(0)
    case = damaged(picture, draw_layers(80, 80, rng, ["stains"]), Scan(), grey_scan=True)
    assert np.ptp(case.picture.astype(int), axis=2).max() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_seen_somewhere_and_is_the_same_again(kind):
    picture = cv2.resize(astronaut()[:256, 100:356], (128, 128), interpolation=cv2.INTER_AREA)
    shares = []
    for seed in range(10):
        cases = [damaged(picture, draw_layers(128, 128, np.random.default_rng(seed), [kind]), Scan()) for _ in "ab"]
        np.testing.assert_array_equal(cases[0].picture, cases[1].picture)
        np.testing.assert_array_equal(cases[0].truth, cases[1].truth)
        shares.append(cases[0].truth.mean())
    assert np.mean(shares) > 0.001 and np.median(shares) < 0.5


def test_kinds_are_drawn_as_often_as_they_say():
    assert sum(share for _, share in KINDS.values()) == pytest.approx(1, abs=0.05)
    counts = [len(draw_layers(48, 48, np.random.default_rng(seed))) for seed in range(60)]
    assert min(counts) == 1 and max(counts) >= 4


def test_a_difference_counts_by_the_texture_around_it():
    rng = np.random.default_rng(0)
    coarse = np.clip(120 + 40 * rng.standard_normal((80, 80, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    for bare, sees in ((GREY, True), (coarse, False)):
        changed = bare.copy()
        changed[40:44, 40:44] = np.clip(changed[40:44, 40:44].astype(int) + 30, 0, 255)
        assert seen(changed, bare)[41:43, 41:43].all() == sees
        assert not seen(bare, bare).any()
