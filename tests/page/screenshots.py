"""The pictures in docs/page.md, made in a real browser: `make screenshots`, or with a photograph of one's own
`python -m tests.page.screenshots PHOTO`."""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from PIL import Image, ImageFilter

from .window import opened, portrait, program

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTHS, SCHEMES = {1280: 1000, 390: 844}, ("light", "dark")
MOST_BYTES = 120_000


def spoilt(path: Path) -> None:
    """Writes a photograph of two as small and soft as an old print's scan."""
    pair = Image.new("RGB", (640, 320))
    for place in range(2):
        pair.paste(Image.fromarray(portrait()[:, :: 1 - 2 * place]), (320 * place, 0))
    grey = pair.convert("L").filter(ImageFilter.GaussianBlur(2.2)).convert("RGB")
    Image.blend(grey, Image.new("RGB", grey.size, (150, 120, 80)), 0.25).save(path, quality=60)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        photo = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "aunt-anna-1931.jpg"
        if len(sys.argv) == 1:
            spoilt(photo)
        (Path(scratch) / "program").mkdir()
        with program(Path(scratch) / "program") as running:
            for width, scheme in product(WIDTHS, SCHEMES):
                save(running.address, photo, width, scheme)


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
        target = IMAGES / f"page_{width}_{scheme}.jpg"
        page.screenshot(path=target, type="jpeg", quality=60, full_page=True)
    assert target.stat().st_size < MOST_BYTES, f"{target} has {target.stat().st_size} bytes"
    print(f"{target.stat().st_size / 1000:.0f} kB  {target.name}")


if __name__ == "__main__":
    main()
