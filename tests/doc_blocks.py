"""The code blocks of the documentation: fenced ones, and what is indented by four."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])

SHELL = re.compile(r"(\.venv/bin/)?(limner|make|pip|python3?|for) ")
"""How a line begins that is meant for a shell."""
EQUATION = re.compile(r"\(\d+\)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        page: relative to the repository.
        line: its first line's number.
        kind: `python`, `shell`, `equations` (`test_docs.py` holds them against the code) or `other`.
        text: without fence and indentation.
    """

    page: str
    line: int
    kind: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in their order."""
    name, found = page.relative_to(ROOT).as_posix(), list[Block]()
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        first = number
        if fence := re.fullmatch(r" *```(\w*)", lines[number]):
            number = lines.index("```", number + 1)
            found.append(Block(name, first + 2, fence[1] or "other", "\n".join(lines[first + 1 : number])))
        elif lines[number].startswith("    ") and not (first and lines[first - 1].strip()):
            while number < len(lines) and lines[number].startswith("    "):
                number += 1
            text = "\n".join(line[4:] for line in lines[first:number])
            found.append(Block(name, first + 1, _kind(name, text), text))
        number += 1
    return found


def _kind(page: str, text: str) -> str:
    if all(SHELL.match(line) for line in text.splitlines()):
        return "shell"
    return "equations" if page.startswith("docs/methods/") and EQUATION.search(text) else "other"


def commands(block: Block) -> list[str]:
    """The commands of a shell block, those of a loop and of a chain each for itself."""
    lines = [line.split(" #")[0] for line in block.text.splitlines()]
    parts = [part.strip().removeprefix(".venv/bin/") for line in lines for part in re.split(r";|&&|\bdo\b", line)]
    return [part for part in parts if part not in ("", "done") and not part.startswith("for ")]


def words(command: str) -> list[str]:
    """A command's words as bash splits and expands them, without what is piped in and out."""
    plain = re.sub(r"[<>] *\S+", "", command)
    script = f"cell=cell; set -f; printf '%s\\0' {plain}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    return [word.strip("[]") if word.startswith("[") else word for word in told.split("\0")[:-1]]
