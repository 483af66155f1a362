"""Several ways over the same faces, kept on disk: resumed, and no more in memory than one face."""

import tracemalloc
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate import side_by_side
from limner.evaluate.definitions.fidelity import PSNR
from limner.evaluate.measure import Measures
from limner.evaluate.side_by_side import INPUT, Case, Cases, SideBySide, file_name, named, spread, untouched, whole
from limner.faces.align import crop, stretch
from limner.methods.options import DifFaceOptions, RefLDMOptions
from limner.restoration import RestoredCrop
from limner.settings import Settings

MEASURES = Measures((PSNR,), (), (), timed=True)


def made(number, side=16):
    truth = np.random.default_rng(number).integers(40, 200, (side, side, 3)).astype(np.uint8)
    return Case(truth + np.uint8(3), truth)


def rows(folder, count=6, way=lambda case, number: case.input - np.uint8(2), make=made):
    names = [f"face {number}" for number in range(count)]
    return SideBySide(Cases(names, make), {INPUT: untouched, "Way A": way}, MEASURES, folder)


def test_pictures_truths_and_summaries_are_kept(tmp_path):
    one, told = rows(tmp_path), []
    summaries = one.run({"protocol": "own"}, told.append)
    assert told == [1, 2, 3, 4, 5, 6] and list(summaries) == ["input", "Way A"]
    assert summaries["Way A"].estimates["psnr"].value == pytest.approx(20 * np.log10(255))
    assert summaries["Way A"].facts["protocol"] == "own" and "limner" in summaries["Way A"].facts
    assert (tmp_path / "way-a" / "summary.json").is_file()
    pictures, headings = one.shown()
    assert headings == ["input", "Way A", "truth"] and len(pictures) == 6
    for shown, expected in zip(pictures[5], (made(5).input, made(5).input - 2, made(5).truth), strict=True):
        np.testing.assert_array_equal(shown, expected)


def test_a_killed_run_goes_on_and_asks_for_nothing_twice(tmp_path):
    asked = []

    def make(number):
        asked.append(number)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return made(number)

    whole_run = rows(tmp_path / "whole").run({}, lambda count: None)
    with pytest.raises(KeyboardInterrupt):
        rows(tmp_path / "killed", make=make).run({}, lambda count: None)
    again = rows(tmp_path / "killed", make=make).run({}, lambda count: None)
    assert asked == [0, 1, 2, 3, 3, 4, 5]
    for row, summary in again.items():
        assert summary.names == whole_run[row].names
        np.testing.assert_array_equal(summary.figures["psnr"], whole_run[row].figures["psnr"])


def test_memory_does_not_grow_with_the_faces(tmp_path):
    peaks = []
    for count in (4, 16):
        tracemalloc.start()
        rows(tmp_path / str(count), count, make=lambda number: made(number, 256)).run({}, lambda count: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 256 * 256 * 3, "less than a picture more"


def test_names_of_files_and_folders():
    assert named(["a.jpg", "sub/b.png"]) == {"a": "a.jpg", "b": "sub/b.png"}
    with pytest.raises(LimnerError, match="have one name"):
        named(["a.jpg", "a.png"])
    assert file_name("stage A") == "stage-a" and file_name("ldbfr@25") == "ldbfr@25"
    assert file_name("noise 5, JPEG 50 256") == "noise-5-jpeg-50-256"
    assert file_name("difface@steps=5,start=100") == "difface@steps=5-start=100"
    assert spread(list(range(100)), 3) == [0, 50, 99] and spread([1], 3) == [1]


@dataclass
class Restores:
    """Stands in for a restorer whose method gives back what it is given."""

    size: int
    options: type = DifFaceOptions
    joiner: object = None

    def __post_init__(self):
        self.settings = Settings(method=self.options.info.name, strength=1.0)
        self.method = SimpleNamespace(pipeline=SimpleNamespace(paper=SimpleNamespace(info=self.options.info)))
        self.compute = SimpleNamespace(device="cpu")
        self.seen = []

    def restore_crops(self, crops, numbers, references=()):
        self.seen.append((crops[0].shape, numbers, references))
        return [RestoredCrop([one.astype(np.float32) / 255]) for one in crops]


def test_a_crop_of_the_weights_size_is_seen_as_it_is():
    lq = made(0, 64).input
    np.testing.assert_array_equal(crop(lq, stretch(64, 64, 64), 64), lq)


def test_the_result_has_the_inputs_size():
    way, lq = Restores(32), np.full((64, 64, 3), (90, 120, 150), np.uint8)
    out = whole(way)(Case(lq), 7)
    assert out.shape == (64, 64, 3) and np.abs(out.astype(int) - lq).max() <= 2
    assert way.seen == [((32, 32, 3), [7], ())]


def test_references_go_to_methods_that_can_use_them(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(
        side_by_side.References, "read", lambda settings, *rest: read.append(settings.references) or ("known",)
    )
    case = replace(made(0, 64), references=(tmp_path / "a.png",))
    for kind in (DifFaceOptions, RefLDMOptions):
        way = Restores(64, kind)
        whole(way)(case, 0)
        expected = [("known",)] if kind is RefLDMOptions else ()
        assert way.seen[0][2] == expected
    assert [list(one) for one in read] == [[tmp_path / "a.png"]]
