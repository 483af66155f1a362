"""Every code block of README and docs is run, or its commands are at least understood: Python in one namespace a page,
`limner` in this process, both in a folder of sample photos. What isn't run stands in `NOT_RUN`, with the reason."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
import pytest
import typer
from PIL import Image, ImageOps
from skimage.data import astronaut

from limner.cli.main import app
from limner.page.app import app_of
from limner.page.service import Service
from limner.settings import Settings
from limner.train import RECIPES
from limner.weights import find

from .doc_blocks import PAGES, ROOT, Block, blocks_of, commands, words
from .page.quick import served
from .video import clips

BLOCKS = [block for page in PAGES for block in blocks_of(page)]

NOT_RUN = {
    r"python3 -m venv|pip install": "installs packages",
    r"make (setup|check|test|docs)": "runs all that this is a part of",
    r"make (demo|format)": "the demo has a test of its own; a test formats nothing",
    r"limner ui": "serves until it is interrupted; tests/page/test_browser.py starts it and drives it",
    r"limner train ": "trains for hours",
    r"limner benchmark ": "measures for minutes, on thousands of faces that don't ship",
    r"limner evaluate \$cell|python benchmarks/peers/": "other programs' restorations of a benchmark",
    r"limner compare ": "compares with another program's measurement",
    r"limner weights fetch ": "fetches gigabytes",
    r"--weights official": "needs published weights",
    r"--weights (nets/|mine|last.ckpt)|limner weights convert ": "needs weights of one's own, or published ones",
    r"python -m (limner.weights.ledger|tests.licences)": "a test holds the page that it writes against what it gives",
    r"python -m limner.evaluate.harm_table": "tells of a benchmark's run",
    r"python -m limner.evaluate.holes": "measures for minutes, on faces that don't ship",
    r"python -m pytest": "is what runs this",
    r"python benchmarks/run.py": "measures speed for minutes",
    r"file --> Photo|frames --> faces": "a drawing",
    r"limner restore (film|a)\.m": "restores clips for minutes; tests/video does all of it to short ones",
    r"--engine ray": "starts workers, or asks a cluster; tests/cluster does both",
    r"(s3|gs)://": "needs a store; tests/cli/test_stored.py does all of it against a server",
    r"python -m limner.evaluate.flicker": "measures for minutes, on faces that don't ship",
    r"AMD EPYC|killed \(-9\)|photos of 2 megapixels|the result is the same": "what a program printed",
}
"""Commands that are understood, not run, and blocks that are neither code nor commands; and why."""


def reason(text: str) -> str | None:
    """Why a command or block isn't run; None if it is."""
    return next((why for what, why in NOT_RUN.items() if re.search(what, text)), None)


SHELL = [(block, command) for block in BLOCKS if block.kind == "shell" for command in commands(block)]


def test_no_block_is_passed_over():
    kinds = {kind: [block for block in BLOCKS if block.kind == kind] for kind in ("python", "shell", "equations")}
    assert all(kinds.values())
    others = [block for block in BLOCKS if block.kind not in kinds]
    assert [block for block in others if not reason(block.text)] == [], "neither run nor named in NOT_RUN"


def test_each_exception_is_needed():
    texts = [command for _, command in SHELL] + [
        block.text for block in BLOCKS if block.kind not in ("python", "shell")
    ]
    assert [what for what in NOT_RUN if not any(re.search(what, text) for text in texts)] == []


def understood(given: list[str]) -> None:
    """Makes sure that a command is one, with options that it has.

    Raises:
        Exception: it isn't.
    """
    program, *rest = given
    if program == "limner":
        command: Any = typer.main.get_command(app)
        context = command.make_context("limner", rest)
        while isinstance(command, click.Group) or hasattr(command, "resolve_command"):
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, list(rest), parent=context)
        if command.name == "train":
            assert context.params["recipe"] in RECIPES
    elif program == "make":
        assert re.search(rf"^{rest[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif program.startswith("python") and rest[0] == "-m":
        assert importlib.util.find_spec(rest[1])
    elif program.startswith("python"):
        assert (ROOT / rest[0]).is_file()
    else:
        assert program == "pip" and rest[0] == "install"


@pytest.mark.parametrize(("block", "command"), SHELL, ids=[f"{b.page}:{c}" for b, c in SHELL])
def test_commands_are_understood(block: Block, command: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "--help" not in command:
        understood(words(command))


WRONG = [
    "limner restore old.jpg -o out/ --sterngth 1",
    "limner restore old.jpg",
    "limner repair old.jpg",
    "limner weights bring official/refldm",
    "limner train nothing --data FACES -o runs",
    "make tea",
    "python benchmarks/walk.py",
    "python -m limner.walk",
    "rm old.jpg",
]


@pytest.mark.parametrize("command", WRONG)
def test_commands_that_are_none_are_not_understood(command: str):
    with pytest.raises(Exception):  # noqa: B017  # typer's version decides of which class
        understood(words(command))


SCRIPTS = sorted({words(command)[1] for _, command in SHELL if command.startswith("python benchmarks/")})


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_know_their_options(script: str):
    asked = [words(command) for _, command in SHELL if script in command]
    options = {word for given in asked for word in given if word.startswith("-")}
    told = subprocess.run([sys.executable, ROOT / script, "--help"], capture_output=True, text=True, check=True).stdout
    assert [option for option in options if not re.search(rf"(?<![\w-]){option}\b", told)] == []


@pytest.fixture
def samples(tmp_path: Path, monkeypatch) -> Path:
    """A folder, from here on the present one, with all photos and weights that the documentation speaks of."""
    portrait = Image.fromarray(astronaut()[:288, 72:360])
    for name in (
        "old",
        "photo",
        "anna1",
        "originals/old",
        "photos-of-anna/1",
        "album/1",
        "album/2",
        "Photos/1",
        "Photos/2",
    ):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        (portrait if name in ("old", "photo", "originals/old") else ImageOps.mirror(portrait)).save(path)
    portrait.crop((20, 0, 288, 268)).save(tmp_path / "anna2.jpg")
    for mask in ("mask", "masks/1"):
        path = tmp_path / f"{mask}.png"
        path.parent.mkdir(exist_ok=True)
        ImageOps.expand(Image.new("L", (60, 12), 255), (110, 120, 118, 156)).save(path)
    clips.write(tmp_path / "film.mkv", [np.asarray(portrait.resize((160, 160)))] * 5, times=range(0, 120, 24))
    for net in ("prior", "mask"):
        shutil.copytree(find(f"mini/clrface-{net}").path(), tmp_path / "runs" / net / "weights")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "album.sqlite"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def served_http(monkeypatch):
    """A limner over HTTP, which clients of the documentation's address reach at a free port."""
    client = httpx.Client
    with served(app_of(Service.open(Settings(threads=1)))) as address:
        monkeypatch.setattr(httpx, "Client", lambda base_url, **how: client(base_url=address, **how))
        yield


def of_pages(kind: str) -> list[str]:
    return sorted({block.page for block in BLOCKS if block.kind == kind})


@pytest.mark.slow
@pytest.mark.parametrize("page", of_pages("python"))
def test_python_runs(page: str, samples: Path, request: pytest.FixtureRequest):
    face = Image.fromarray(astronaut()[:288, 72:360]).resize((256, 256))
    namespace: dict[str, object] = {"__name__": "page", "face": face}
    if any("http://127.0.0.1:7860" in block.text for block in BLOCKS if block.page == page and block.kind == "python"):
        request.getfixturevalue("served_http")
    for block in BLOCKS:
        if block.page == page and block.kind == "python":
            exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), namespace)


RUN = [page for page in of_pages("shell") if any(b.page == page and not reason(c) for b, c in SHELL)]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_commands_run(page: str, samples: Path, run):
    for block, command in SHELL:
        if block.page != page or reason(command):
            continue
        if re.search("[<>]", command):
            paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
            program = command.replace("limner", f"{sys.executable} -m limner", 1)
            done = subprocess.run(["bash", "-c", program], env=os.environ | paths, capture_output=True, text=True)
            code, told = done.returncode, done.stderr
        else:
            code, _, told = run(*words(command)[1:])
        assert code == 0, f"{command}\n{told}"


def test_all_that_is_run_left_its_trace_in_the_readme():
    """What the README promises is shown by commands that are run, not only understood."""
    ran = [command for block, command in SHELL if block.page == "README.md" and not reason(command)]
    assert len(ran) >= 8 and any("--method refldm" in command for command in ran)
