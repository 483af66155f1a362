"""The pictures in docs/page.md, made in a real browser: `make screenshots`, or with a photograph of one's own
`python -m tests.page.screenshots PHOTO`."""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter

from .window import opened, portrait, program

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTHS, SCHEMES = {1280: 1000, 390: 844}, ("light", "dark")
MOST_BYTES = 120_000
FACES = Path(__file__).parents[3] / "shared" / "faces"
NOBODIES, NAMES = ("female51233", "male51220", "female5129", "male51256"), ("Ada", "Mina", "Sam")
"""Faces for the pictures of the people's tab, made by machine and nobody's (faker-js, CC0), and names for some."""
CRACK = ((0.0, 0.72), (0.14, 0.66), (0.31, 0.71), (0.42, 0.52), (0.55, 0.42), (0.58, 0.2), (0.66, 0.0))
"""Where the crack of the picture of the damage goes, in parts of width and height."""


def spoilt(path: Path) -> None:
    """Writes a photograph of two as small and soft as an old print's scan."""
    pair = Image.new("RGB", (640, 320))
    for place in range(2):
        pair.paste(Image.fromarray(portrait()[:, :: 1 - 2 * place]), (320 * place, 0))
    grey = pair.convert("L").filter(ImageFilter.GaussianBlur(2.2)).convert("RGB")
    Image.blend(grey, Image.new("RGB", grey.size, (150, 120, 80)), 0.25).save(path, quality=60)


def cracked(photo: Path, target: Path) -> None:
    """Writes a photograph with a crack from edge to edge."""
    picture = np.array(Image.open(photo).convert("RGB"))
    height, width = picture.shape[:2]
    cv2.polylines(picture, [(np.array(CRACK) * (width, height)).astype(np.int32)], False, (238, 230, 214), 4)
    Image.fromarray(picture).save(target, quality=90)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        photo = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "aunt-anna-1931.jpg"
        if len(sys.argv) == 1:
            spoilt(photo)
        for place in ("program", "photos"):
            (Path(scratch) / place).mkdir()
        with program(Path(scratch) / "program") as running:
            for width, scheme in product(WIDTHS, SCHEMES):
                save(running.address, photo, width, scheme)
            cracked(photo, Path(scratch) / f"cracked-{photo.stem}.jpg")
            save_damage(running.address, Path(scratch) / f"cracked-{photo.stem}.jpg")
            if FACES.is_dir():
                shoe_box(Path(scratch) / "photos")
                for width, scheme in ((1280, "light"), (390, "dark")):
                    save_people(running.address, Path(scratch) / "photos", width, scheme)
            else:
                print(f"There is no folder {FACES}, so the pictures of people stay as they are.")


def save(address: str, photo: Path, width: int, scheme: str) -> None:
    """Restores the photograph in a window of that width, and takes the picture of all of it."""
    window = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": scheme}
    with opened(address, [], **window) as page:
        page.set_input_files("#drop input[type=file]", str(photo))
        page.wait_for_selector(".stage img")
        page.get_by_role("button", name="Restore", exact=True).wait_for()
        page.get_by_role("spinbutton", name="Versions of each face").fill("2")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Restore", exact=True).click()
        page.wait_for_selector(".compared img")
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        page.wait_for_timeout(1500)
        keep(page, f"page_{width}_{scheme}.jpg", full_page=True)


def save_damage(address: str, photo: Path) -> None:
    """Has the damage of the photograph found, paints in some, and takes the picture of the section."""
    with opened(address, [], viewport={"width": 1280, "height": WIDTHS[1280]}, color_scheme="light") as page:
        page.set_input_files("#drop input[type=file]", str(photo))
        page.wait_for_selector(".stage img")
        page.get_by_role("button", name="Is this photo scratched").click()
        page.get_by_role("button", name="Find the damage").click()
        page.wait_for_function("document.querySelector('#status').innerText.includes('arked as damaged')")
        canvas = page.locator("#brush canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box
        for place, (x, y) in enumerate(CRACK[2:]):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=9)
            if not place:
                page.mouse.down()
        page.mouse.up()
        page.wait_for_timeout(1500)
        keep(page.locator("#damage"), "damage_1280_light.jpg")


def shoe_box(folder: Path) -> None:
    """Writes several photographs of each of the people whom nobody is."""
    for face in NOBODIES:
        picture = Image.open(FACES / f"fakerai_{face}_1.jpg").convert("RGB")
        grey = picture.convert("L").convert("RGB")
        brown = Image.blend(grey, Image.new("RGB", grey.size, (150, 120, 80)), 0.3)
        shade = np.asarray(picture) * np.linspace(1.1, 0.5, picture.width)[:, None]
        dark = Image.fromarray(np.clip(shade, 0, 255).astype(np.uint8))
        for place, one in enumerate((picture, brown, dark)):
            one.save(folder / f"{face}_{place}.jpg")


def save_people(address: str, folder: Path, width: int, scheme: str) -> None:
    """Has the folder looked at, gives names, and takes the picture of the people."""
    window = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": scheme}
    with opened(address, [], **window) as page:
        page.get_by_role("tab", name="People").click()
        page.get_by_role("textbox", name="Folder of photos").fill(str(folder))
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('#people-status').innerText.includes('were found')")
        for name in NAMES:
            if not page.get_by_role("form", name=name).count():
                form = page.locator("form.person:has(input[name=name][value=''])").first
                form.get_by_role("combobox", name="Name").fill(name)
                form.get_by_role("button", name="Save").click()
                page.get_by_role("form", name=name).wait_for()
        page.get_by_role("textbox", name="Folder of photos").fill("~/Photos")
        page.locator("form.person").last.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        keep(page, f"people_{width}_{scheme}.jpg", full_page=True)


def keep(what, name: str, **how) -> None:
    """Writes the picture of a page, or of a part of it."""
    target = IMAGES / name
    what.screenshot(path=target, type="jpeg", quality=48, **how)
    assert target.stat().st_size < MOST_BYTES, f"{target} has {target.stat().st_size} bytes"
    print(f"{target.stat().st_size / 1000:.0f} kB  {target.name}")


if __name__ == "__main__":
    main()
