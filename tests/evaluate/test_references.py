"""With a method that paints what its reference shows, every figure of the protocol is known beforehand."""

import csv
import tracemalloc
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from torch import nn

from limner.errors import LimnerError
from limner.evaluate import references
from limner.evaluate.protocols import Request
from limner.evaluate.references import HEADINGS, cases_of, reference_test
from limner.methods.options import DifFaceOptions, RefLDMOptions
from limner.methods.refldm import RefLDMPipeline

COLOURS = {"a": (200, 40, 40), "b": (40, 200, 40), "c": (40, 40, 200), "d": (120, 120, 40)}


class Painter(RefLDMPipeline):
    """Its answer is the mean of the references, or the crop itself."""

    def __init__(self):
        self.asked = []

    def __call__(self, crops, *, references=None, generator=None, **sampling):
        self.asked.append((references[0], generator.initial_seed(), sampling))
        shown = crops if references[0] is None else references[0].mean(dim=0, keepdim=True)
        return SimpleNamespace(images=shown)


def colour(crops):
    """An identity told by the mean colour."""
    return nn.functional.normalize(crops.mean(dim=(2, 3)) - 0.3, dim=1)


@pytest.fixture
def data(tmp_path):
    """Two photographs of a, b and c, one of d; all in the split test."""
    rows = [(person, number) for person in "abc" for number in (1, 2)] + [("d", 1)]
    with (tmp_path / "index.csv").open("w", newline="") as index, (tmp_path / "landmarks.csv").open("w") as marks:
        table = csv.writer(index)
        table.writerow(["file", "person_id", "split", "out_size"])
        marks.write("file," + ",".join(f"p{i}" for i in range(10)) + "\n")
        for person, number in rows:
            file = f"{person}{number}.png"
            table.writerow([file, person, "test", 64])
            marks.write(f"{file}," + ",".join(["1"] * 10) + "\n")
            picture = np.full((64, 64, 3), COLOURS[person], np.uint8)
            picture[:8, : 8 * number] = 0
            cv2.imwrite(str(tmp_path / file), picture[..., ::-1])
    return tmp_path


def restorer(pipeline):
    class Method(SimpleNamespace):
        def __call__(self, *crops, **settings):
            return self.pipeline(*crops, **settings)

    return SimpleNamespace(
        method=Method(pipeline=pipeline),
        settings=SimpleNamespace(method="painter", seed=3),
        size=64,
        options=RefLDMOptions(steps=2),
        finish=0,
    )


def measured(data, **settings):
    painter = Painter()
    result = reference_test(Request(data, **settings), restorer(painter), {"colour": colour})
    return painter, result


def test_each_photograph_is_restored_with_none_the_right_and_the_wrong_references(data):
    painter, result = measured(data)
    assert [result.facts[name] for name in ("faces", "people", "gallery")] == [6, 3, 7]
    assert len(painter.asked) == 18
    first = painter.asked[:3]
    assert first[0][0] is None
    means = [references.mean(dim=(0, 2, 3)) * 255 for references, _, _ in first[1:]]
    assert means[0].argmax() == 0 and means[1].argmax() == 1  # a's other photograph, then one of b's
    assert len({seed for _, seed, _ in first}) == 1  # the same noise
    assert len({seed for _, seed, _ in painter.asked}) == 6
    assert all(sampling["steps"] == 2 and sampling["finish"] == 0 for _, _, sampling in painter.asked)
    assert all(len(row) == len(HEADINGS) for row in result.sheet.pictures)


def test_the_figures_follow(data):
    _, result = measured(data)
    rows = {row["pictures"]: row for row in result.rows}
    assert list(rows) == ["input", "references: none", "references: right", "references: wrong"]
    right, wrong, none = (rows[f"references: {given}"] for given in ("right", "wrong", "none"))
    assert right["mean"] == pytest.approx(1, abs=0.01) and right["spread"] < 0.01
    assert wrong["mean"] < 0.5
    assert none["gain"] == 0 and none["better"] == 0
    assert none["mean"] == pytest.approx(rows["input"]["mean"])
    assert right["gain"] == pytest.approx(right["mean"] - none["mean"])
    assert wrong["gain"] == pytest.approx(wrong["mean"] - none["mean"]) and wrong["better"] == 0
    assert wrong["rank1"] == 0
    assert right["rank1"] == 1  # although it paints the other photograph, which is left out of its gallery
    assert min(right["psnr"], none["psnr"]) > wrong["psnr"] + 5
    cells = dict(zip(result.headings(), result.cells()[1], strict=True))
    assert cells["against none"] == "+0.000 (error 0.000)" and " ± " in cells["similarity to the truth"]


def test_wrong_references_are_as_many_as_the_right_ones():
    cases = cases_of(["a", "a", "a", "b", "c", "c"])
    assert [(case.place, case.right, case.wrong) for case in cases] == [
        *((0, [1, 2], [4, 5]), (1, [0, 2], [4, 5]), (2, [0, 1], [4, 5])),
        *((4, [5], [0]), (5, [4], [0])),
    ]
    assert cases_of(["a", "a", "b"]) == []


def test_a_limit_and_progress(data):
    told = []
    _, result = measured(data, limit=4, progress=lambda done, total: told.append((done, total)))
    assert result.facts["faces"] == 4 and result.facts["people"] == 2
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_messages(data):
    with pytest.raises(LimnerError, match="The method 'painter' can't use references: measure refldm or clrface"):
        reference_test(Request(data), restorer(SimpleNamespace(paper=DifFaceOptions())), {})
    lines = [line for line in (data / "index.csv").read_text().splitlines() if "2.png" not in line]
    (data / "index.csv").write_text("\n".join(lines))
    with pytest.raises(LimnerError, match="has nobody with two photographs in test: measure other splits"):
        measured(data)


def test_memory_does_not_grow_with_the_photographs(tmp_path, monkeypatch):
    monkeypatch.setattr(references, "SHOWN", 1)
    side, peaks = 256, []
    points = ",".join(f"p{i}" for i in range(10))
    for people in (2, 8):
        folder = tmp_path / str(people)
        folder.mkdir()
        index, marks = ["file,person_id,split,out_size"], [f"file,{points}"]
        for number in range(2 * people):
            picture = np.random.default_rng(number).integers(0, 255, (side, side, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), picture)
            index.append(f"{number}.png,person{number // 2},test,{side}")
            marks.append(f"{number}.png" + ",1" * 10)
        (folder / "index.csv").write_text("\n".join(index))
        (folder / "landmarks.csv").write_text("\n".join(marks))
        asked = restorer(Painter())
        asked.size = side
        tracemalloc.start()
        reference_test(Request(folder, preset="gfpgan"), asked, {"colour": colour})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + side * side * 3, "twelve photographs more take less than a picture more"
