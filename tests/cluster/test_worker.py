"""A worker loads once, and tells where it is; here in this process."""

import os
import socket

import pytest

from limner.cluster.ray_package import ray
from limner.cluster.worker import CalledOff, Ready, Worker
from limner.errors import Cancelled, LimnerError
from limner.version import __version__

from .jobs import Squares


def test_a_worker_goes_to_the_driver_s_folder_and_tells_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    monkeypatch.setattr(CalledOff, "__bool__", lambda stop: False)
    worker = Worker(str(tmp_path))
    assert os.path.samefile(os.getcwd(), tmp_path)
    like = {"version": __version__, "the number": "1"}
    assert worker.begin(Squares(tmp_path)) == Ready(socket.gethostname(), os.getpid(), like, "squares")
    assert [worker.work(2), worker.work(3)] == [4, 9]
    Worker(str(tmp_path / "gone"))  # where all paths are absolute it isn't needed
    assert os.path.samefile(os.getcwd(), tmp_path)


def test_whoever_cannot_begin_tells_on_which_machine(tmp_path, monkeypatch):
    monkeypatch.chdir("/")  # whither the worker goes is undone with it
    with pytest.raises(LimnerError, match=rf"^On the machine {socket.gethostname()}: There are no numbers\.$"):
        Worker(str(tmp_path)).begin(Squares(tmp_path, "fails"))


def test_what_is_called_off_is_cancelled(monkeypatch):
    class Context:
        def is_canceled(self) -> bool:
            return True

    monkeypatch.setattr(ray, "get_runtime_context", Context)
    with pytest.raises(Cancelled):
        CalledOff().check()
