"""The command: from its options to tables, a file, or one sentence."""

import json
import sys
from dataclasses import replace

import pytest

import run as command
from cases import Case, Program
from measured import Measured, Run

CASE = Case("difface", "mini", 256, 1, "fp32", 2, 0, 1, "eager", "cpu")


@pytest.fixture
def called(monkeypatch, capsys):
    """`run.py` with these words: what it prints."""

    def call(*words) -> str:
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, words)])
        command.main()
        return capsys.readouterr().out

    return call


def test_values_are_given_by_commas_or_again(monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["run.py", "--method", "difface", "--method", "refldm", "--batch", "1,4", "--batch", "2"]
    )
    axes = command.axes_of(command.parsed())
    assert axes is not None and axes.methods == ["difface", "refldm"] and axes.batches == [1, 4, 2]
    assert axes.dtypes == ("fp32",)


@pytest.mark.parametrize(("words", "measured"), [("", True), ("--start", False), ("--start --batch 4", True)])
def test_the_start_alone_measures_no_cases(monkeypatch, words, measured):
    monkeypatch.setattr(sys, "argv", ["run.py", *words.split()])
    assert (command.axes_of(command.parsed()) is not None) is measured


def test_a_table_has_the_columns_that_vary():
    one = Measured(CASE, (2.0, 3.0, 2.5), (1.0, 1.0, 1.0), 600.4)
    other = Measured(replace(CASE, dtype="bf16"), (1.0, 1.5, 1.0), (1.0, 1.0, 1.0), 500.0, 80.0, 1e-2)
    assert command.rows([one, other]) == [
        "All: difface, mini, 256 px, 1 face, 2 steps, 0 references, 1 thread, eager, cpu.",
        "",
        "| dtype | seconds | times the first | peak memory | error |",
        "|---|---|---|---|---|",
        "| fp32 | 2.500 (2.000 to 3.000) | 1.00 (1.00 to 1.00) | 600 MB |  |",
        "| bf16 | 1.000 (1.000 to 1.500) | 0.50 (0.40 to 0.50) | 500 MB, GPU 80 MB | 1.0e-02 |",
    ]
    assert command.rows([replace(one, what=Program("python -c pass"))])[1:] == [
        "|---|---|---|---|---|",
        "| `python -c pass` | 2.500 (2.000 to 3.000) | 1.00 (1.00 to 1.00) | 600 MB |  |",
    ]


def test_the_machines_speed_is_told_for_each_precision():
    one = Measured(CASE, (1.0, 1.0), (100.0, 120.0), 1.0)
    other = replace(one, what=replace(CASE, dtype="bf16"), rates=(400.0, 400.0))
    assert command.rates([one, other]) == "fp32 110 (100 to 120), bf16 400 (400 to 400)"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--method magic", "run.py: --method is 'magic': choose among difface, refldm, ldbfr, clrface."),
        ("--repeat 0", "run.py: --repeat is 0: give at least 1."),
        ("--compare a.json b.json", "run.py: a.json can't be read (No such file or directory)."),
    ],
)
def test_what_cannot_be_gets_one_sentence(called, monkeypatch, tmp_path, words, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        called(*words.split())
    assert stop.value.code == told


def test_a_word_for_a_number_is_named(called, capsys):
    with pytest.raises(SystemExit):
        called("--batch", "1,four")
    assert "argument --batch: '1,four' should be whole numbers, such as 1,4" in capsys.readouterr().err


def test_two_files_are_compared(called, tmp_path):
    for name, seconds in (("a", 1.0), ("b", 2.0)):
        Run(("x", "y"), (Measured(CASE, (seconds,) * 3, (1.0,) * 3, 1.0),)).write(tmp_path / f"{name}.json")
    told = called("--compare", tmp_path / "a.json", tmp_path / "b.json")
    assert f"| {CASE.name} | 2.00 | 2.00 to 2.00 | 1.00 | slower |" in told


@pytest.mark.slow
def test_a_case_is_measured_alone_and_in_turns(called, tmp_path):
    asked = ["--method", "difface", "--steps", "0", "--path", "eager,plain", "--repeat", "2", "-o"]
    told = called(*asked, tmp_path / "run.json")
    eager, plain = Run.read(tmp_path / "run.json").measured
    assert len(eager.seconds) == 2 and min(eager.seconds) > 0 and 100 < eager.peak_mb < 3_000
    assert eager.error is None and plain.error is not None and plain.error < 1e-4
    assert "| path | seconds | times the first | peak memory | error |" in told
    assert json.loads((tmp_path / "run.json").read_text())["measured"][0]["what"]["method"] == "difface"


@pytest.mark.slow
def test_a_case_that_fails_is_left_out_with_its_reason(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", "--method", "difface", "--steps", "50", "--repeat", "1"])
    with pytest.raises(SystemExit, match="run.py: No case could be measured: the lines above say why."):
        command.main()
    assert "50 steps don't fit below the start step 20: choose 1 to 20." in capsys.readouterr().err
