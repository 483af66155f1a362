"""Finding damage: what is drawn on a clean picture is found, a clean one stays unmarked, and bad input is told."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from limner import Photo
from limner.damage import find
from limner.damage.find import certain, chances, find_damage, marked
from limner.device import choose
from limner.errors import LimnerError, PhotoError

from .flakes import flaked

FACE = np.ascontiguousarray(astronaut()[:384, 64:448])


FLAKES = ((60, 60, 9), (330, 60, 12), (340, 250, 14), (40, 200, 8))


@pytest.mark.slow
def test_what_was_drawn_is_found_and_little_else():
    picture, where = flaked(FACE, FLAKES)
    mask = find_damage(picture, 0.2)
    assert mask.shape == where.shape and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
    found = mask > 0
    near = cv2.dilate(where.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert (found & where).sum() > 0.6 * where.sum()
    assert ((find_damage(picture, 0.8) > 0) & where).sum() > 0.9 * where.sum()
    assert (found & near).sum() > 0.7 * found.sum()
    assert found[near].mean() > 50 * found[~near].mean()


@pytest.mark.slow
@pytest.mark.parametrize("tone", ["colour", "grey"])
def test_a_clean_face_stays_unmarked(tone):
    face = FACE if tone == "colour" else cv2.cvtColor(cv2.cvtColor(FACE, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert (find_damage(face)[:200, 80:240] > 0).mean() < 0.01


@pytest.mark.slow
def test_the_more_sensitive_the_more_is_marked():
    picture, _ = flaked(FACE, FLAKES)
    masks = [find_damage(picture, sensitivity) > 0 for sensitivity in (0.1, 0.5, 0.9)]
    shares = [mask.mean() for mask in masks]
    assert shares == sorted(shares) and shares[0] < shares[2]
    assert (masks[2] | masks[0] == masks[2]).all()


def test_the_margin_grows_with_the_photo():
    for side, reach in ((300, 1), (4000, 4)):
        found = np.zeros((side, 9), bool)
        assert not marked(found).any()
        found[100, 4] = True
        assert (marked(found)[:, 4] > 0).sum() == 2 * reach + 1


def test_a_mark_goes_on_over_what_is_fainter_and_begins_at_none():
    chance, photo = np.zeros((9, 30), np.float32), np.zeros((9, 30, 3), np.uint8)
    chance[4, 2:9] = 0.5, 0.6, 0.8, 0.6, 0.3, 0.6, 0.8
    chance[4, 20:25] = 0.6
    assert certain(chance, 0.25, photo)[4].nonzero()[0].tolist() == [3, 4, 5, 7, 8], "0.6 beside 0.8, and not by itself"
    assert not certain(np.full((9, 30), 0.3, np.float32), 0.5, photo).any()
    assert certain(chance, 0.5, photo)[4, 20:25].all()


class Bright(torch.nn.Module):
    """Takes what is bright for damage, and remembers the sizes that it was shown."""

    device = torch.device("cpu")

    def __init__(self):
        super().__init__()
        self.shown = list[tuple[int, ...]]()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        self.shown.append(tuple(pictures.shape[-2:]))
        return 20 * (pictures.mean(1) - 0.5)


@pytest.mark.parametrize(("side", "copies"), [(40, [40]), (599, [599]), (600, [600, 300]), (1000, [1000, 500])])
def test_large_photos_are_looked_at_in_copies(side, copies):
    net, picture = Bright(), np.zeros((side, 30, 3), np.uint8)
    picture[:10] = 255
    chance = chances(net, picture)
    assert [shape[0] for shape in net.shown] == copies
    assert chance.shape == (side, 30) and chance[:9].min() > 0.9 and chance[12:].max() < 0.1


@pytest.mark.parametrize("shape", [(1, 1200, 3), (1300, 2, 3)])
def test_a_photo_of_a_line_is_no_special_case(shape):
    assert chances(Bright(), np.zeros(shape, np.uint8)).shape == shape[:2]


def test_tiles_cover_a_large_photo(monkeypatch):
    monkeypatch.setattr(find, "TILE", 128)
    net, picture = Bright(), np.zeros((200, 300, 3), np.uint8)
    picture[150:, 250:] = 255
    chance = chances(net, picture)
    assert max(max(shape) for shape in net.shown) == 128 and len(net.shown) > 4
    assert chance[160:, 260:].min() > 0.9 and chance[:140].max() < 0.1


@pytest.mark.parametrize("sensitivity", [0, 1, -0.5, 7, float("nan"), "0.2", None])
def test_a_sensitivity_that_is_none(sensitivity):
    with pytest.raises(LimnerError, match="above 0 and below 1"):
        find_damage(FACE, sensitivity)


@pytest.mark.parametrize("photo", [FACE.astype(np.float32), FACE[:0], "nowhere.jpg", 7])
def test_what_is_no_photograph(photo):
    with pytest.raises(PhotoError):
        find_damage(photo, compute=choose("cpu"))


def test_whatever_holds_a_photo(monkeypatch, tmp_path):
    monkeypatch.setattr(find, "load_net", lambda *_: Bright())
    monkeypatch.setattr("limner.device.Compute.place", lambda self, net: net)
    image = Image.fromarray(FACE)
    image.save(tmp_path / "old.png")
    same = [
        find_damage(photo) for photo in (FACE, image, Photo.of(FACE), tmp_path / "old.png", str(tmp_path / "old.png"))
    ]
    assert same[0].any() and all(np.array_equal(mask, same[0]) for mask in same)
