"""The documentation says what is there: links, cited equations, functions, recipes, and the generated ledger."""

import ast
import re
from pathlib import Path

import pytest

from limner.errors import WeightsError
from limner.train import RECIPES, builds_on
from limner.weights.ledger import ledger, read_card

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "limner"
METHODS = sorted((ROOT / "docs" / "methods").glob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])

CITATION = re.compile(r"docs/methods/(\w+)\.md,\s+eq\.\s+(\(\d+\)(?:(?:,| and| to)\s+\(\d+\))*)")


def numbered(page: Path) -> list[int]:
    """The equations of a page: indented lines that end in a number in brackets."""
    return [int(n) for n in re.findall(r"^ {4}.*\((\d+)\)$", page.read_text(encoding="utf-8"), re.MULTILINE)]


def computed(page: Path) -> list[tuple[set[int], str, list[str]]]:
    """The rows of a page's table: equations, file, names in it."""
    table = page.read_text(encoding="utf-8").split("| equation | what | file | function |\n|---|---|---|---|\n")[1]
    rows = []
    for line in table.split("\n\n")[0].splitlines():
        equations, _, file, names = (cell.strip() for cell in line.strip("|").split(" | "))
        rows.append((cited(equations), file.strip("`"), re.findall(r"`([^`]+)`", names)))
    return rows


def cited(text: str) -> set[int]:
    """The numbers in "(1), (3)" or "(6) to (10)"."""
    first, *others = (int(n) for n in re.findall(r"\((\d+)\)", text))
    return set(range(first, others[0] + 1)) if " to " in text else {first, *others}


def defined(file: Path) -> set[str]:
    """Functions and classes of a module, methods as Class.method."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names.update(f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef))
    return names


@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_every_equation_names_the_function_that_computes_it(page):
    numbers = numbered(page)
    assert numbers == list(range(1, len(numbers) + 1))
    rows = computed(page)
    assert set().union(*(equations for equations, _, _ in rows)) == set(numbers)
    for _, file, names in rows:
        assert names and set(names) <= defined(SOURCE / file), f"{file} doesn't define all of {names}"


def test_the_equations_that_docstrings_cite_are_there():
    found = 0
    for file in SOURCE.rglob("*.py"):
        for name, numbers in CITATION.findall(file.read_text(encoding="utf-8")):
            found += 1
            known = set(numbered(ROOT / "docs" / "methods" / f"{name}.md"))
            assert cited(numbers) <= known, f"{file} cites {numbers} of {name}"
    assert found > 5


def anchors(page: Path) -> set[str]:
    """What can be linked to in a page: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_ledger_is_what_the_cards_say():
    page = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert page == ledger(), "make it anew: python -m limner.weights.ledger > docs/ledger.md"


def test_a_card_without_its_data_is_named(tmp_path):
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: apache-2.0\ntraining: []\n---\n# a net\n")
    with pytest.raises(WeightsError, match=r"The head of the card .*README.md doesn't say .*: 'results'\."):
        read_card(card)
    card.write_text("---\ntraining:\n- command: limner train\nresults: []\n---\n")
    with pytest.raises(WeightsError, match="missing 6 required positional arguments: 'data', 'split'"):
        read_card(card)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_training_page_names_each_recipe_and_what_it_builds_on(recipe):
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{recipe}` |")]
    assert set(re.findall(r"`--([\w-]+)`", row)) == {option.replace("_", "-") for option in builds_on(recipe)}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_files_that_a_page_names_are_there(page):
    for name in re.findall(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|txt))`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or (SOURCE / name).exists(), f"{page.name} names {name}"
