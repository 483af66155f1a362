"""limner is typed for those who use it: `py.typed` ships, and pyright knows what a program may do with it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("typed_program.py")


MISTAKES = """import limner
limner.restore(3)
limner.Settings(strenght=1)
limner.restore("a.jpg").faces[0].boxes
limner.restore("a.jpg", progress=lambda done: None)
"""


@pytest.fixture(scope="module")
def complaints(tmp_path_factory) -> list[tuple[str, int, str]]:
    """What pyright says of both programs in its strict mode: file, line and sentence."""
    folder = tmp_path_factory.mktemp("programs")
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT / "src")]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    (folder / "program.py").write_text(PROGRAM.read_text(encoding="utf-8"))
    (folder / "mistakes.py").write_text(MISTAKES)
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(folder)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert told["summary"]["filesAnalyzed"] == 2, told
    diagnostics = told["generalDiagnostics"]
    return [(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"]) for one in diagnostics]


@pytest.mark.slow
def test_a_typed_program_passes(complaints):
    assert [one for one in complaints if one[0] == "program.py"] == []


@pytest.mark.slow
def test_mistakes_are_told(complaints):
    assert {line for file, line, _ in complaints if file == "mistakes.py"} == {2, 3, 4, 5}


@pytest.mark.slow
def test_the_mark_of_typed_packages_ships_in_the_wheel(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert "limner/py.typed" in names
    modules = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "limner").rglob("*.py")}
    assert modules <= set(names)
