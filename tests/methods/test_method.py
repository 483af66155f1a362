"""A method is one object: a fifth one is its own file and one line in the registry, and then all of limner has it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner import LimnerError, Photo, Restorer, Settings
from limner.methods import METHODS

from .toy import TOY, ToyOptions

TESTS = Path(__file__).parent

PROGRAM = """
import json, sys
from limner.methods import METHODS
from toy import ToyOptions

METHODS["toy"] = ToyOptions

from limner.cli.main import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["limner", *words]
    try:
        main()
    except SystemExit as stop:
        if stop.code:
            raise
    print(chr(0))
"""


def limner(*commands) -> list[str]:
    """What the command line prints for each command, in a process that knows the toy."""
    program = f"import sys; sys.path.insert(0, {str(TESTS)!r})\n{PROGRAM}"
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run([sys.executable, "-c", program, words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\0")[:-1]


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(METHODS, "toy", ToyOptions)


@pytest.fixture(scope="module")
def portrait():
    return np.ascontiguousarray(astronaut()[:300, 80:380])


def test_the_object_knows_what_it_is_called():
    assert TOY.info is ToyOptions.info and TOY.info.home.endswith("toy:TOY")


@pytest.mark.slow
def test_the_library_restores_with_it(registered, portrait):
    photo = Photo(portrait, "PNG")
    wish = {"method": "toy", "strength": 1.0, "threads": 1, "dtype": "fp32"}
    plain, same, bright = (
        Restorer(Settings(**wish, options=options)).restore(photo).crops[0].samples[0]
        for options in ({"glow": 0.0}, {"steps": 0}, {"glow": 0.2})
    )
    np.testing.assert_array_equal(plain, same)
    np.testing.assert_allclose(bright, np.clip(plain + 0.4, 0, 1), atol=1e-6, err_msg="two steps suit its weights")
    done = Restorer(Settings(**wish)).restore(photo)
    assert done.provenance is not None and done.provenance.method == "toy"
    with pytest.raises(LimnerError, match="toy takes 0 to 0.5 for glow, not 2."):
        Settings(method="toy", options={"glow": 2})
    with pytest.raises(LimnerError, match="The method 'toy' has no option 'eta': it takes steps, glow."):
        Settings(method="toy", options={"eta": 0})
    with pytest.raises(LimnerError, match="The method 'toy' can't use references: choose refldm or clrface"):
        Settings(method="toy", references=["anna.jpg"])
    with pytest.raises(LimnerError, match="The authors of Nobody, unpublished published no weights: give mini, a fo"):
        Restorer(Settings(method="toy", weights="official"))


@pytest.mark.slow
def test_the_command_line_restores_with_it_and_tells_of_it(registered, portrait, tmp_path):
    photo = tmp_path / "anna.png"
    Image.fromarray(portrait).save(photo)
    words = ["restore", photo, "-o", tmp_path / "out.png", "--method", "toy", "--glow", 0.2, "--threads", 1]
    restored, told, listed = limner([*words, "--strength", 1, "--json"], ["restore", "--help"], ["methods", "--json"])
    assert json.loads(restored)["method"] == "toy" and len(json.loads(restored)["faces"]) == 1
    settings = Settings(method="toy", options={"glow": 0.2}, strength=1.0, threads=1)
    wanted = Restorer(settings).restore(Photo.open(photo)).photos[0].pixels
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), wanted)
    (panel,) = [part for part in told.split("╭─") if part.startswith(" toy ")]
    shown = " ".join(panel.replace("│", " ").split())
    assert "--glow" in shown and "toy: how much brighter each step makes it (0 to 0.5)." in shown
    assert json.loads(listed)[-1]["name"] == "toy"
    assert json.loads(listed)[-1]["title"] == "a regressor's estimate, brightened step by step"


@pytest.mark.slow
def test_benchmark_measures_it(shared):
    words = ["benchmark", "--protocol", "limner-test", "--limit", 1, "--data", shared / "faces", "--threads", 1]
    bare = ["--strength", 1]  # what the photo knows better would be joined with it
    (told,) = limner([*words, *bare, "--method", "toy", "--method", "toy@9", "--glow", 0.1, "--json"])
    rows = {row["method"]: row for row in json.loads(told)["rows"]}
    assert list(rows) == ["input", "dull", "toy", "toy@9"]
    assert rows["dull"]["psnr"] > rows["toy"]["psnr"] > rows["toy@9"]["psnr"]
