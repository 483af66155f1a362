"""The program as people start it, and a browser that reaches nothing else; for `make test-ui` and the screenshots."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def browser() -> str | None:
    """The browser that is installed here."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


class Program:
    """A running `limner ui`.

    Attributes:
        address: of its page.
        said: lines that it printed.
        scratch: where its temporary files lie.
    """

    def __init__(self, scratch: Path, *words: str):
        command = [sys.executable, "-m", "limner", "ui", "--no-browser", "--port", "0", "--threads", "1", *words]
        environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        environment["LIMNER_ALBUM"] = str(scratch / "album.sqlite")
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            preexec_fn=_heeds_ctrl_c,
        )
        self.scratch = scratch
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.address = self._address()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self.said.append(line)
            self._lines.put(line)

    def _address(self) -> str:
        until = time.monotonic() + 240
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if found := re.search(r"http://\S+/", self._lines.get(timeout=1)):
                    return found[0]
            except queue.Empty:
                continue
        raise AssertionError(f"limner ui didn't start: {''.join(self.said)}")

    def stop(self) -> int:
        """Presses Ctrl-C, and gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def program(scratch: Path, *words: str) -> Iterator[Program]:
    """A running `limner ui` whose temporary files lie in a folder."""
    running = Program(scratch, *words)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


@contextmanager
def opened(address: str, requests: list[str], **window):
    """A page of the browser, which reaches this machine alone.

    Args:
        address: that is opened.
        requests: to which every address is added that the page asks for.
        window: of Playwright's `new_page`.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser(),
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        page = chromium.new_page(**window)
        page.set_default_timeout(120_000)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.wait_for_selector("#drop input[type=file]", state="attached")
        yield page
        chromium.close()


def portrait(side: int = 320) -> np.ndarray:
    """One face, (side, side, 3) uint8."""
    return cv2.resize(astronaut()[:320, 60:380], (side, side), interpolation=cv2.INTER_AREA)


def group(path: Path) -> None:
    """Writes a photograph of two, the right one smaller and mirrored, with its EXIF."""
    right = np.pad(portrait(240)[:, ::-1], ((80, 0), (0, 0), (0, 0)), mode="reflect")
    exif = Image.Exif()
    exif[0x010E] = "Anna and Berta, 1931"
    Image.fromarray(np.concatenate([portrait(), right], axis=1)).save(path, exif=exif, dpi=(300, 300))


def torn(path: Path) -> None:
    """Writes a photograph of one whose face and ground a crack goes through."""
    picture = portrait()
    Image.fromarray(cv2.line(picture, (60, 20), (250, 280), (250, 250, 240), 4)).save(path)


def shoe_box(folder: Path) -> None:
    """Writes four photographs of one person, in another light each, that no mirrored one is a copy of."""
    folder.mkdir()
    for number, (left, right) in enumerate(((0.5, 1.2), (1.2, 0.5), (0.9, 0.9), (1.2, 1.2))):
        lit = portrait() * np.linspace(left, right, 320)[:, None]
        Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)).rotate(3 * number).save(folder / f"{number}.jpg")


def _heeds_ctrl_c() -> None:
    """What a shell runs in the background has SIGINT ignored, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":  # says whether there is a browser
    sys.exit(0 if browser() else "There is no Chromium here.")
