"""What can be asked of a restoration, and the sentence for what can't."""

import json
from dataclasses import FrozenInstanceError

import pytest

from limner import LimnerError, Settings
from limner.declared import alternatives, declared_fields
from limner.methods import METHODS
from limner.methods.options import DifFaceOptions, RefLDMOptions
from limner.settings import FACES, MACHINE, METHOD, RESULT, faces_of, strength_of


def refused(told, **given):
    with pytest.raises(LimnerError) as error:
        Settings(**given)
    assert str(error.value) == told


@pytest.mark.parametrize("method", METHODS)
def test_the_defaults_stand_within_what_is_declared(method):
    assert Settings(method=method).options == {}


@pytest.mark.parametrize("faces", ["all", "largest", [0, 2], (1,)])
def test_faces_are_a_word_or_their_numbers(faces):
    assert Settings(faces=faces).faces == faces


def test_every_common_option_has_its_help_and_its_family():
    for one in declared_fields(Settings):
        assert one.declaration.help.endswith(".") and one.declaration.family in (METHOD, FACES, RESULT, MACHINE)
        numbers = {int, float} & set(alternatives(one.type))
        assert not numbers or None not in (one.declaration.least, one.declaration.most), "every number has its range"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"album": True},
            "The method 'difface' can't use references: choose refldm or clrface, or leave them out.",
        ),
        (
            {"album": True, "references": ["a.jpg"], "method": "refldm"},
            "Either the album chooses the references or you do: leave out --album or --reference.",
        ),
        ({"person": "Anna"}, "Only the album knows who 'Anna' is: add --album."),
        (
            {"samples": 8, "keep": 2},
            "--keep takes the samples most like the person: give --reference or --album.",
        ),
        (
            {"samples": 2, "keep": 3, "album": True, "method": "refldm"},
            "--keep 3 needs as many samples: there are 2, see --samples.",
        ),
        ({"strength": -1}, "limner takes auto, or 0 to 1 for strength, not -1."),
        ({"strength": "half"}, "There is no strength 'half': choose auto, or 0 to 1."),
        ({"background": "cleen"}, "There is no background 'cleen': choose keep or clean."),
        ({"detector": "yolo"}, "There is no detector 'yolo': choose limner or yunet."),
        ({"dtype": "fp16"}, "There is no dtype 'fp16': choose auto, fp32 or bf16."),
        ({"samples": 65}, "limner takes 1 to 64 for samples, not 65."),
        ({"upscale": 0}, "limner takes 1 to 8 for upscale, not 0."),
        ({"upscale": 1.5}, "limner takes 1 to 8 for upscale, not 1.5."),
        ({"seed": -1}, f"limner takes 0 to {2**64 - 1} for seed, not -1."),
        ({"min_score": 2}, "limner takes 0 to 1 for min score, not 2."),
        ({"finish": -1}, "limner takes 0 to 999 for finish, not -1."),
        ({"threads": 0}, "limner takes 1 to 1024 for threads, not 0."),
        ({"threads": 10**9}, "limner takes 1 to 1024 for threads, not 1000000000."),
        ({"min_face": 1e38}, "limner takes 0 to 100000 for min face, not 1e+38."),
        ({"seed": 2**64}, f"limner takes 0 to {2**64 - 1} for seed, not {2**64}."),
        ({"grain": "no"}, "limner takes true or false for grain, not 'no'."),
        ({"method": "magic"}, f"There is no method 'magic': choose one of {', '.join(METHODS)}."),
        ({"options": {"eta": 2}}, "difface takes 0 to 1 for eta, not 2."),
        (
            {"method": "ldbfr", "options": DifFaceOptions()},
            "The options are of another method than 'ldbfr': give LDBFROptions.",
        ),
        (
            {"method": "refldm", "references": "anna.jpg"},
            "The references must be a list, also where there is one: [reference].",
        ),
        (
            {"references": ["anna.jpg"]},
            "The method 'difface' can't use references: choose refldm or clrface, or leave them out.",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_gets_one_sentence(given, told):
    refused(told, **given)


def test_the_options_that_were_asked_for_stand_over_those_that_suit():
    suited = RefLDMOptions(steps=3, guidance=2.0)
    asked = Settings(method="refldm", options={"steps": 9})
    assert asked.sampling(suited) == RefLDMOptions(steps=9, guidance=2.0)
    whole = RefLDMOptions(eta=0.5)
    assert Settings(method="refldm", options=whole).sampling(suited) is whole


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        setattr(Settings(), "seed", 4)  # noqa: B010


def test_words_of_the_command_line():
    assert [faces_of(word) for word in ("all", "largest", "2", "0,2")] == ["all", "largest", [2], [0, 2]]
    assert [strength_of(word) for word in ("auto", "0", ".25")] == ["auto", 0.0, 0.25]
    with pytest.raises(LimnerError, match="--faces is 'left': give all, largest, or indices such as 0,2."):
        faces_of("left")
    with pytest.raises(LimnerError, match="--strength is 'much': give auto, or a number from 0 to 1."):
        strength_of("much")


def test_what_decides_a_result_is_recorded():
    told = json.loads(Settings(faces=(0, 2), upscale=2).recorded(DifFaceOptions(eta=0.25), "ab12"))
    assert (told["faces"], told["upscale"], told["eta"], told["references"]) == ([0, 2], 2, 0.25, "ab12")
    assert "steps" not in told and "seed" not in told, "they have a field of their own"
    assert "eta" not in Settings().recorded()
