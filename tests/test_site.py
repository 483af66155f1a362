"""The site of the documentation: every page has its place, every public name its entry, nothing comes from elsewhere.
`make docs` builds it and follows its links."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from mkdocs.exceptions import PluginError

import limner

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / CONFIG["hooks"][0])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for place in entry.values():
            yield from [place] if isinstance(place, str) else pages(place)


def test_every_page_has_its_place(hooks):
    named = list(pages(CONFIG["nav"]))
    assert len(set(named)) == len(named)
    own = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    elsewhere = {target for target in hooks.ELSEWHERE.values() if target.endswith(".md")}
    assert set(named) == own | elsewhere and not own & elsewhere
    sources = {source for source in hooks.ELSEWHERE if source.endswith(".md")}
    assert sources == {page.name for page in ROOT.glob("*.md")} | {"benchmarks/README.md"}


def test_every_public_name_has_its_entry():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    entries = [line.removeprefix("::: limner.") for line in page.splitlines() if line.startswith(":::")]
    assert {entry for entry in entries if "." not in entry} == set(limner.__all__)


@pytest.mark.parametrize(
    ("page", "link", "there"),
    [
        ("index.md", "docs/evaluation.md#do-no-harm", "evaluation.md#do-no-harm"),
        ("index.md", "CONTRIBUTING.md", "contributing.md"),
        ("index.md", "#install", "#install"),
        ("benchmarks.md", "../docs/weights.md", "weights.md"),
        ("methods/refldm.md", "../../README.md", "../index.md"),
        ("methods/refldm.md", "difface.md#equations", "difface.md#equations"),
        ("training.md", "../CONTRIBUTING.md", "contributing.md"),
        ("training.md", "https://example.org/a.md", "https://example.org/a.md"),
    ],
)
def test_links_lead_to_the_same_file(hooks, page, link, there):
    given = SimpleNamespace(file=SimpleNamespace(src_uri=page))
    assert hooks.on_page_markdown(f"See [it]({link}).", given, None, None) == f"See [it]({there})."


@pytest.mark.parametrize(
    "fetched",
    [
        '<script src="https://unpkg.com/a.js">',
        '<link rel="stylesheet" href="//fonts.googleapis.com/css">',
        '<img alt="" src="http://example.org/badge.svg">',
    ],
)
def test_nothing_comes_from_elsewhere(hooks, fetched):
    given = SimpleNamespace(file=SimpleNamespace(src_uri="api.md"))
    own = '<a href="https://example.org">elsewhere</a><script src="assets/a.js"></script>'
    assert hooks.on_post_page(own, given, None) == own
    with pytest.raises(PluginError, match="api.md would fetch from elsewhere"):
        hooks.on_post_page(own + fetched, given, None)


def test_the_theme_fetches_no_font():
    assert CONFIG["theme"]["font"] is False and CONFIG["plugins"][0] == "search"
