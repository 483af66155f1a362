"""Whether a process is still at work."""

import os
import subprocess
import sys

import pytest

from limner.process import is_gone, processes


def test_a_process_that_ended_is_gone():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not is_gone(processes(), other.pid)
        other.kill()
        other.wait()
        assert is_gone(processes(), other.pid)
    assert not is_gone(processes(), os.getpid())


@pytest.mark.parametrize("number", [os.getppid(), 2**31, 2**70])
def test_elsewhere_nobody_knows(number):
    assert len(processes()) == 8 and not is_gone("0" * 8, number)


def test_a_number_that_no_process_has_says_nothing():
    assert not is_gone(processes(), 2**70)
