"""What was measured: kept in a file, set in relation turn by turn, and each program alone in its memory."""

import sys
import time
from dataclasses import replace

import pytest

from cases import Case, Program
from limner import LimnerError
from machine import timed
from measured import Measured, Run, Spread, clock_of, measure_programs, whole

CASE = Case("refldm", "mini", 256, 4, "bf16", 1, 2, 1, "eager", "cpu")
SLOW = Measured(CASE, (4.0, 2.0, 3.0), (50.0, 100.0, 60.0), 900.0)
FAST = Measured(replace(CASE, batch=1), (1.0, 1.0, 1.5), (50.0, 100.0, 60.0), 700.0, 300.0, 1e-3)
START = Measured(Program("python -m limner --version"), (0.5,), (50.0,), 80.0)


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = Run(("before", "after"), (SLOW, FAST, START))
    run.write(tmp_path / "run.json")
    assert Run.read(tmp_path / "run.json") == run
    assert run.groups() == [[SLOW, FAST], [START]]


def test_ratios_are_of_each_turn():
    assert FAST.times(SLOW) == Spread(0.5, 0.25, 0.5)


def test_work_is_what_a_slower_machine_does_not_change():
    assert SLOW.work() == Spread(200.0, 180.0, 200.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"conditions": []}', '{"conditions": [], "measured": [{"what": {}}]}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(LimnerError, match="is no result of benchmarks/run.py: give a file that its -o wrote."):
        Run.read(tmp_path / "run.json")


def test_files_that_cannot_be_read_or_written_are_named(tmp_path):
    with pytest.raises(LimnerError, match="absent.json can't be read"):
        Run.read(tmp_path / "absent.json")
    with pytest.raises(LimnerError, match="run.json can't be written"):
        Run(("", ""), ()).write(tmp_path / "absent" / "run.json")


def test_a_program_is_told_its_own_memory(tmp_path):
    """Not that of this process, in which torch is loaded; but all of its own."""
    idle = whole([sys.executable, "-c", "print('done')"], 1)
    busy = whole([sys.executable, "-c", "kept = bytearray(80_000_000); kept[::1000] = b'1' * 80_000"], 1)
    assert idle.said == "done" and 0 < idle.peak_mb < 60
    assert 70 < busy.peak_mb - idle.peak_mb < 90


def test_one_thread_is_timed_by_what_it_computes():
    def asleep() -> None:
        time.sleep(0.2)

    assert timed(asleep, clock_of(1, "cpu")) < 0.1 < timed(asleep, clock_of(2, "cpu"))
    assert clock_of(1, "cuda") is time.perf_counter


def test_a_program_that_fails_is_told_with_its_last_words():
    with pytest.raises(LimnerError, match="^no such face$"):
        whole([sys.executable, "-c", "import sys; sys.exit('no such face')"], 1)


def test_programs_take_turns_in_their_folder(tmp_path):
    program = Program("""python -c 'open("turns", "a").write("x")'""")
    (measured,) = measure_programs([program], tmp_path, repeat=2, threads=1)
    assert (tmp_path / "turns").read_text() == "xxx"  # the first isn't counted
    assert len(measured.seconds) == len(measured.rates) == 2 and min(measured.rates) > 0
