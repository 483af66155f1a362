"""The command line is made of what is declared: each option once, with its help, its range and its panel."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, get_args

import pytest
import typer

from limner.cli.benchmark import benchmark
from limner.cli.options import SAMPLING, Given, takes
from limner.cli.restore import restore
from limner.declared import declared, declared_fields
from limner.errors import LimnerError
from limner.methods import METHODS
from limner.methods.options import MethodInfo, Options
from limner.settings import Settings

COMMON = {one.name: one for one in declared_fields(Settings)}


def option(command, name):
    """What typer is told of a command's parameter."""
    return get_args(inspect.signature(command).parameters[name].annotation)[1]


@pytest.mark.parametrize("command", [restore, benchmark])
@pytest.mark.parametrize("method", METHODS)
def test_every_option_of_every_method_is_there(command, method):
    """With its help and range, in the method's own panel or, where several methods take it, in one for all."""
    for one in declared_fields(METHODS[method]):
        shown = option(command, one.name)
        sharing = [other for other, kind in METHODS.items() if one.name in [it.name for it in declared_fields(kind)]]
        assert shown.rich_help_panel == (SAMPLING if len(sharing) > 1 else method)
        flag = one.declaration.flag or f"--{one.name.replace('_', '-')}"
        assert flag in (shown.default, *shown.param_decls)
        limits = f" ({one.declaration.range})" if one.declaration.range else ""
        assert f": {one.declaration.help}{limits}" in shown.help and method in shown.help
        assert inspect.signature(command).parameters[one.name].default is None, "what isn't given suits the weights"


def test_restore_takes_all_that_is_common_in_its_families():
    for name, one in COMMON.items():
        shown = option(restore, name)
        assert (shown.help, shown.rich_help_panel) == (one.declaration.help, one.declaration.family)


def test_benchmark_takes_what_it_can_use():
    taken = {name for name in COMMON if name in inspect.signature(benchmark).parameters}
    own = {"method"}  # it takes several
    assert taken - own == {"weights", "strength", "finish", "scheduler", "seed", "device", "dtype", "threads"}


@dataclass(frozen=True, kw_only=True)
class HarpOptions(Options):
    info: ClassVar = MethodInfo("harp", "by ear", "nobody", "nowhere:HARP")
    strings: int = declared(36, "how many it has", least=1, most=47)
    eta: float = declared(0.0, "how it rings", least=0, most=1)
    tuned: bool = declared(False, "whether it is")


@pytest.fixture
def harp(monkeypatch):
    """A command line of one command, with a fifth method: its words to what was given, or its exit."""
    monkeypatch.setitem(METHODS, "harp", HarpOptions)
    given_last: list[Given] = []

    @takes("strength", "faces", "grain", "aligned", "detector", "threads", "references", methods=True)
    def play(
        given: Given,
        piece: Annotated[Path, typer.Argument(help="What to play.")],
        loud: Annotated[bool, typer.Option("--loud", help="How.")] = False,
    ) -> None:
        """Play."""
        given_last.append(given)

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(play)

    def call(*words):
        app([str(word) for word in words], standalone_mode=False)
        return given_last.pop()

    call.command = play
    return call


def test_an_option_that_is_declared_once_is_a_parameter(harp):
    strings, eta = option(harp.command, "strings"), option(harp.command, "eta")
    assert (strings.help, strings.rich_help_panel) == ("harp: how many it has (1 to 47).", "harp")
    assert "harp: how it rings (0 to 1)" in eta.help and eta.rich_help_panel == SAMPLING
    assert harp("etude", "--strings", 20, "--eta", 0.5, "--tuned").options == {"strings": 20, "eta": 0.5, "tuned": True}
    assert harp("etude").options == {}, "those alone that were given"


def test_common_options_come_as_they_are_declared(harp):
    given = harp("etude")
    assert given.common == {
        "strength": "auto",
        "faces": "all",
        "grain": True,
        "aligned": False,
        "detector": "limner",
        "threads": None,
        "references": [],
    }
    words = ["--strength", 0.5, "--faces", "0,2", "--no-grain", "--aligned", "--detector", "yunet", "--threads", 2]
    given = harp("etude", *words, "--reference", "a.jpg", "--reference", "b.jpg")
    assert given.common == {
        "strength": 0.5,
        "faces": [0, 2],
        "grain": False,
        "aligned": True,
        "detector": "yunet",
        "threads": 2,
        "references": [Path("a.jpg"), Path("b.jpg")],
    }


def test_settings_are_made_and_checked_of_what_was_given(harp):
    settings = harp("etude", "--eta", 0.5, "--strength", 0.5).settings(seed=3)
    assert (settings.options, settings.strength, settings.seed) == ({"eta": 0.5}, 0.5, 3)
    with pytest.raises(LimnerError, match="The method 'difface' has no option 'strings': it takes "):
        harp("etude", "--strings", 20).settings()
    assert harp("etude", "--strings", 20).settings(method="harp").options == {"strings": 20}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--detector", "yolo"], "'yolo' is not one of 'limner', 'yunet'"),
        (["--encoding", "tall"], "'tall' is not one of 'wide', 'separate'"),
        (["--guidance-mask", "half"], "'half' is not one of 'learned', 'one', 'zero'"),
        (["--strings", "many"], "valid integer"),
        (["--eta", "much"], "valid number"),
        (["--no-aligned"], "No such option: --no-aligned"),
        (["--seed", 4], "No such option: --seed"),
    ],
)
def test_words_that_cannot_be_are_refused(harp, words, told):
    with pytest.raises(Exception) as error:
        harp("etude", *words)
    assert told in str(getattr(error.value, "message", error.value))
