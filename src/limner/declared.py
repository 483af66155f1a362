"""Options are declared once, as fields of a frozen dataclass: default, range or choices, and one line of help.

The library checks them from that (`check`), and the command line makes its parameters and help of it
(`cli/options.py`). What a field may be is its type: a `Literal` lists its choices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from limner.errors import LimnerError

T = TypeVar("T")


@dataclass(frozen=True)
class Declaration:
    """What is known of an option besides its name, type and default.

    Attributes:
        help: one line.
        least, most: of a number, both included; None where there is no limit.
        family: the panel of `limner restore --help` in which it stands.
        flag: its name on the command line, where that isn't the field's.
        parse: from the command line's word to the value, where the type doesn't say it.
    """

    help: str
    least: float | None = None
    most: float | None = None
    family: str | None = None
    flag: str | None = None
    parse: Callable[[str], object] | None = None

    @property
    def range(self) -> str:
        """In words, `0 to 1` or `1 or more`; empty where there is none."""
        if self.least is None:
            return ""
        return f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"


def declared(
    default: T,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    family: str | None = None,
    flag: str | None = None,
    parse: Callable[[str], object] | None = None,
) -> T:
    """A dataclass field that is an option; see `Declaration`."""
    return field(default=default, metadata={"declaration": Declaration(help, least, most, family, flag, parse)})


@dataclass(frozen=True)
class DeclaredField:
    """A field with what is declared of it: its name, its type (resolved), its default and its declaration."""

    name: str
    type: Any
    default: object
    declaration: Declaration

    @property
    def choices(self) -> tuple[str, ...]:
        """What its `Literal`s list."""
        return tuple(
            choice for kind in alternatives(self.type) if get_origin(kind) is Literal for choice in get_args(kind)
        )


@lru_cache
def declared_fields(kind: type) -> tuple[DeclaredField, ...]:
    """The options among a dataclass's fields, in their order."""
    types = get_type_hints(kind)
    return tuple(
        DeclaredField(one.name, types[one.name], one.default, one.metadata["declaration"])
        for one in fields(kind)
        if "declaration" in one.metadata
    )


def alternatives(kind: Any) -> Iterator[Any]:
    """The members of a union, or the type itself."""
    if get_origin(kind) in (Union, UnionType):
        yield from get_args(kind)
    else:
        yield kind


def check(options: object, owner: str) -> None:
    """Checks every declared option of a dataclass against its type and range.

    Args:
        options: an instance.
        owner: whose options they are, for the message.

    Raises:
        LimnerError: if a value is of another type, none of the choices, or outside the range.
    """
    for one in declared_fields(type(options)):
        _check(one, getattr(options, one.name), owner)


def _check(one: DeclaredField, value: object, owner: str) -> None:
    name, kinds = one.name.replace("_", " "), tuple(alternatives(one.type))
    if value is None and type(None) in kinds:
        return
    numbers = int in kinds or float in kinds
    if isinstance(value, str) and one.choices:
        if value not in one.choices:
            least = f", or {one.declaration.range}" if numbers else ""
            raise LimnerError(f"There is no {name} '{value}': choose {_either(one.choices)}{least}.")
    elif bool in kinds:
        if not isinstance(value, bool):
            raise LimnerError(f"{owner} takes true or false for {name}, not {value!r}.")
    elif numbers:
        whole = float not in kinds
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not _within(one, value):
            number = "a whole number" if whole else "a number"
            takes = ", or ".join([*one.choices, one.declaration.range or number])
            raise LimnerError(f"{owner} takes {takes} for {name}, not {value}.")
    elif one.choices and all(get_origin(kind) is Literal or kind is type(None) for kind in kinds):
        raise LimnerError(f"There is no {name} '{value}': choose {_either(one.choices)}.")
    elif str in kinds and not isinstance(value, kinds):
        raise LimnerError(f"{owner} takes a word for {name}, not {value!r}.")


def _within(one: DeclaredField, value: float) -> bool:
    least, most = one.declaration.least, one.declaration.most
    if not math.isfinite(value):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
