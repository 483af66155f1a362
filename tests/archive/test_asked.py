"""What decides a result is told without a net, and changes with all that decides it."""

import json
import subprocess
import sys

import pytest

from limner.archive.asked import asked_of, digest_of_weights
from limner.settings import Settings


def asked(quality=None, provenance=True, holes="", limits="100 megapixels", **settings):
    return asked_of(Settings(**settings), limits, quality, provenance, holes)


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ({"seed": 1}, "seed"),
        ({"options": {"steps": 3}}, "steps"),
        ({"strength": 0.5}, "strength"),
        ({"method": "ldbfr"}, "method"),
        ({"finish": 0}, "finish"),
        ({"faces": [0, 1]}, "faces"),
        ({"upscale": 2}, "upscale"),
        ({"dtype": "fp32"}, "dtype"),
        ({"quality": 80}, "quality"),
        ({"provenance": False}, "provenance"),
        ({"holes": "auto-black"}, "holes"),
        ({"samples": 2}, "samples"),
    ],
)
def test_whatever_decides_a_result_is_told_apart(other, names):
    assert asked().differences(asked(**other)) == [f"settings ({names})"]
    assert asked(**other) == asked(**other)


def test_what_does_not_decide_it_is_none_of_it():
    assert asked().differences(asked(threads=1, device="cpu", limits="9 megapixels")) == []
    assert asked().limits != asked(limits="9 megapixels").limits


def test_references_are_known_by_their_bytes(tmp_path):
    for folder, data in (("one", b"1"), ("two", b"1"), ("three", b"3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(data)
    first, second, third = (asked(method="refldm", references=[tmp_path / name]) for name in ("one", "two", "three"))
    assert first == second and first.differences(third) == ["settings (references)"]
    assert str(tmp_path) not in first.settings


def test_weights_are_known_by_their_bytes(tmp_path):
    file = tmp_path / "mine" / "net" / "weights.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"1")
    settings = Settings(weights=str(tmp_path / "mine"))
    before = digest_of_weights(settings)
    assert before == digest_of_weights(settings) != digest_of_weights(Settings())
    file.write_bytes(b"2")
    assert digest_of_weights(settings) != before
    assert json.loads(asked_of(settings, "", None, True, "").settings)["weights"] == "mine", "no path of the user's"


def test_no_net_is_needed_to_plan():
    code = (
        "import sys, limner.archive.asked as a, limner.archive.plan, limner.archive.claims, limner.archive.status\n"
        "import limner.folder.targets, limner.archive.verify\n"
        "from limner import Settings; a.asked_of(Settings(), '', None, True, ''); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
