"""What goes to other processes and comes back from them can be pickled, and is kept as if it had been made here."""

import pickle
from pathlib import Path

import numpy as np

from limner.evaluate.measured import TABLE
from limner.evaluate.shared_out import Gone, MeasuredFace, Undone
from limner.evaluate.side_by_side import INPUT, Case, Cases, SideBySide, untouched

from .test_side_by_side import MEASURES

NAMES = ["a", "b", "c"]


def case(number: int) -> Case:
    picture = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
    return Case(picture, picture[::-1].copy())


def kept(folder: Path) -> dict[str, object]:
    """All but the seconds."""
    tables = {str(path): path.read_text() for path in folder.rglob(TABLE)}
    lines = {name: [line.rpartition(",")[0] for line in text.splitlines()] for name, text in tables.items()}
    pictures = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}
    return {**{str(Path(name).relative_to(folder)): line for name, line in lines.items()}, **pictures}


def test_faces_that_others_measured_are_kept_as_ones_own(tmp_path):
    ways = {INPUT: untouched, "turned": lambda case, number: case.input[:, ::-1].copy()}
    asked = list[tuple[int, tuple[str, ...]]]()

    def elsewhere(rows, undone):
        for face in undone:
            there = pickle.loads(pickle.dumps(face))
            asked.append((there.number, there.rows))
            yield pickle.loads(pickle.dumps(rows.one(there)))

    done = list[int]()
    SideBySide(Cases(NAMES, case), ways, MEASURES, tmp_path / "here").run({}, lambda count: None)
    SideBySide(Cases(NAMES, case), {INPUT: untouched}, MEASURES, tmp_path / "there").run({}, lambda count: None)
    SideBySide(Cases(NAMES, case), ways, MEASURES, tmp_path / "there", elsewhere=elsewhere).run({}, done.append)
    assert asked == [(number, ("turned",)) for number in range(3)] and done == [1, 2, 3]
    assert kept(tmp_path / "here") == kept(tmp_path / "there")
    SideBySide(Cases(NAMES, case), ways, MEASURES, tmp_path / "there", elsewhere=elsewhere).run({}, done.append)
    assert len(asked) == 3, "nobody is asked where nothing is left"


def test_what_goes_is_small(tmp_path):
    assert len(pickle.dumps(Undone(7, ("input", "difface")))) < 200
    face = MeasuredFace(None, {"a": Gone(np.zeros((8, 8, 3), np.uint8), {"psnr": 1.0}, {})})
    assert pickle.loads(pickle.dumps(face)).ways["a"].figures == {"psnr": 1.0}
