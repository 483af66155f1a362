"""From words to settings, and from declarations to a schema."""

from pathlib import Path

import pytest

from limner.declared import declared_fields
from limner.errors import LimnerError
from limner.methods import METHODS
from limner.page.fields import COMMON, schema, settings_of
from limner.page.restoring import Limits
from limner.settings import Settings

LIMITS = Limits(references=1)


def asked(**words: str) -> Settings:
    return settings_of(words, Settings(seed=5, threads=2), LIMITS)


def test_words_become_values_of_their_kinds():
    got = asked(method="clrface", guidance="0.5", steps="3", mask="one", aligned="TRUE", upscale=" 2 ", min_face="40")
    assert (got.method, got.aligned, got.upscale, got.min_face) == ("clrface", True, 2, 40.0)
    assert got.options == {"guidance": 0.5, "steps": 3, "mask": "one"}
    assert (got.seed, got.threads) == (5, 2), "what isn't given is as the program was started"
    assert asked(finish="", seed="").finish is None and asked(seed="").seed == 0


def test_what_whoever_starts_the_program_decides_can_t_be_asked():
    for name in ("weights", "device", "threads", "yunet", "references", "detector"):
        with pytest.raises(LimnerError, match=f"^There is no option '{name}' with the method 'difface': it takes"):
            asked(**{name: "1"})


def test_too_many_references_are_told():
    with pytest.raises(LimnerError, match="^2 references are too many: give 1 at most.$"):
        settings_of({"method": "refldm"}, Settings(), LIMITS, [Path("a"), Path("b")])


def test_the_schema_names_every_option_of_every_method():
    known = schema()
    for kind in METHODS.values():
        for one in declared_fields(kind):
            assert f"{kind.info.name}: {one.declaration.help}" in known[one.name]["description"]
    assert set(COMMON) <= known.keys()
    assert known["upscale"] == {
        "type": "integer", "minimum": 1, "maximum": 8, "default": 1,
        "description": "Enlarge the photo so many times, what is no face by a small net.",
    }  # fmt: skip
    assert known["background"]["enum"] == ["keep", "clean"] and known["strength"]["type"] == "string"
