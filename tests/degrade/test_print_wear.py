from dataclasses import replace

import cv2
import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs, fixed_pairs, named_generator
from limner.degrade.degrade import PRESETS, apply, degrade, draw, truth
from limner.degrade.print_wear import Halftone, Mark, Wear, apply_wear, draw_wear, motion_kernel, toned

SIZE = 128


def unworn(size: int = SIZE) -> Wear:
    return Wear(0.0, 0.0, 0.0, None, np.zeros((5, 5)), [], np.zeros((size, size)), 0.0, 100)


@pytest.fixture
def face() -> np.ndarray:
    """Smooth blobs of colour."""
    coarse = np.random.default_rng(0).integers(60, 200, (6, 6, 3), np.uint8)
    return cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def worn_print(picture: np.ndarray, wear: Wear) -> np.ndarray:
    return apply_wear(picture, wear, SIZE / 512)


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int))


def test_a_new_print_is_the_picture(face):
    assert difference(worn_print(face, unworn()), face).mean() < 1.5  # what a JPEG of quality 100 costs colours


def test_the_restored_print_keeps_its_sepia(face):
    wear = replace(unworn(), sepia=1.0)
    tone = toned(face, wear)
    assert (tone[..., 0] >= tone[..., 1]).all() and (tone[..., 1] > tone[..., 2]).all()
    assert difference(worn_print(tone, wear), tone).mean() < 1.5
    np.testing.assert_array_equal(toned(face, unworn()), face)


def test_a_scratch_lies_where_it_was_drawn(face):
    scratch = Mark(np.array([[0.5, -0.1], [0.5, 1.1]]), width=8, shade=1.0, opacity=1.0)
    worn = worn_print(face, replace(unworn(), marks=[scratch]))
    assert worn[:, SIZE // 2].mean() > 245
    assert difference(worn, face)[:, : SIZE // 2 - 12].mean() < 2


def test_a_speck_lies_where_it_was_drawn(face):
    speck = Mark(np.array([[0.25, 0.75]]), width=24, shade=0.0, opacity=1.0)
    worn = worn_print(face, replace(unworn(), marks=[speck]))
    assert worn[96, 32].max() < 10
    assert difference(worn, face)[:64, 64:].mean() < 2


def test_a_halftone_has_its_period_and_keeps_the_tone():
    grey = np.full((SIZE, SIZE, 3), 128, np.uint8)
    screen = Halftone(period=32, angle=0.0, hardness=4, share=1.0)  # 8 px of 128
    worn = worn_print(grey, replace(unworn(), halftone=screen))[..., 0].astype(float)
    assert abs(worn.mean() - 128) < 6
    spectrum = np.abs(np.fft.rfft2(worn - worn.mean()))
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    assert max(row if row < SIZE / 2 else SIZE - row, column) == SIZE / 8


def test_an_unsteady_camera_smears_along_its_way():
    dot = np.zeros((SIZE, SIZE, 3), np.uint8)
    dot[60:68, 60:68] = 255
    worn = worn_print(dot, replace(unworn(), shake=64.0, shake_angle=0.0))[..., 0]
    assert worn[64, 57] > 60 and worn[57, 64] < 20
    assert motion_kernel(7.3, 0.4).sum() == pytest.approx(1)


def test_every_kind_of_wear_is_drawn_and_few_prints_have_all():
    drawn = [draw_wear(np.random.default_rng(seed), 64, 48) for seed in range(200)]
    for has in (
        lambda w: w.sepia > 0,
        lambda w: w.shake > 0,
        lambda w: w.halftone is not None,
        lambda w: any(len(m.points) == 1 for m in w.marks),
        lambda w: any(len(m.points) == 6 for m in w.marks),
        lambda w: any(len(m.points) == 12 for m in w.marks),
        lambda w: w.stains.any(),
    ):
        assert 10 < sum(map(has, drawn)) < 150
    assert drawn[0].grain.shape == (48, 64)


@pytest.mark.parametrize("colour", [(250, 180, 40), (255, 255, 255)])
def test_the_print_is_toned_as_its_restoration_is(colour):
    """Once, and whatever else it loses: a restoration is held to its tone, not to colours that no one can know."""
    flat = np.full((SIZE, SIZE, 3), colour, np.uint8)
    tones = 0
    for seed in range(12):
        drawn = draw("old-print", np.random.default_rng(seed), SIZE, SIZE)
        assert drawn.wear is not None
        clean = replace(drawn.wear, halftone=None, stains=np.zeros((5, 5)), marks=[], grain_sigma=0.0)
        drawn = replace(drawn, wear=clean, noise_sigma=0.0)
        goal = truth(flat, drawn)
        tones += bool((goal != flat).any())
        assert difference(apply(flat, drawn), goal).max() <= 3  # two JPEGs
    assert tones >= 4
    assert [name for name, preset in PRESETS.items() if preset.worn] == ["old-print"]


def test_samples_are_held_to_the_print_s_tone(shared):
    faces = FaceSet.open(shared / "faces", "val").first(8)
    colourless = 0
    for index, (_, goal) in enumerate(fixed_pairs(faces, 64, "old-print")):
        drawn = draw("old-print", named_generator(faces.files[index], "old-print"), 64, 64)
        np.testing.assert_array_equal(goal, truth(faces.image(index, 64), drawn))
        colourless += bool((goal != faces.image(index, 64)).any())
    assert colourless >= 4
    stream = RestorationPairs(faces, 64, 0, {"old-print": 1})
    casts = [stream[n]["image"].std(dim=0).mean() for n in range(12)]
    assert sum(cast < 1e-6 for cast in casts) >= 2  # grey ones


def test_oblong_prints(face):
    tall = np.ascontiguousarray(face[:, :70])
    assert degrade(tall, "old-print", np.random.default_rng(0)).shape == tall.shape
