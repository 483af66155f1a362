"""The options of each method: the papers' defaults, their ranges, and one sentence for what lies outside."""

from importlib import import_module

import pytest

from limner import Restorer, Settings
from limner.declared import alternatives, declared_fields
from limner.errors import LimnerError
from limner.methods import METHODS, find_method, list_methods, options_of
from limner.methods.method import Method
from limner.methods.options import CLRFaceOptions, DifFaceOptions

STEPS = ["difface", "ldbfr", "clrface"]


@pytest.mark.parametrize(
    ("method", "given", "told"),
    [
        *(
            (name, {"steps": steps}, f"{name} takes 0 to 999 for steps, not {steps}.")
            for name in STEPS
            for steps in (-1, 1000)
        ),
        *(("refldm", {"steps": steps}, f"refldm takes 1 to 999 for steps, not {steps}.") for steps in (0, 1000)),
        *((name, {"eta": 1.5}, f"{name} takes 0 to 1 for eta, not 1.5.") for name in METHODS),
        *(
            (name, {"start": start}, f"{name} takes 1 to 999 for start, not {start}.")
            for name in STEPS
            for start in (0, 1000)
        ),
        *(
            (name, {"timestep_spacing": "odd"}, "There is no timestep spacing 'odd': choose leading or trailing.")
            for name in ("refldm", "ldbfr", "clrface")
        ),
        ("refldm", {"guidance": -1.0}, "refldm takes 0 to 20 for guidance, not -1.0."),
        ("refldm", {"encoding": "tall"}, "There is no encoding 'tall': choose wide or separate."),
        ("ldbfr", {"snap": 1}, "ldbfr takes true or false for snap, not 1."),
        ("clrface", {"guidance": -1}, "clrface takes 0 to 10 for guidance, not -1."),
        ("clrface", {"mask": "half"}, "There is no mask 'half': choose learned, one or zero."),
        ("clrface", {"guide_below": 1001}, "clrface takes 0 to 1000 for guide below, not 1001."),
        ("clrface", {"guide_every": 0}, "clrface takes 1 to 999 for guide every, not 0."),
        *(
            (name, {"guidance": 1e38}, f"{name} takes 0 to {most} for guidance, not 1e+38.")
            for name, most in (("refldm", 20), ("clrface", 10))
        ),
    ],
    ids=str,
)
def test_what_a_method_does_not_take_gets_one_sentence(method, given, told):
    with pytest.raises(LimnerError) as error:
        options_of(method)().but(given)
    assert str(error.value) == told


@pytest.mark.parametrize("method", METHODS)
def test_an_option_that_it_does_not_know_is_named_with_those_that_it_does(method):
    known = {one.name for one in declared_fields(options_of(method))}
    with pytest.raises(LimnerError) as error:
        options_of(method)().but({"steps": 1, "glow": 1})
    told, _, names = str(error.value).partition(": it takes ")
    assert told == f"The method '{method}' has no option 'glow'" and set(names.rstrip(".").split(", ")) == known


@pytest.mark.parametrize("method", METHODS)
def test_the_ends_of_a_range_are_in_it_and_there_is_one_line_of_help(method):
    kind = options_of(method)
    for one in declared_fields(kind):
        numbers = {int, float} & set(alternatives(one.type))
        assert not numbers or None not in (one.declaration.least, one.declaration.most), "every number has its range"
        for value in (one.declaration.least, one.declaration.most, *one.choices):
            if value is not None:
                assert getattr(kind(**{one.name: value}), one.name) == value
        help = one.declaration.help
        assert help and not help[0].isupper() and not help.endswith("."), "the command line joins them to sentences"


def test_but_takes_the_place_of_some_and_checks_at_once():
    assert DifFaceOptions(start=20, steps=2).but({"steps": 3}) == DifFaceOptions(start=20, steps=3)
    with pytest.raises(LimnerError, match="clrface takes 1 to 999 for guide every, not 0."):
        CLRFaceOptions(guide_every=0)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_home_holds_it(method):
    info = find_method(method)
    module, name = info.home.split(":")
    home = getattr(import_module(module), name)
    assert isinstance(home, Method) and home.info is info and info.name == method
    assert type(home.mini) is options_of(method) is type(home.pipeline.paper)
    assert home.scheduled_by in home.nets


def test_there_are_four_methods_of_which_two_use_references():
    assert [one.name for one in list_methods()] == ["difface", "refldm", "ldbfr", "clrface"]
    assert [one.name for one in list_methods() if one.references] == ["refldm", "clrface"]
    with pytest.raises(LimnerError, match="There is no method 'magic': choose one of difface, refldm, ldbfr, clrface."):
        options_of("magic")


def test_more_steps_than_there_is_room_for_are_refused_before_any_photo():
    with pytest.raises(LimnerError, match="500 steps don't fit below the start step 20: choose 1 to 20."):
        Restorer(Settings(options={"steps": 500}, threads=1))
    for possible in (DifFaceOptions(start=50, steps=50), CLRFaceOptions(steps=900), options_of("refldm")()):
        possible.suit_each_other()
