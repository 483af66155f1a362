"""A short run of what `make fuzz` does at length, and that the fuzzer sees what it looks for."""

from pathlib import Path

import pytest

from limner.photo import read

from .photo_bombs import BOMBS
from .photo_mutations import Case, case
from .photo_seeds import SEEDS, is_still, seed
from .photos import outcomes, tried


def test_damaged_photos_end_as_photos_or_in_a_sentence() -> None:
    found = outcomes(2026, range(400))
    assert [one for one in found if one.failed] == []
    assert {one.kind for one in found} == {"refused", "restored"} and len(found) == 400


@pytest.mark.parametrize("name", SEEDS)
def test_whole_photos_are_restored(tmp_path: Path, name: str) -> None:
    kind = tried(Case(name, "whole", seed(name), False), 0, tmp_path).kind
    assert kind == ("restored" if is_still(name) else "refused")


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_small_files_take_neither_gigabytes_nor_minutes(tmp_path: Path, name: str) -> None:
    make, most = BOMBS[name]
    outcome = tried(Case(name, "bomb", make(most), False), 0, tmp_path)
    assert not outcome.failed, outcome


def test_a_case_is_its_number_and_no_other() -> None:
    assert case(0, 7) == case(0, 7) != case(1, 7)


def test_what_goes_wrong_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Case("rgb.png", "metadata", seed("rgb.png"), True)
    monkeypatch.setattr(read, "icc", None)  # any exception that is not limner's own
    assert tried(photo, 0, tmp_path).kind == "AttributeError"
    assert tried(Case("rgb.png", "metadata", b"no photo", True), 0, tmp_path).kind == "metadata"
