"""What a report says of the machine and the command."""

import sys

import torch

from limner.evaluate.report_files.environment import command, environment
from limner.version import __version__


def test_it_names_all_that_figures_depend_on():
    told = dict(environment())
    assert told["limner"] == __version__ and torch.__version__.startswith(told["torch"].split("+")[0])
    assert {"Python", "numpy", "CPU", "GPU", "system", "date"} <= told.keys()
    assert all(told.values())


def test_the_command_is_quoted(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/limner", "evaluate", "my pictures", "--against", "a'b"])
    assert command() == """limner evaluate 'my pictures' --against 'a'"'"'b'"""
    monkeypatch.setattr(sys, "argv", ["/lib/limner/__main__.py", "benchmark"])
    assert command() == "python -m limner benchmark"
