"""Ray is joined, and left as it was found."""

import os
import signal
import subprocess
import sys

import pytest

from limner.cluster.connected import connected
from limner.cluster.ray_package import ray
from limner.errors import LimnerError


@pytest.mark.slow
def test_whoever_is_connected_stays_so(two_cpus):
    ended = signal.getsignal(signal.SIGTERM)
    with connected("local"):
        assert ray.cluster_resources()["CPU"] == 2
        assert os.environ["RAY_AUTH_MODE"] == "token", "nobody else's programs are run"
    assert ray.is_initialized() and signal.getsignal(signal.SIGTERM) is ended


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense"])
def test_a_cluster_that_does_not_answer_is_told(address):
    code = f"""
from limner.cluster.connected import connected
from limner.errors import LimnerError
try:
    with connected({address!r}):
        print("connected")
except LimnerError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100).stdout
    assert told.startswith(f"The cluster '{address}' doesn't answer (") and "see `ray status` there." in told


def test_an_error_of_the_work_itself_is_not_taken_for_one_of_the_cluster(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with pytest.raises(LimnerError, match="mine"), connected("auto"):
        raise LimnerError("mine")
