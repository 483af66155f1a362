"""Takes into the site what lies outside docs/, leads links between the two, and refuses what a browser would fetch from
elsewhere (`mkdocs.yml`, `make docs`)."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/restoring.ipynb": "restoring.ipynb",
}
"""Files of the repository, and what they are in the site."""

LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)")
FETCHED = re.compile(r'<(?:(?:script|img|iframe|source)\b[^>]*\bsrc|link\b[^>]*\bhref)="(?:https?:)?//[^"]*')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the files that lie elsewhere."""
    root = Path(config.config_file_path).parent
    for source, target in ELSEWHERE.items():
        files.append(File.generated(config, target, content=(root / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with its links, which hold in the repository, leading to the same files in the site."""
    own = page.file.src_uri
    source = {target: source for source, target in ELSEWHERE.items()}.get(own, f"docs/{own}")

    def relinked(link: re.Match[str]) -> str:
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[0]))
        target = ELSEWHERE.get(meant, meant.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(own) or ".")

    return LINK.sub(relinked, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """
    Raises:
        PluginError: a browser that shows the page would fetch something from elsewhere.
    """
    if fetched := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} would fetch from elsewhere: {fetched[0]}")
    return output
