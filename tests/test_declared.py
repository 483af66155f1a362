"""Options that are declared: what is read of a field, and the sentence for each value that it can't have."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from limner.declared import Declaration, check, declared, declared_fields
from limner.errors import LimnerError


@dataclass(frozen=True)
class Lamp:
    name: str = declared("lamp", "What it is called.")
    watts: int = declared(40, "Power.", least=0, most=100)
    hours: float = declared(1.5, "How long it burns.", least=0)
    height: float | Literal["auto"] = declared("auto", "Where it hangs.", least=0, most=3)
    colour: Literal["warm", "cold", "day"] = declared("warm", "Of the light.")
    shade: Literal["paper"] | None = declared(None, "Around it.")
    dimmed: bool = declared(False, "Whether it is.")
    bulbs: int | None = declared(None, "How many.", least=1)
    manual: Path | None = declared(None, "Its file.")
    owner: str = "nobody"


@dataclass(frozen=True)
class Lantern(Lamp):
    watts: int = declared(5, "Power of a battery.", least=1, most=9)


GOOD = [
    {},
    {"watts": 0},
    {"watts": 100},
    {"hours": 2},
    {"hours": 1e9},
    {"height": 0},
    {"height": 3.0},
    {"height": "auto"},
    {"colour": "day"},
    {"shade": "paper"},
    {"dimmed": True},
    {"bulbs": 1},
    {"bulbs": None},
    {"manual": Path("lamp.txt")},
    {"owner": 7},
]

BAD = [
    ({"name": 3}, "Anna takes a word for name, not 3."),
    ({"watts": -1}, "Anna takes 0 to 100 for watts, not -1."),
    ({"watts": 101}, "Anna takes 0 to 100 for watts, not 101."),
    ({"watts": 40.0}, "Anna takes 0 to 100 for watts, not 40.0."),
    ({"watts": True}, "Anna takes 0 to 100 for watts, not True."),
    ({"watts": "40"}, "Anna takes 0 to 100 for watts, not 40."),
    ({"watts": None}, "Anna takes 0 to 100 for watts, not None."),
    ({"hours": -0.1}, "Anna takes 0 or more for hours, not -0.1."),
    ({"hours": math.nan}, "Anna takes 0 or more for hours, not nan."),
    ({"hours": math.inf}, "Anna takes 0 or more for hours, not inf."),
    ({"height": 4}, "Anna takes auto, or 0 to 3 for height, not 4."),
    ({"height": "high"}, "There is no height 'high': choose auto, or 0 to 3."),
    ({"colour": "red"}, "There is no colour 'red': choose warm, cold or day."),
    ({"colour": 1}, "There is no colour '1': choose warm, cold or day."),
    ({"colour": None}, "There is no colour 'None': choose warm, cold or day."),
    ({"shade": "glass"}, "There is no shade 'glass': choose paper."),
    ({"dimmed": 1}, "Anna takes true or false for dimmed, not 1."),
    ({"dimmed": "no"}, "Anna takes true or false for dimmed, not 'no'."),
    ({"bulbs": 0}, "Anna takes 1 or more for bulbs, not 0."),
]


@pytest.mark.parametrize("given", GOOD, ids=str)
def test_what_is_declared_passes(given):
    check(Lamp(**given), "Anna")


@pytest.mark.parametrize(("given", "told"), BAD, ids=str)
def test_anything_else_gets_one_sentence(given, told):
    with pytest.raises(LimnerError) as error:
        check(Lamp(**given), "Anna")
    assert str(error.value) == told


def test_words_of_a_name_are_apart():
    @dataclass(frozen=True)
    class Door:
        key_hole: int = declared(1, "Whether it has one.", least=0, most=1)

    with pytest.raises(LimnerError, match=re.escape("Anna takes 0 to 1 for key hole, not 2.")):
        check(Door(key_hole=2), "Anna")


def test_fields_are_read_in_their_order_and_only_those_that_are_declared():
    names = [one.name for one in declared_fields(Lamp)]
    assert names == ["name", "watts", "hours", "height", "colour", "shade", "dimmed", "bulbs", "manual"]
    watts, colour = declared_fields(Lamp)[1], declared_fields(Lamp)[4]
    assert (watts.type, watts.default, watts.declaration) == (int, 40, Declaration("Power.", 0, 100))
    assert watts.choices == () and colour.choices == ("warm", "cold", "day")
    assert declared_fields(Lamp)[3].choices == ("auto",)


def test_a_field_may_be_declared_anew():
    assert [one.name for one in declared_fields(Lantern)] == [one.name for one in declared_fields(Lamp)]
    with pytest.raises(LimnerError, match="Anna takes 1 to 9 for watts, not 40."):
        check(Lantern(watts=40), "Anna")


@pytest.mark.parametrize(
    ("least", "most", "words"), [(None, None, ""), (0, None, "0 or more"), (1, 999, "1 to 999"), (0, 0.5, "0 to 0.5")]
)
def test_a_range_in_words(least, most, words):
    assert Declaration("", least, most).range == words
