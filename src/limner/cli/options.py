"""The command line's parameters, made of the options as they are declared (`Settings`, and each method's own).

A command that is decorated with `takes` has those parameters besides its own, and gets what was given as a `Given`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from limner.cli.output import JSON_HELP
from limner.declared import DeclaredField, alternatives, declared_fields
from limner.errors import LimnerError
from limner.methods import METHODS, options_of
from limner.settings import Settings

SAMPLING = "Sampling, by method"
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Real = Annotated[
    Path | None, typer.Option(help="Folder of photographs, not the truths, that distributions are held against.")
]
Nets = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FILE[,FILE]",
        help="Weights of your own to measure with: inception (FID, KID), lpips-alex, lpips-squeeze, lpips-vgg, dists, "
        "niqe, arcface; may be repeated.",
    ),
]
Sensitivity = Annotated[float, typer.Option(help="To damage: above 0, only what is certain, and below 1.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Make anew what is there already.")]
Results = Annotated[Path, typer.Argument(help="The folder of results, as --output of `limner restore`.")]
Megapixels = Annotated[float, typer.Option("--max-megapixels", help="Refuse larger photos.")]


@dataclass(frozen=True)
class Given:
    """What was given of the declared options.

    Attributes:
        common: fields of `Settings`, by name.
        options: of methods, by name; those alone that were given.
    """

    common: Mapping[str, Any]
    options: Mapping[str, Any]

    def settings(self, **others: Any) -> Settings:
        """Settings as they were given, with others in the place of some.

        Raises:
            LimnerError: if one lies outside its range, or the method has no such option.
        """
        return Settings(**{**self.common, "options": self.options, **others})


def check_free(file: Path, overwrite: bool) -> None:
    """
    Raises:
        LimnerError: if a file of that name is there, perhaps somebody's work, and `--overwrite` wasn't given.
    """
    if file.is_file() and not overwrite:
        raise LimnerError(f"{file} is there already: --overwrite replaces it, or choose another name.")


def takes(
    *common: str, methods: bool = False, others: Sequence[inspect.Parameter] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates a command, whose parameter `given: Given` becomes these parameters of the command line.

    Args:
        common: names of fields of `Settings`.
        methods: whether all methods' options are taken too.
        others: parameters that the command takes as its `**` arguments.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = {one.name: _parameter(one) for one in declared_fields(Settings) if one.name in common}
        sampling = _of_methods() if methods else {}
        own = [
            one
            for one in inspect.signature(command, eval_str=True).parameters.values()
            if one.name != "given" and one.kind is not one.VAR_KEYWORD
        ]

        @wraps(command)
        def run(**values: Any) -> None:
            given = Given(
                {name: values.pop(name) for name in parameters},
                {name: value for name in sampling if (value := values.pop(name)) is not None},
            )
            command(given=given, **values)

        required = [one for one in own if one.default is one.empty]
        optional = [one for one in own if one.default is not one.empty]
        whole = [*required, *parameters.values(), *sampling.values(), *optional, *others]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
            [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in whole]
        )
        run.__annotations__ = {one.name: one.annotation for one in whole}
        return run

    return decorate


def _of_methods() -> dict[str, inspect.Parameter]:
    """Parameters of all methods' options: first those that several methods know, then each method's own."""
    known: dict[str, dict[str, DeclaredField]] = {}
    for method, options in METHODS.items():
        for one in declared_fields(options):
            known.setdefault(one.name, {})[method] = one
    shared = {name: by_method for name, by_method in known.items() if len(by_method) > 1}
    return {
        name: _parameter(
            next(iter(by_method.values())),
            default=None,
            help=_help_of(by_method),
            panel=SAMPLING if name in shared else options_of(next(iter(by_method))).info.name,
        )
        for name, by_method in (shared | known).items()
    }


def _help_of(by_method: Mapping[str, DeclaredField]) -> str:
    """What the methods say of an option, those together that say the same."""
    said: dict[str, list[str]] = {}
    for method, one in by_method.items():
        limits = f" ({one.declaration.range})" if one.declaration.range else ""
        said.setdefault(f"{one.declaration.help}{limits}", []).append(method)
    return "; ".join(f"{', '.join(methods)}: {text}" for text, methods in said.items()) + "."


def _parameter(
    one: DeclaredField, default: Any = inspect.Parameter.empty, help: str | None = None, panel: str | None = None
) -> inspect.Parameter:
    """A parameter of the command line for an option as it is declared."""
    declaration, kinds = one.declaration, tuple(alternatives(one.type))
    text = help or declaration.help
    value = one.default if default is inspect.Parameter.empty else default
    flag = declaration.flag or f"--{one.name.replace('_', '-')}"
    how: dict[str, Any] = {"help": text, "rich_help_panel": panel or declaration.family}
    if bool in kinds:
        if value is True:  # what is on can be put out
            return _named(one.name, bool, True, typer.Option(f"{flag}/--no-{flag[2:]}", **how))
        return _named(one.name, bool if value is False else bool | None, value, typer.Option(flag, **how))
    if declaration.parse:
        parse = declaration.parse
        return _named(one.name, str, value, typer.Option(flag, parser=_parser(parse, flag), **how))
    if isinstance(value, tuple):
        return _named(one.name, list[Path], list(value), typer.Option(flag, **how))
    if one.choices:
        return _named(one.name, _maybe(Literal[*one.choices], value), value, typer.Option(flag, **how))
    kind = next(kind for kind in (int, float, Path, str) if kind in kinds)
    return _named(one.name, _maybe(kind, value), value, typer.Option(flag, **how))


def _named(name: str, kind: Any, default: Any, option: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _maybe(kind: Any, default: object) -> Any:
    return kind | None if default is None else kind


def _parser(parse: Callable[[str], object], flag: str) -> Callable[[str], object]:
    def parsed(word: str) -> object:
        return parse(word)

    parsed.__name__ = flag[2:]  # what the help shows for the value
    return parsed
