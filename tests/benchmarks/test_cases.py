"""The grid of what is measured, and a sentence for what can't be."""

import sys

import pytest

import cases
from cases import PATHS, Axes, Case, Program, grid, suited_steps
from limner import LimnerError
from limner.methods import METHODS


@pytest.fixture(autouse=True)
def bf16_is_native(monkeypatch):
    monkeypatch.setattr(cases, "has_bfloat16", lambda device: True)


def test_by_default_every_method_is_measured_once_as_it_is():
    found, reasons = grid(Axes())
    assert [case.method for case in found] == list(METHODS) and not reasons
    assert found[0] == Case("difface", "mini", 256, 1, "fp32", suited_steps("difface", "mini"), 0, 1, "eager", "cpu")


def test_all_combinations_are_measured_once():
    asked = {"batches": (1, 4, 4), "dtypes": ("fp32", "bf16"), "steps": (1, 3), "threads": (1, 2)}
    found, reasons = grid(Axes(methods=["refldm"], references=(0, 4), **asked))
    assert len(found) == len({case.name for case in found}) == 2 * 2 * 2 * 2 * 2 and not reasons


def test_what_cannot_be_is_left_out_and_told_once():
    found, reasons = grid(
        Axes(methods=["difface", "refldm"], weights=["mini", "published"], sizes=(256, 512), references=(0, 1))
    )
    assert {(case.method, case.references) for case in found} == {("difface", 0), ("refldm", 0), ("refldm", 1)}
    assert {(case.weights, case.size) for case in found} == {("mini", 256), ("published", 256), ("published", 512)}
    assert reasons == [
        "difface has no use for references.",
        "The embedded weights restore faces of 256 px: give other sizes to --weights published.",
    ]


def test_plain_is_fp32_and_graphs_are_for_a_gpu():
    found, reasons = grid(Axes(methods=["difface"], dtypes=["fp32", "bf16"], paths=list(PATHS)))
    assert {(case.path, case.dtype) for case in found} == {
        ("plain", "fp32"),
        *((path, dtype) for path in ("eager", "compile") for dtype in ("fp32", "bf16")),
    }
    assert reasons == ["CUDA graphs need --device cuda.", "The plain path is fp32."]


def test_emulated_bf16_is_left_out(monkeypatch):
    monkeypatch.setattr(cases, "has_bfloat16", lambda device: False)
    found, reasons = grid(Axes(dtypes=["fp32", "bf16"]))
    assert {case.dtype for case in found} == {"fp32"}
    assert reasons == ["This cpu would emulate bf16, slower than fp32."]


def test_steps_and_size_suit_the_weights():
    found, _ = grid(Axes(methods=["difface", "refldm"], weights=["published"]))
    assert [(case.size, case.steps) for case in found] == [(512, 100), (512, 50)]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"methods": ["magic"]}, "--method is 'magic': choose among difface, refldm, ldbfr, clrface."),
        ({"weights": ["big"]}, "--weights is 'big': choose among mini, published."),
        ({"dtypes": ["fp16"]}, "--dtype is 'fp16': choose among fp32, bf16."),
        ({"paths": ["fast"]}, "--path is 'fast': choose among plain, eager, compile, graphs."),
        ({"batches": [0]}, "--batch is 0: give at least 1."),
        ({"threads": [0]}, "--threads is 0: give at least 1."),
        ({"references": [-1]}, "--references is -1: give at least 0."),
        ({"weights": ["published"], "sizes": [100]}, "--size is 100: give a multiple of 64."),
        ({"sizes": [512]}, "The embedded weights restore faces of 256 px: give other sizes to --weights published."),
        ({"methods": ["difface"], "references": [1]}, "difface has no use for references."),
        ({"methods": ["refldm"], "steps": [0]}, "refldm takes 1 to 999 for steps, not 0."),
    ],
    ids=str,
)
def test_what_nobody_can_measure_gets_one_sentence(asked, told):
    with pytest.raises(LimnerError) as error:
        grid(Axes(**asked))
    assert str(error.value) == told


def test_a_missing_gpu_is_named(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(LimnerError, match="no cuda device that torch can use: give --device cpu."):
        Axes(device="cuda")


def test_a_program_is_named_alike_everywhere_and_run_by_this_python():
    program = Program("python -m limner --version")
    assert program.name == "python -m limner --version"
    assert program.words == [sys.executable, "-m", "limner", "--version"]
