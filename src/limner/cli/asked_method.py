"""A method as `limner benchmark --method` takes it: METHOD, METHOD@STEPS or METHOD@option=value,option=value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limner.declared import DeclaredField, alternatives, declared_fields
from limner.errors import LimnerError
from limner.methods import options_of
from limner.settings import Settings

COMMON = ("weights", "strength", "finish", "scheduler", "seed")
"""Settings that may stand beside the method's own options."""


@dataclass(frozen=True)
class AskedMethod:
    """A method and what was asked of it alone.

    Attributes:
        name: of the method.
        options: its own, by name.
        common: settings, likewise.
    """

    name: str
    options: dict[str, Any]
    common: dict[str, Any]


def asked_method(text: str) -> AskedMethod:
    """Reads a word of the command line.

    Args:
        text: such as `difface`, `difface@5` (steps) or `difface@steps=5,start=100,finish=0`.

    Raises:
        LimnerError: there is no such method, it has no such option, an option comes twice or has no value of its kind.
    """
    name, at, words = text.partition("@")
    own = {one.name: one for one in declared_fields(options_of(name))}
    common = {one.name: one for one in declared_fields(Settings) if one.name in COMMON}
    asked = AskedMethod(name, {}, {})
    if not at:
        return asked
    for word in [f"steps={words}"] if words.isdecimal() else words.split(","):
        option, equals, value = word.partition("=")
        option = option.replace("-", "_")
        if not equals or option not in own | common:
            raise LimnerError(
                f"--method is '{text}': give {name}, one with its steps, {name}@25, or with options, "
                f"{name}@steps=25,seed=1; it has {', '.join([*own, *common])}."
            )
        if option in asked.options | asked.common:
            raise LimnerError(f"--method is '{text}': {option} stands there twice.")
        if option in own:
            asked.options[option] = _value(own[option], value, text)
        else:
            asked.common[option] = _value(common[option], value, text)
    return asked


def _value(one: DeclaredField, word: str, text: str) -> object:
    """A word as the option's type has it.

    Raises:
        LimnerError: if it is none of that type; whether it is in the range is checked with the settings.
    """
    kinds = tuple(alternatives(one.type))
    if one.declaration.parse:
        return one.declaration.parse(word)
    if bool in kinds:
        if word not in ("true", "false"):
            raise LimnerError(f"--method is '{text}': {one.name} is true or false.")
        return word == "true"
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(word)
            except ValueError:
                continue
    if {int, float} & set(kinds):
        raise LimnerError(f"--method is '{text}': {one.name} is a number, {one.declaration.range or 'any'}.")
    return word
