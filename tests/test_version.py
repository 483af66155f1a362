"""One version, wherever it is named."""

import tomllib
from pathlib import Path

import limner
from limner.version import __version__


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert __version__ == limner.__version__ == project["version"]
