"""The command line: arguments in, library call, result out. One file a command; whatever takes time to import is
imported inside."""

from __future__ import annotations

import logging
import sys
from typing import Annotated, NoReturn

import typer

from limner import __version__
from limner.cli.album import album_app
from limner.cli.benchmark import benchmark
from limner.cli.compare import compare
from limner.cli.damage import damage
from limner.cli.degrade import degrade
from limner.cli.detect import detect
from limner.cli.evaluate import evaluate
from limner.cli.methods import methods
from limner.cli.output import emit, say
from limner.cli.reference_set import reference_set
from limner.cli.restore import restore
from limner.cli.status import status
from limner.cli.stored import refuse_addresses
from limner.cli.train import train
from limner.cli.ui import ui
from limner.cli.verify import verify
from limner.cli.weights import weights_app
from limner.errors import LimnerError, unexpected

INTERRUPTED = 130
REACH_STORES = ("restore", "status", "verify")
UsageError = typer.BadParameter.__mro__[1]  # whose module depends on typer's version

app = typer.Typer(
    help="Restores degraded photographs of faces, offline, with diffusion models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (restore, status, verify, detect, damage, ui, degrade, train, benchmark, evaluate, compare, methods):
    app.command()(command)
app.command("reference-set")(reference_set)
app.add_typer(album_app, name="album")
app.add_typer(weights_app, name="weights")


def version(show: bool) -> None:
    if show:
        print(f"limner {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (anywhere on the line).")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", "-V", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """`main` looks at --debug before typer does; it stands here for the help."""
    if (command := context.invoked_subcommand) not in REACH_STORES:
        refuse_addresses({f"limner {command}": sys.argv})


def main() -> None:
    """Runs the command line: 0 done, 1 some photos failed, 2 wrong input, 130 interrupted."""
    debug, json = "--debug" in sys.argv, "--json" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    if debug:
        _show_failures()
    try:
        code = app(prog_name="limner", standalone_mode=False)  # its errors come here, and the code where it stops
    except typer.Abort:
        _stop("stopped, as it wasn't confirmed.", 1, json)
    except Exception as error:
        if sentence := _usage(error):
            _stop(sentence, 2, json)
        if debug:
            raise
        if isinstance(error, LimnerError):
            _stop(str(error), 2, json)
        _stop(f"{unexpected(error)} (run again with --debug and report it)", 3, json)
    if code == INTERRUPTED:  # typer makes that of KeyboardInterrupt, in silence
        say("limner: interrupted.")
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Exception) -> str | None:
    """What typer says of a command line that it can't read, as one sentence; None of other errors. Where nothing was
    given, the help is the answer."""
    if not isinstance(error, UsageError):
        return None
    context, message = getattr(error, "ctx", None), str(getattr(error, "format_message", error.__str__)()).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        if message:
            print(message, file=sys.stderr)  # without rich, which has printed it already
        sys.exit(2)
    told = " ".join(message.rstrip(".").split()) + ("" if message.endswith("?") else ".")
    return f"{told} See `{context.command_path} --help`." if context else told


def _stop(sentence: str, code: int, json: bool) -> NoReturn:
    """Ends the program with a sentence for people, and for machines if they are told."""
    if json:
        emit({"error": sentence})
    say(f"limner: {sentence}")
    sys.exit(code)


def _show_failures() -> None:
    """Tracebacks of failures that don't end the program, such as one photo's of many."""
    log = logging.getLogger("limner")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.DEBUG)
