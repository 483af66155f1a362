"""Which pictures a report shows, and how it packs them."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from limner.evaluate.metric_registry import PSNR
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report_files import pictures
from limner.evaluate.report_files.pictures import album_of, choices, chosen, shown_places


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9, 10, 167])
def test_no_picture_stands_in_two_groups(count):
    groups = shown_places(count, 3)
    places = [place for group in groups.values() for place in group]
    assert len(set(places)) == len(places) and set(places) <= set(range(count))
    assert len(groups) == min(count, 3)
    assert len(places) == (9 if count >= 9 else count // 3 * 3 if count >= 3 else count)


def test_best_and_worst_follow_the_better_end(summed, evaluated):
    row = summed("row", "abcdefg", psnr=[5, 1, 4, np.nan, 2, 9, np.inf], perceptual=[5, 1, 4, 3, 2, 9, 8])
    assert chosen(PSNR, row, 1) == {"best": ["f"], "median": ["c"], "worst": ["b"]}
    perceptual = next(one for one in evaluated.metrics if one.key == "perceptual")
    assert chosen(perceptual, row, 1) == {"best": ["b"], "median": ["c"], "worst": ["f"]}


def test_the_reader_chooses_among_what_was_measured(evaluated, summed):
    assert [one.key for one in choices(evaluated)] == ["perceptual", "psnr"]
    assert [one.key for one in choices(replace(evaluated, summaries=[summed("row", "ab", hog=[0, 1])]))] == ["hog"]


def test_every_picture_is_packed_once(evaluated):
    album = album_of(evaluated)
    assert len(album.sheets) == 4
    shown = [card for sheet in album.sheets for group in sheet.groups.values() for card in group]
    assert len(shown) == 24
    names = {card.name for card in shown}
    assert len(set(album.pictures)) == len(album.pictures) <= 4 * len(names)
    card = album.sheets[0].groups["best"][0]
    truth = np.asarray(Image.open(io.BytesIO(album.pictures[card.truth])), float)
    assert abs(truth.mean() - evaluated.see("", card.name).truth.mean()) < 4
    assert not album.shrunk


def test_the_input_itself_has_no_sheet(evaluated):
    def same(row, name):
        seen = evaluated.see(row, name)
        return replace(seen, picture=seen.input) if row == "input" else seen

    assert {sheet.row for sheet in album_of(replace(evaluated, see=same)).sheets} == {"difface"}


def test_a_page_stays_small(evaluated, monkeypatch):
    generous = album_of(evaluated).size
    monkeypatch.setattr(pictures, "BUDGET", generous // 2)
    album = album_of(evaluated)
    assert album.size <= generous // 2 and album.sheets

    monkeypatch.setattr(pictures, "BUDGET", 10)
    assert album_of(evaluated).sheets, "what can't be smaller is taken as it is"


def test_large_pictures_are_shrunk_and_it_says_so(evaluated):
    large = np.zeros((1500, 1200, 3), np.uint8)
    album = album_of(replace(evaluated, see=lambda row, name: Seen(name, large, large)))
    assert album.shrunk and Image.open(io.BytesIO(album.pictures[0])).size == (819, 1024)
