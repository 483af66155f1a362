"""The command line: arguments in, library call, result out. One file a command; whatever takes time to import is
imported inside."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from limner import __version__
from limner.cli.benchmark import benchmark
from limner.cli.degrade import degrade
from limner.cli.detect import detect
from limner.cli.methods import methods
from limner.cli.output import say
from limner.cli.reference_set import reference_set
from limner.cli.restore import restore
from limner.cli.train import train
from limner.cli.weights import weights_app
from limner.errors import LimnerError

app = typer.Typer(
    help="Restores degraded photographs of faces, offline, with diffusion models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (restore, detect, degrade, train, benchmark, methods):
    app.command()(command)
app.command("reference-set")(reference_set)
app.add_typer(weights_app, name="weights")


def version(show: bool) -> None:
    if show:
        print(f"limner {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (anywhere on the line).")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """`main` looks at --debug before typer does; it stands here for the help."""


def main() -> None:
    """Runs the command line: 0 done, 1 some photos failed, 2 wrong input, 130 interrupted."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        app()
    except LimnerError as error:
        if debug:
            raise
        say(f"limner: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        if debug:
            raise
        say("limner: interrupted.")
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        say(f"limner: unexpected {type(error).__name__}: {error} (run again with --debug and report it)")
        sys.exit(3)
