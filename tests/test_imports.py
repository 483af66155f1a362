"""The structure of the package: no circle of imports, and nothing that the project has sworn off."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in (SOURCE / "limner").rglob("*.py")}


def imported(path: Path, everything: bool) -> set[str]:
    """Modules that a file imports; without `everything` only those its own import needs (top level, not typing)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everything else iter(tree.body)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_there_is_no_circle_of_imports():
    graph = {
        name: {other for other in imported(path, everything=False) if other in MODULES and other != "limner"}
        for name, path in MODULES.items()
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert len(order) == len(MODULES) > 30


def test_runs_as_a_module():
    command = [sys.executable, "-m", "limner", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("limner 0.")


def test_nothing_imports_torchvision_or_what_drags_it_in():
    sworn_off = {"torchvision", "basicsr", "facexlib", "timm", "spandrel", "lpips", "pyiqa", "torch_fidelity"}
    for path in MODULES.values():
        roots = {name.split(".")[0] for name in imported(path, everything=True)}
        assert not roots & sworn_off, path


def test_training_libraries_are_needed_for_training_only():
    for name, path in MODULES.items():
        if not name.startswith("limner.train"):
            assert not {"accelerate", "tensorboard"} & {n.split(".")[0] for n in imported(path, everything=True)}, name
