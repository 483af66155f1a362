"""Faces measured by workers have the figures of one process."""

import json
from pathlib import Path

import pytest

from limner.cluster.measure import MeasureJob, side_by_side
from limner.errors import LimnerError
from limner.evaluate.protocols import PROTOCOLS, Request
from limner.evaluate.side_by_side import Undone
from limner.restorer import Restorer
from limner.settings import Settings

FAST = ["--steps", "1", "--finish", "0", "--limit", "3", "--json"]


def figures(folder: Path) -> dict[str, object]:
    """All that was kept, but for the seconds."""
    kept: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name == "pictures.csv":
            kept[name] = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
        elif path.suffix in (".png", ".f32") and "report" not in name:
            kept[name] = path.read_bytes()
    return kept


@pytest.mark.slow
def test_two_workers_measure_what_one_process_does(two_cpus, run, shared, tmp_path):
    told = {}
    for name, more in {"alone": ("--threads", "1"), "two": ("--engine", "ray")}.items():
        code, out, err = run("benchmark", "--data", shared / "faces", *FAST, "-o", tmp_path / name, *more)
        assert code == 0, err
        told[name] = [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in json.loads(out)["rows"]]
    assert told["alone"] == told["two"] and len(told["two"]) == 3
    alone, two = figures(tmp_path / "alone"), figures(tmp_path / "two")
    assert alone.keys() == two.keys() and sum(name.endswith(".png") for name in two) >= 4 * 3
    assert [name for name in alone if alone[name] != two[name]] == []


def test_a_protocol_that_cannot_be_shared_is_told(run, tmp_path):
    code, _, err = run("benchmark", "--data", tmp_path, "--protocol", "harm", "--engine", "ray")
    assert code == 2 and "One process measures the protocol harm: leave out --engine, or take limner-test, steps" in err
    assert {"limner-test", "steps"} < {one.name for one in PROTOCOLS.values() if one.shared}


def test_a_worker_makes_the_rows_for_itself(shared, tmp_path):
    restorers = {"difface": Restorer(Settings(options={"steps": 1}, finish=0, threads=1))}
    rows = side_by_side("limner-test", Request(shared / "faces", limit=2), restorers)
    assert list(rows.ways) == ["input", "estimator", "difface"] and len(rows.cases.names) == 2
    found = rows.one(Undone(1, ("input",)))
    assert found.truth is not None and list(found.ways) == ["input"] and found.ways["input"].figures["psnr"] > 0


def test_a_face_that_ends_workers_ends_the_measurement(tmp_path):
    job = MeasureJob("limner-test", Request(tmp_path / "gone"), {"difface": Settings()})
    with pytest.raises(LimnerError, match="Face 5 ended 3 workers, one after another, as where memory runs out"):
        job.lost(Undone(5, ("input",)), 3)
    with pytest.raises(LimnerError, match="isn't seen here"):
        job.begin()
