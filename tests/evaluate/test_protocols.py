"""Protocols are objects: what they take, what they refuse, and that one more needs no other line."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.evaluate.protocols import PROTOCOLS, TEST_OR_VAL, Protocol, Request, find_protocol
from limner.evaluate.published_sets import PUBLISHED_SETS
from limner.evaluate.report import Column, Report, Row


def test_each_has_a_file_with_run():
    homes = {"limner-test": "limner_test", "verification": "identity"} | {
        one.name: "published" for one in PUBLISHED_SETS
    }
    for name, protocol in PROTOCOLS.items():
        module = import_module(f"limner.evaluate.{homes.get(name, name)}")
        assert callable(module.run) and callable(protocol.run) and protocol.help


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("harm", "held-out", "There is no split 'held-out' to measure: choose test or val."),
        ("verification", "val", "There is no split 'val' to verify on: choose test, held-out or test+held-out."),
        ("references", "val", "There is no split 'val' with pairs: choose test, held-out or test+held-out."),
        ("lfw-test", "val", "There is no split 'val' of lfw-test: choose test."),
    ],
)
def test_splits_that_a_protocol_does_not_take(name, split, message):
    with pytest.raises(LimnerError, match=message.replace("+", r"\+")):
        find_protocol(name).splits_called(split)
    assert find_protocol("references").splits_called("test+held-out") == ("test", "held-out")


def test_how_many_methods():
    find_protocol("harm").check(3)
    with pytest.raises(LimnerError, match="The protocol guidance measures one method at a time, not 2."):
        find_protocol("guidance").check(2)
    with pytest.raises(LimnerError, match="There is no protocol 'luck': choose one of limner-test, references"):
        find_protocol("luck")


def test_a_request_measures_at_least_one_face():
    with pytest.raises(LimnerError, match="--limit is 0: measure at least 1 face."):
        Request(Path("faces"), limit=0)


def test_a_protocol_is_one_entry(run, shared, monkeypatch):
    def count(request, restorers):
        rows = [Row({"method": name, "faces": len(request.first_faces())}) for name in restorers]
        return Report({"protocol": "count"}, rows, (Column("method", "method"), Column("faces", "faces", "03d")))

    counting = Protocol("count", "how many faces there are", TEST_OR_VAL, "to count", "several", count)
    monkeypatch.setitem(PROTOCOLS, "count", counting)
    words = ["--protocol", "count", "--data", shared / "faces", "--limit", 7, "--method", "difface", "--threads", 1]
    code, out, err = run("benchmark", *words, "--method", "difface@3", "--json")
    assert code == 0, err
    assert json.loads(out) == {
        "protocol": "count",
        "rows": [{"method": "difface", "faces": 7}, {"method": "difface@3", "faces": 7}],
    }
    code, out, _ = run("benchmark", *words)
    assert code == 0 and [line.split() for line in out.splitlines()] == [["method", "faces"], ["difface", "007"]]
