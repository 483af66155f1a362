"""Controls of the page, made of the options as they are declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from limner.declared import DeclaredField, alternatives
from limner.extras import needed
from limner.methods import list_methods
from limner.page.fields import FIELDS, OPTIONS

with needed("gradio", "The page"):
    import gradio as gr

if TYPE_CHECKING:
    from gradio.components.base import FormComponent

BY_ITSELF = "auto"
"""The choice of method that leaves it to what is there: with other photographs of the person another than without."""
WITH_REFERENCES = "refldm"

ADVANCED = ("strength", "background", "upscale", "grain", "seed", "finish", "scheduler")
MANY = 10**6
"""Limits as large are no news to anybody."""
SUITS = "what suits"
SUGGESTED = {"strength": ("auto", "0.25", "0.5", "0.75", "1")}


def method_control() -> gr.Radio:
    """The choice of a method."""
    methods = [(f"{one.name}: {one.when.replace('--', '')}", one.name) for one in list_methods()]
    fits = "whichever fits: difface, and refldm where there are other photos of the person"
    return gr.Radio([(fits, BY_ITSELF), *methods], value=BY_ITSELF, label="Method", elem_id="method")


def common_controls() -> dict[str, FormComponent]:
    """Options of all methods, by the names of their fields."""
    return {name: control(FIELDS[name]) for name in ADVANCED}


def method_controls() -> dict[str, tuple[gr.Group, dict[str, FormComponent]]]:
    """By method a group, which is shown when the method is chosen, and in it the options that the method takes."""
    made: dict[str, tuple[gr.Group, dict[str, FormComponent]]] = {}
    for method, options in OPTIONS.items():
        with gr.Group(visible=False) as group:
            made[method] = group, {name: control(one, suits=True) for name, one in options.items()}
    return made


def control(one: DeclaredField, suits: bool = False) -> FormComponent:
    """The control of one option.

    Args:
        one: as it is declared.
        suits: whether it is left empty, for what suits the weights.
    """
    declaration, kinds = one.declaration, tuple(alternatives(one.type))
    empty = suits or one.default is None
    limits = f" ({declaration.range})" if declaration.range and (declaration.most or 0) < MANY else ""
    said = f"{declaration.help.rstrip('.')}{limits}."
    how: dict[str, Any] = {"label": label_of(one.name), "info": said}
    if one.name in SUGGESTED:
        return gr.Dropdown(SUGGESTED[one.name], value=str(one.default), allow_custom_value=True, **how)
    if bool in kinds and not suits:
        return gr.Checkbox(value=bool(one.default), **how)
    if words := (("yes", "no") if bool in kinds else one.choices):
        choices = [*([(SUITS, "")] if empty else []), *((word, word) for word in words)]
        return gr.Dropdown(choices, value="" if empty else str(one.default), **how)
    if isinstance(one.default, int | float) and not suits:
        return gr.Number(value=one.default, precision=None if float in kinds else 0, **how)
    return gr.Textbox(value="" if empty else str(one.default), placeholder=SUITS, **how)


def label_of(name: str) -> str:
    """What an option is called on the page."""
    return name.replace("_", " ").capitalize()


def words_of(names: Sequence[str], values: Sequence[object]) -> dict[str, str]:
    """What controls hold, as words for `settings_of`: those that are empty are left out."""
    given = zip(names, values, strict=True)
    return {name: word_of(value) for name, value in given if value is not None and value != ""}


def word_of(value: object) -> str:
    """A control's value as a word."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def method_of(chosen: str, base: str, references: bool) -> str:
    """The method that is meant.

    Args:
        chosen: on the page.
        base: with which the program was started.
        references: whether there are photographs of the person.
    """
    if chosen != BY_ITSELF:
        return chosen
    return WITH_REFERENCES if references else base
