"""The structure of the package: no circle of imports, and nothing that the project has sworn off."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from PIL import Image
from skimage.data import astronaut

SOURCE = Path(__file__).parents[1] / "src"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in (SOURCE / "limner").rglob("*.py")}


ORDER = (
    ("errors", "process", "version", "template"),
    ("declared", "extras"),
    ("pixels",),
    ("device",),
    ("memory",),
    ("photo",),
    ("storage",),
    ("degrade",),
    ("nets",),
    ("weights",),
    ("methods",),
    ("settings",),
    ("faces",),
    ("damage",),
    ("background",),
    ("holes",),
    ("album",),
    ("progress", "restoration"),
    ("restorer",),
    ("one_photo",),
    ("limner",),  # the package's own __init__, which names what the library offers
    ("folder", "video"),
    ("archive",),
    ("page",),
    ("data",),
    ("evaluate",),
    ("cluster",),
    ("train",),
    ("cli",),
    ("__main__",),
)
"""What stands directly under `limner`, lowest first: each may import from its own row and from those above it here,
also within functions and for typing alone."""

CLIMBERS: set[tuple[str, str]] = set()
"""Imports against the order that are still there. The list may only become shorter."""

RANK = {name: row for row, names in enumerate(ORDER) for name in names}


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: imports are absolute"
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names |= {full if full in MODULES else node.module for full in inner.values()}
    return names


GRAPH = {name: (imported(path) & MODULES.keys()) - {name} for name, path in MODULES.items()}


def part(module: str) -> str:
    """What stands directly under `limner` and holds a module."""
    return [*module.split("."), "limner"][1]


def test_there_is_no_circle_of_imports():
    order = list(TopologicalSorter(GRAPH).static_order())  # raises CycleError, which names the circle
    assert len(order) == len(MODULES) > 30


def test_the_order_names_every_part():
    assert {part(name) for name in MODULES} == RANK.keys()


def test_no_import_climbs():
    climbers = {
        (name, other) for name, others in GRAPH.items() for other in others if RANK[part(other)] > RANK[part(name)]
    }
    assert climbers - CLIMBERS == set()
    assert CLIMBERS - climbers == set(), "take these off the list"


@pytest.mark.parametrize("module", ["limner", "limner.cli.main"])
def test_torch_is_imported_when_it_is_needed(module: str):
    code = f"import sys, {module}; from limner import Settings, Photo; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "limner.photo.photo" in loaded
    assert not {"torch", "diffusers", "transformers", "huggingface_hub"} & set(loaded)


NOT_FOR_RESTORING = {
    *("matplotlib", "skimage", "sklearn", "pandas", "jinja2", "onnx", "tensorboard", "transformers", "torchvision"),
    *("tifffile", "imagecodecs", "pillow_heif", "av"),
    *("limner.data", "limner.degrade", "limner.train.loop", "limner.train.recipe", "limner.train.recipes"),
    *("limner.evaluate.measure", "limner.evaluate.metric", "limner.evaluate.metrics", "limner.evaluate.report"),
    *("limner.methods.refldm", "limner.methods.ldbfr", "limner.methods.clrface"),
    *("limner.nets.vqgan", "limner.nets.swinir", "limner.nets.injection", "limner.nets.stage_a"),
}
"""What `limner restore portrait.jpg` has no use for: others' formats, measuring, training, the other methods. scipy and
accelerate aren't listed, because diffusers imports both itself where they are installed."""


@pytest.mark.slow
def test_a_restoration_imports_nothing_that_it_does_not_use(tmp_path):
    Image.fromarray(astronaut()[:300, 80:380]).save(tmp_path / "portrait.jpg")
    words = ["limner", "restore", str(tmp_path / "portrait.jpg"), "-o", str(tmp_path / "out"), "--threads", "1"]
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sys.modules))
sys.argv = {words!r}
from limner.cli.main import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "1 face restored" in done.stderr and (tmp_path / "out" / "portrait.jpg").is_file()
    loaded = set(done.stdout.split())
    assert {"limner.restorer", "limner.methods.difface", "torch", "diffusers"} <= loaded
    assert loaded & NOT_FOR_RESTORING == set()


def test_runs_as_a_module():
    command = [sys.executable, "-m", "limner", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("limner 0.")


def test_nothing_imports_torchvision_or_what_drags_it_in():
    sworn_off = {"torchvision", "basicsr", "facexlib", "timm", "spandrel", "lpips", "pyiqa", "torch_fidelity"}
    for path in MODULES.values():
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & sworn_off, path


def test_training_libraries_are_needed_for_training_only():
    for name, path in MODULES.items():
        if not name.startswith("limner.train"):
            assert not {"accelerate", "tensorboard"} & {n.split(".")[0] for n in imported(path)}, name
