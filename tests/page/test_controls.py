"""The controls of the page are made of what is declared."""

import gradio as gr
import pytest

from limner.declared import declared_fields
from limner.methods import METHODS
from limner.page.controls import ADVANCED, common_controls, method_control, method_controls, method_of, words_of
from limner.page.fields import settings_of
from limner.page.restoring import Limits
from limner.settings import Settings


def test_every_option_of_every_method_has_a_control_that_is_empty_at_first():
    with gr.Blocks():
        made = method_controls()
        methods = method_control()
    for method, kind in METHODS.items():
        _, controls = made[method]
        assert list(controls) == [one.name for one in declared_fields(kind)]
        for one in declared_fields(kind):
            assert one.declaration.help.rstrip(".") in controls[one.name].info
        assert words_of(list(controls), [one.value for one in controls.values()]) == {}
    assert [name for _, name in methods.choices] == ["auto", *METHODS] and not any(
        "--" in it for it, _ in methods.choices
    )


def test_untouched_controls_are_the_defaults():
    with gr.Blocks():
        controls = common_controls()
    assert list(controls) == list(ADVANCED)
    words = words_of(list(controls), [one.value for one in controls.values()])
    assert settings_of(words, Settings(), Limits()) == Settings()


@pytest.mark.parametrize(
    ("value", "word"), [(True, "yes"), (False, "no"), (3, "3"), (3.0, "3"), (0.5, "0.5"), ("ddim", "ddim")]
)
def test_values_are_words(value, word):
    assert words_of(["x", "y", "z"], [value, None, ""]) == {"x": word}


def test_with_photos_of_the_person_another_method_fits():
    assert method_of("auto", "difface", False) == "difface" and method_of("auto", "difface", True) == "refldm"
    assert method_of("clrface", "difface", True) == "clrface"
