"""What may be asked on the page and over HTTP, made of the options as they are declared: from words to `Settings`, and
the other way round a schema for OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from limner.declared import DeclaredField, alternatives, declared_fields
from limner.errors import LimnerError
from limner.methods import METHODS
from limner.page.restoring import Limits
from limner.settings import Settings

COMMON = (
    *("method", "samples", "seed", "strength", "background", "grain", "upscale", "finish", "scheduler"),
    *("faces", "min_face", "min_score", "aligned"),
)
"""Fields of `Settings` that whoever uses the page decides; the others, whoever starts it."""

FIELDS = {one.name: one for one in declared_fields(Settings) if one.name in COMMON}
OPTIONS = {method: {one.name: one for one in declared_fields(kind)} for method, kind in METHODS.items()}
"""By method, the options that it takes, by name."""

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def value_of(one: DeclaredField, word: str) -> object:
    """The value of an option, from a word; an empty one is none or the default.

    Raises:
        LimnerError: if it can't be one.
    """
    kinds = tuple(alternatives(one.type))
    word = word.strip()
    if not word:
        return None if type(None) in kinds else one.default
    if one.declaration.parse:
        return one.declaration.parse(word)
    if bool in kinds:
        if word.lower() not in TRUE + FALSE:
            raise LimnerError(f"'{word}' is neither true nor false: give one of them for {one.name}.")
        return word.lower() in TRUE
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(word)
            except ValueError as error:
                number = "a whole number" if kind is int else "a number"
                raise LimnerError(f"'{word}' is no number: give {number} for {one.name}.") from error
    return word


def settings_of(words: Mapping[str, str], base: Settings, limits: Limits, references: Sequence[Path] = ()) -> Settings:
    """Settings from words.

    Args:
        words: by the name of a field or of an option of the method; what is left out is as in `base`.
        base: how the program was started.
        limits: of samples and references.
        references: photographs of the person.

    Raises:
        LimnerError: if there is no such option or it lies outside its range, or there are too many references.
    """
    common = {name: value_of(FIELDS[name], word) for name, word in words.items() if name in FIELDS}
    method = str(common.get("method", base.method))
    known = OPTIONS.get(method, {})
    others = [name for name in words if name not in FIELDS and name not in known]
    if others and method in OPTIONS:
        takes = ", ".join((*FIELDS, *known))
        raise LimnerError(f"There is no option '{others[0]}' with the method '{method}': it takes {takes}.")
    options = {name: value_of(known[name], word) for name, word in words.items() if name in known and word.strip()}
    if len(references) > limits.references:
        raise LimnerError(f"{len(references)} references are too many: give {limits.references} at most.")
    settings = replace(base, **{"options": options, "references": tuple(references), **common})
    if settings.samples > limits.samples:
        raise LimnerError(f"{settings.samples} samples are too many here: ask for {limits.samples} at most.")
    return settings


def schema() -> dict[str, Any]:
    """The fields and options as a schema of OpenAPI's, by name; of an option of several methods what each says."""
    known = {name: _described(one, one.declaration.help) for name, one in FIELDS.items()}
    for method, options in OPTIONS.items():
        for name, one in options.items():
            said = f"{method}: {one.declaration.help}"
            if one.declaration.range:
                said += f" ({one.declaration.range})"
            if name in known:
                known[name]["description"] += f"; {said}"
            else:
                known[name] = {"type": _described(one, "")["type"], "description": said}
    return known


def _described(one: DeclaredField, help: str) -> dict[str, Any]:
    kinds, declaration = tuple(alternatives(one.type)), one.declaration
    known: dict[str, Any] = {"type": "string", "description": help}
    if bool in kinds:
        known["type"] = "boolean"
    elif declaration.parse is None and (int in kinds or float in kinds):
        known["type"] = "integer" if int in kinds else "number"
        limits = {"minimum": declaration.least, "maximum": declaration.most}
        known |= {key: value for key, value in limits.items() if value is not None}
    elif one.choices and declaration.parse is None:
        known["enum"] = list(one.choices)
    if one.default is not None:
        known["default"] = one.default
    return known
