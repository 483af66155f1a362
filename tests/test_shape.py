"""The shape of the code: short files, short functions, few parameters, hardly a cast, and a test for every file.

What is still too large stands in lists of known offenders. They may only become shorter: an entry that is no longer
needed fails, and so does whatever is too large and not listed.
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

LONG_FILES = {"cli/benchmark.py", "cli/main.py", "train/recipes/alignnet.py"}

LONG_FUNCTIONS = {
    "cli/benchmark.py:benchmark",
    "cli/main.py:restore",
    "cli/main.py:train",
    "evaluate/guidance.py:guidance_sweep",
    "evaluate/protocols.py:limner_test",
    "evaluate/references.py:reference_test",
    "folder.py:restore_all",
    "methods/clrface.py:CLRFacePipeline.__call__",
    "methods/ldbfr.py:LDBFRPipeline.__call__",
    "methods/refldm.py:RefLDMPipeline.__call__",
    "train/recipes/clrface/prior.py:clrface_prior",
    "train/recipes/difface/prior.py:difface_prior",
    "train/recipes/ldbfr/injection.py:ldbfr_injection",
    "train/recipes/ldbfr/prior.py:ldbfr_prior",
    "train/recipes/ldbfr/stage_a.py:ldbfr_stage_a",
    "train/recipes/refldm/refldm.py:refldm",
    "train/recipes/refldm/vqgan.py:vqgan",
}

LONG_PARAMETER_LISTS = {
    "methods/clrface.py:CLRFacePipeline.__call__",
    "methods/ldbfr.py:LDBFRPipeline.__call__",
    "methods/refldm.py:RefLDMPipeline.__call__",
    "train/__init__.py:make_recipe",
}

CASTS = {
    "cli/benchmark.py": 1,
    "device.py": 1,
    "evaluate/ceilings.py": 8,
    "evaluate/perceptual.py": 1,
    "evaluate/protocols.py": 2,
    "methods/ldbfr.py": 3,
    "methods/loaded.py": 1,
    "methods/schedules.py": 3,
    "restorer.py": 1,
    "train/losses/reference.py": 1,
    "train/recipes/alignnet_fine.py": 1,
    "train/recipes/clrface/encoder.py": 2,
    "train/recipes/clrface/irn.py": 1,
    "train/recipes/clrface/prior.py": 3,
    "train/recipes/decoder.py": 5,
    "train/recipes/difface/prior.py": 2,
    "train/recipes/difface/prior_sharp.py": 4,
    "train/recipes/identity.py": 2,
    "train/recipes/ldbfr/injection.py": 1,
    "train/recipes/ldbfr/prior.py": 4,
    "train/recipes/ldbfr/stage_a.py": 3,
    "train/recipes/ldbfr/vq.py": 1,
    "train/recipes/refldm/refldm.py": 1,
    "train/recipes/refldm/vqgan.py": 3,
    "weights/formats/adm.py": 2,
    "weights/formats/refldm.py": 1,
    "weights/load.py": 5,
    "weights/official.py": 1,
}
"""How many casts and ignored types each file may have beyond the MOST_CASTS of the whole package."""

WITHOUT_TEST = {
    "cli/benchmark.py",
    "cli/options.py",
    "cli/output.py",
    "cli/weights.py",
    "errors.py",
    "evaluate/cleaning.py",
    "evaluate/hog.py",
    "evaluate/landmarks.py",
    "evaluate/perceptual.py",
    "evaluate/protocols.py",
    "methods/crops.py",
    "methods/identity_guidance.py",
    "methods/loaded.py",
    "methods/schedules.py",
    "settings.py",
    "train/distributed.py",
    "train/fixed_faces.py",
    "train/frozen.py",
    "train/losses/adversary.py",
    "train/losses/identity.py",
    "train/losses/latent.py",
    "train/losses/variational.py",
    "train/recipe.py",
    "train/recipes/alignnet.py",
    "train/recipes/alignnet_fine.py",
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
    "weights/borrowed.py",
    "weights/formats/adm.py",
    "weights/formats/swinir.py",
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
                found |= {node.name for decorator in node.decorator_list if ".command(" in ast.unparse(decorator)}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and ".command(" in ast.unparse(node.func):
                found |= {ast.unparse(one) for one in node.args}
    return found


def casts(text: str) -> list[tuple[int, str]]:
    """Lines with a cast or an ignored type, and their numbers."""
    return [(n, line) for n, line in enumerate(text.splitlines()) if re.search(r"\bcast\(|# type: ignore", line)]


def matches(found: set[str], known: set[str]) -> None:
    assert found - known == set(), "too large: split it sensibly"
    assert known - found == set(), "no longer needed: take it off the list"


def test_files_are_short():
    matches({file for file, text in SOURCES.items() if len(text.splitlines()) > MOST_LINES}, LONG_FILES)


def test_functions_are_short():
    exempt = {"train/loop.py:fit"}
    found = {
        f"{file}:{name}"
        for file, tree in TREES.items()
        for name, function in functions(tree)
        if lines_of(function) > MOST_IN_A_FUNCTION and not is_constructor_of_a_net(file, name)
    }
    matches(found - exempt, LONG_FUNCTIONS)


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
    matches(found, LONG_PARAMETER_LISTS)


def test_there_is_hardly_a_cast():
    counts = {file: len(casts(text)) for file, text in SOURCES.items()}
    assert sum(counts.values()) - sum(CASTS.values()) < MOST_CASTS
    assert all(counts.get(file, 0) == known > 0 for file, known in CASTS.items()), "fewer now: lower the numbers"
    assert not CASTS or sum(counts.values()) >= MOST_CASTS, "no longer needed: empty the list"


def test_every_cast_has_its_reason():
    for file, text in SOURCES.items():
        lines = text.splitlines()
        for number, line in casts(text):
            comments = re.sub(r"# type: ignore(\[[\w-]+\])?", "", line) + lines[max(number - 1, 0)]
            assert file in CASTS or "#" in comments, f"{file}:{number + 1}: say why, behind it or above"


def test_every_file_has_its_test():
    twins = {file: Path(file).parent / f"test_{Path(file).name}" for file in SOURCES if not file.endswith("__.py")}
    matches({file for file, twin in twins.items() if not (ROOT / "tests" / twin).is_file()}, WITHOUT_TEST)
