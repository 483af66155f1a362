"""A method with its options in one word."""

import pytest

from limner.cli.asked_method import asked_method
from limner.errors import LimnerError


def test_a_method_alone_with_steps_and_with_options():
    assert asked_method("difface").options == {}
    assert asked_method("difface@5").options == asked_method("difface@steps=5").options == {"steps": 5}
    asked = asked_method("difface@steps=5,start=100,eta=0.25,finish=0,strength=auto,scheduler=unipc")
    assert (asked.name, asked.options) == ("difface", {"steps": 5, "start": 100, "eta": 0.25})
    assert asked.common == {"finish": 0, "strength": "auto", "scheduler": "unipc"}
    asked = asked_method("ldbfr@snap=true,timestep-spacing=trailing")
    assert asked.options == {"snap": True, "timestep_spacing": "trailing"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("difface@fast", "give difface, one with its steps, difface@25, or with options"),
        ("difface@snap=true", "it has steps, start, eta, weights"),
        ("difface@steps=5,steps=6", "steps stands there twice"),
        ("difface@steps=five", "steps is a number, 0 to 999"),
        ("ldbfr@snap=1", "snap is true or false"),
        ("luck@5", "There is no method 'luck'"),
    ],
)
def test_what_makes_no_sense_is_told(text, message):
    with pytest.raises(LimnerError, match=message):
        asked_method(text)


def test_one_that_is_out_of_range_is_refused_by_the_settings():
    from limner import Settings

    asked = asked_method("difface@steps=5000")
    with pytest.raises(LimnerError, match="takes 0 to 999 for steps"):
        Settings(method=asked.name, options=asked.options)
