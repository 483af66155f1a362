"""The shape of the code: short files, short functions, few parameters, hardly a cast, and a test for every file.

Files without a test of their own stand in a list that may only become shorter.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "limner"
SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}

MOST_LINES, MOST_IN_A_FUNCTION, MOST_PARAMETERS, MOST_CASTS = 350, 60, 10, 20

WITHOUT_TEST = {
    "cli/benchmark.py",
    "cli/degrade.py",
    "cli/methods.py",
    "cli/train.py",
    "cli/weights.py",
    "errors.py",
    "evaluate/cleaning.py",
    "evaluate/damages.py",
    "evaluate/hog.py",
    "evaluate/landmarks.py",
    "train/losses/adversary.py",
    "train/losses/identity.py",
    "train/losses/latent.py",
    "train/losses/variational.py",
    "train/recipe.py",
    "train/recipes/alignnet.py",
    "train/recipes/clean.py",
    "train/recipes/clrface/encoder.py",
    "train/recipes/clrface/irn.py",
    "train/recipes/clrface/mask.py",
    "train/recipes/clrface/prior.py",
    "train/recipes/clrface/vqgan.py",
    "train/recipes/difface/estimator.py",
    "train/recipes/difface/prior.py",
    "train/recipes/fusion.py",
    "train/recipes/fusion_baselines.py",
    "train/recipes/ldbfr/injection.py",
    "train/recipes/ldbfr/prior.py",
    "train/recipes/ldbfr/stage_a.py",
    "train/recipes/ldbfr/vq.py",
    "train/recipes/refldm/refldm.py",
    "train/recipes/refldm/vqgan.py",
    "train/sampling.py",
    "train/starting.py",
    "train/validation.py",
    "weights/borrowed.py",
    "weights/ledger.py",
}
"""Files that no test file of the same name and place belongs to."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """All functions below a node with their full names."""
    for child in ast.iter_child_nodes(node):
        name = f"{prefix}{child.name}" if isinstance(child, Function | ast.ClassDef) else prefix.removesuffix(".")
        if isinstance(child, Function):
            yield name, child
        yield from functions(child, f"{name}." if name else "")


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: Function) -> int:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg) if one]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def is_constructor_of_a_net(file: str, name: str) -> bool:
    return file.startswith("nets/") and name.endswith("__init__")


def commands() -> set[str]:
    """Functions whose parameters are a command's options: decorated with `command`, or given to it."""
    found = set()
    for tree in (tree for file, tree in TREES.items() if file.startswith("cli/")):
        for node in ast.walk(tree):
            if isinstance(node, Function):
                found |= {node.name for decorator in node.decorator_list if "takes(" in ast.unparse(decorator)}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and ".command(" in ast.unparse(node.func):
                found |= {ast.unparse(one) for one in node.args}
    return found


def casts(text: str) -> list[tuple[int, str]]:
    """Lines with a cast or an ignored type, and their numbers."""
    return [(n, line) for n, line in enumerate(text.splitlines()) if re.search(r"\bcast\(|# type: ignore", line)]


def matches(found: set[str], known: set[str]) -> None:
    assert found - known == set(), "a file without a test"
    assert known - found == set(), "no longer needed: take it off the list"


def test_files_are_short():
    assert {file for file, text in SOURCES.items() if len(text.splitlines()) > MOST_LINES} == set()


def test_functions_are_short():
    exempt = {"train/loop.py:fit"}
    found = {
        f"{file}:{name}"
        for file, tree in TREES.items()
        for name, function in functions(tree)
        if lines_of(function) > MOST_IN_A_FUNCTION and not is_constructor_of_a_net(file, name)
    }
    assert found == exempt, "too large: split it sensibly"


def test_parameter_lists_are_short():
    exempt = commands()
    found = {
        f"{file}:{name}"
        for file, tree in TREES.items()
        for name, function in functions(tree)
        if parameters_of(function) > MOST_PARAMETERS
        and not is_constructor_of_a_net(file, name)
        and not (file.startswith("cli/") and name in exempt)
    }
    assert found == set(), "too many: a small dataclass holds what belongs together"


def test_there_is_hardly_a_cast():
    assert sum(len(casts(text)) for text in SOURCES.values()) < MOST_CASTS


def test_every_cast_has_its_reason():
    for file, text in SOURCES.items():
        lines = text.splitlines()
        for number, line in casts(text):
            comments = re.sub(r"# type: ignore(\[[\w-]+\])?", "", line) + lines[max(number - 1, 0)]
            assert "#" in comments, f"{file}:{number + 1}: say why, behind it or above"


def test_every_file_has_its_test():
    twins = {file: Path(file).parent / f"test_{Path(file).name}" for file in SOURCES if not file.endswith("__.py")}
    matches({file for file, twin in twins.items() if not (ROOT / "tests" / twin).is_file()}, WITHOUT_TEST)
