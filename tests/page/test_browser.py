"""The page in a real browser that reaches nothing but this machine: `make test-ui`."""

from __future__ import annotations

import hashlib
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image, ImageFilter

from limner.photo.provenance import read

from .window import browser, group, opened, portrait, program, shoe_box, torn

pytestmark = pytest.mark.browser

UNNAMED = """() => [...document.querySelectorAll("button, input, select, textarea, a[href]")]
    .filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]"))
    .filter((one) => !(one.ariaLabel || one.title || one.labels?.length || one.innerText?.trim()))
    .map((one) => one.outerHTML.slice(0, 200))"""
"""Controls that a screen reader has no name for."""

ALL_DRAWN = "which => [...document.querySelectorAll(which)].every((one) => one.complete && one.naturalWidth > 0)"
"""Whether all pictures are there."""

RED = """() => {
    const canvas = document.querySelector("#brush canvas"), pen = canvas.getContext("2d");
    const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    return data.filter((level, place) => place % 4 === 3 && level > 0).length;
}"""
"""How many pixels of what is drawn on are marked."""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    assert browser(), "There is no Chromium: `make test-ui` installs it (Debian: apt-get install chromium)."
    with program(tmp_path_factory.mktemp("scratch"), "--max-megapixels", "1") as running:
        yield running


@pytest.fixture
def window(running):
    requests: list[str] = []
    complaints: list[str] = []
    with opened(running.address, requests, viewport={"width": 1280, "height": 900}) as page:
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    hosts = {urlsplit(url).hostname for url in requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"} and len(requests) > 10
    assert complaints == []


def drop(page, *files: Path, where: str = "#drop") -> None:
    page.set_input_files(f"{where} input[type=file]", [str(file) for file in files])


def told(page, text: str, where: str = "#status") -> None:
    status = page.locator(where)
    assert eventually(lambda: text in status.inner_text(), 180), f"told is: {status.inner_text()}"


def downloaded(page, link, folder: Path) -> Path:
    with page.expect_download() as waited:
        link.click()
    target = folder / waited.value.suggested_filename
    waited.value.save_as(target)
    return target


def mask_of(page, folder: Path) -> np.ndarray:
    """The mask that the page offers, (H, W) uint8."""
    return np.asarray(Image.open(downloaded(page, page.get_by_role("link", name=re.compile("_mask.png$")), folder)))


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < until:
        time.sleep(0.1)
    return done


def test_a_group_one_left_out_with_a_reference(window, running, tmp_path):
    """Upload, leave a face out by a click, add a reference, restore two versions, slide, choose, lay over, download."""
    photo, reference = tmp_path / "Gruppe 1931.png", tmp_path / "Anna später.jpg"
    group(photo)
    Image.fromarray(portrait(400)[:, ::-1]).save(reference)
    drop(window, photo)
    told(window, "2 faces were found.")
    assert window.locator("#faces input:checked").count() == 2
    window.locator(".stage .face").nth(1).click()
    window.wait_for_selector(".stage .face.chosen >> nth=0")
    assert eventually(lambda: window.locator(".stage .face.chosen").count() == 1)
    assert window.locator("#faces input:checked").count() == 1
    window.get_by_role("button", name="Do you have other photos").click()
    drop(window, reference, where="#references")
    told(window, "The photos of the person are here.")
    assert "Anna später.jpg" in window.locator("#person").inner_text()
    window.get_by_role("spinbutton", name="Versions of each face").fill("2")
    window.keyboard.press("Tab")
    window.get_by_role("button", name="Restore", exact=True).click()
    told(window, "Done: look at the result below")

    slider = window.get_by_role("slider", name="How much of the photo is shown as it was")
    slider.focus()
    for _ in range(10):
        window.keyboard.press("ArrowLeft")
    assert window.locator(".compared").evaluate("one => one.style.getPropertyValue('--at')") == "40%"
    first = downloaded(window, window.locator("#downloads a").first, tmp_path)
    before = np.asarray(Image.open(photo)).astype(int)
    one = np.asarray(Image.open(first)).astype(int)

    window.get_by_role("button", name="Face 1, version 2").click()
    told(window, "Version 2 of face 1 is in the photo now.")
    window.get_by_role("checkbox", name="Show in red what was made up").check()
    window.wait_for_selector(".compared img[src*='/map?']")
    second = downloaded(window, window.locator("#downloads a").first, tmp_path / "again")
    other = np.asarray(Image.open(second)).astype(int)

    assert first.name == "Gruppe 1931_restored.png"
    with Image.open(second) as saved:
        assert saved.format == "PNG" and saved.getexif()[0x010E] == "Anna and Berta, 1931"
        assert [round(float(dots)) for dots in saved.info["dpi"]] == [300, 300]
    made = read(second)
    assert made and (made.method, made.faces, made.references) == ("refldm", 1, 1)
    assert (before != one).any() and (one != other).any()
    assert (before[:, 320:] == other[:, 320:]).all(), "the face that was left out is as it was"
    assert window.evaluate(UNNAMED) == []
    window.set_viewport_size({"width": 390, "height": 844})
    assert eventually(lambda: window.evaluate("document.scrollingElement.scrollWidth") <= 390)


def test_many_photos_by_keyboard(window, running, tmp_path):
    """Of several photos what can't be is told by name, and all results come in one zip."""
    good, twin, empty, broken = (tmp_path / name for name in ("a.jpg", "b.tif", "sky.png", "broken.jpg"))
    Image.fromarray(portrait(200)).save(good, quality=95)
    Image.fromarray(portrait(200)[:, ::-1]).save(twin)
    Image.new("RGB", (120, 90), (90, 140, 220)).save(empty)
    broken.write_bytes(b"\xff\xd8\xff nothing more")
    large = tmp_path / "large.png"
    Image.new("L", (1200, 1000)).save(large)
    drop(window, good, twin, empty, broken, large)
    told(window, "broken.jpg is a damaged or truncated JPEG")
    assert "large.png has 1 megapixels, and 1 are the most that" in window.locator("#status").inner_text()
    assert window.locator("#photos label").all_inner_texts() == [
        "1. a.jpg (1 face)",
        "2. b.tif (1 face)",
        "3. sky.png (no face)",
    ]
    window.locator("#photos input").first.focus()
    window.keyboard.press("ArrowDown")
    window.keyboard.press("ArrowDown")
    window.wait_for_selector(".stage img[alt='sky.png']")
    window.get_by_role("button", name="Restore", exact=True).focus()
    window.keyboard.press("Enter")
    told(window, "Done: look at the result below")
    package = downloaded(window, window.get_by_role("link", name=re.compile("Download all 2")), tmp_path)
    assert zipfile.ZipFile(package).namelist() == ["a_restored.jpg", "b_restored.tif"]


def test_people_of_a_folder_are_named_split_merged_and_serve_as_references(window, running, tmp_path):
    """Without an album it is told how one is made; then a folder is taken in, its person named by keyboard, split and
    merged; a photo is restored with the album's references, and its report has the name."""
    shoe_box(tmp_path / "shoe box")
    window.on("dialog", lambda asked: asked.accept())
    window.get_by_role("tab", name="People").click()
    people, forms = window.locator("#people"), window.locator("form.person")
    assert eventually(lambda: "There is no album yet" in people.inner_text())
    window.get_by_role("textbox", name="Folder of photos").fill(str(tmp_path / "shoe box"))
    window.keyboard.press("Enter")
    told(window, "Photographs: 4 new. 4 faces were found", "#people-status")
    assert forms.count() == 1 and forms.locator("img").count() == 4
    assert eventually(lambda: window.evaluate(ALL_DRAWN, "form.person img"))
    forms.get_by_role("combobox", name="Name").fill("Anna")
    window.keyboard.press("Enter")
    told(window, "Saved: Anna, 4 faces on 4 photos.", "#people-status")
    assert window.evaluate("document.activeElement.value") == "Anna", "the keyboard is where it was"

    window.get_by_text("Change Anna").click()
    for number in (1, 2):
        forms.get_by_role("checkbox", name=f"Face {number}").check()
    forms.get_by_role("button", name="Split off the chosen faces").click()
    told(window, "Split off: person 2, 2 faces on 2 photos.", "#people-status")
    assert forms.count() == 2 and window.locator("form.person input:checked").count() == 0
    second = window.get_by_role("form", name="Person 2")
    second.get_by_role("combobox", name="Name").fill("Bertha")
    forms.first.get_by_role("button", name="Save").click()
    told(window, "Saved: Anna, 2 faces on 2 photos.", "#people-status")
    assert second.get_by_role("combobox", name="Name").input_value() == "Bertha", "it isn't lost"
    forms.first.get_by_text("Change Anna").click()
    forms.first.get_by_role("combobox", name="The same person as").fill("2")
    window.keyboard.press("Enter")
    told(window, "One person now: Anna, 4 faces on 4 photos.", "#people-status")
    assert forms.count() == 1 and forms.get_by_role("combobox", name="Name").input_value() == "Anna"
    assert window.evaluate(UNNAMED) == []
    window.set_viewport_size({"width": 390, "height": 844})
    assert eventually(lambda: window.evaluate("document.scrollingElement.scrollWidth") <= 390)

    window.get_by_role("tab", name="Restore").click()
    photo = tmp_path / "Strand.jpg"
    Image.fromarray(portrait()[:, ::-1]).filter(ImageFilter.GaussianBlur(2)).save(photo)
    drop(window, photo)
    told(window, "One face was found.")
    window.get_by_role("button", name="Do you have other photos").click()
    window.get_by_role("checkbox", name="Take them from the album").check()
    told(window, "Who is in the photo stands below.")
    assert "Face 1 is Anna (0." in window.locator("#told-people").inner_text()
    window.get_by_role("button", name="Restore", exact=True).click()
    album = window.get_by_role("checkbox", name="Take them from the album")
    assert eventually(album.is_disabled), "pressed now, it would mix with the restoration"
    told(window, "Done: look at the result below")
    assert eventually(album.is_enabled)
    report = window.locator("#downloads").inner_text()
    assert re.search(r"Face 1 is Anna \(0\.\d\d alike\); the references are \d\.jpg \(damage", report), report
    made = read(downloaded(window, window.locator("#downloads a").first, tmp_path / "result"))
    assert made and made.method == "refldm" and made.references >= 2

    window.get_by_role("tab", name="People").click()
    window.get_by_text("Change Anna").click()
    window.get_by_role("button", name="Forget Anna").click()
    told(window, "Anna is forgotten, with all faces.", "#people-status")
    assert forms.count() == 0


def test_damage_is_found_painted_by_mouse_and_keys_filled_and_its_mask_downloaded(window, running, tmp_path):
    """Two photos, of which each has its own mask: in one a face that is torn, in the other none, so that nothing but
    what is marked may change in it."""
    torn_photo, wall, small = (tmp_path / name for name in ("torn.png", "Wand.png", "small.png"))
    torn(torn_photo)
    ground = np.zeros((120, 200, 3), np.uint8) + np.arange(200, dtype=np.uint8)[:, None]
    ground[60] = 255
    Image.fromarray(ground).save(wall)
    Image.new("L", (10, 10)).save(small)
    drop(window, torn_photo, wall)
    told(window, "Press Restore")
    assert window.locator("#photos input").count() == 2
    window.get_by_role("button", name="Is this photo scratched").click()
    marked, canvas = window.locator("#marked"), window.locator("#brush canvas")
    window.get_by_role("button", name="Find it in all photos").click()
    told(window, "Marked as damaged: torn.png (")
    assert eventually(lambda: window.evaluate(RED) > 100), "what was found is seen"

    window.get_by_role("radio", name="2. Wand.png").check()
    window.wait_for_selector("#brush img[alt='Wand.png']")
    window.get_by_role("button", name="Unmark everything").click()
    assert eventually(lambda: "Nothing is marked in Wand.png." in marked.inner_text())
    window.set_input_files("#mask input[type=file]", str(small))
    told(window, "The mask small.png is 10 x 10 pixels, but its photo, upright, is 200 x 120")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    window.mouse.move(box["x"] - 0.1 * box["width"], box["y"] + 0.5 * box["height"])
    window.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    window.mouse.down()
    window.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    window.mouse.up()
    assert eventually(lambda: "Of Wand.png" in marked.inner_text())
    by_mouse = mask_of(window, tmp_path)
    assert by_mouse.shape == (120, 200) and by_mouse[60, 52:98].all() and not by_mouse[60, 105:].any()
    assert not by_mouse[:50].any() and not by_mouse[70:].any()

    canvas.focus()
    for key in ("Space", *["Shift+ArrowRight"] * 9, "Space"):
        window.keyboard.press(key)
    assert "The brush is up, 100 % across and 50 % down." in window.locator("#brush output").inner_text()
    assert eventually(lambda: mask_of(window, tmp_path)[60, 52:198].all())
    window.get_by_role("radio", name="Rub out").check()
    canvas.focus()
    window.keyboard.press("Enter")
    window.keyboard.press("Enter")
    assert eventually(lambda: not mask_of(window, tmp_path)[60, 199].any()), "rubbed out where the brush is"
    window.get_by_role("button", name="Take back the last stroke").click()
    assert eventually(lambda: mask_of(window, tmp_path)[60, 199].any())
    mask = mask_of(window, tmp_path) > 0
    digest = hashlib.sha256((tmp_path / "Wand_mask.png").read_bytes()).hexdigest()

    window.get_by_role("button", name="Restore", exact=True).click()
    assert eventually(lambda: window.locator("#find-damage").is_disabled()), "it would mix with the restoration"
    assert window.locator("#drop input[type=file]").count() == window.locator("#mask input[type=file]").count() == 0
    told(window, "Done: look at the result below")
    assert window.locator("#find-damage").is_enabled() and window.locator("#drop input[type=file]").count() == 1
    assert re.search(r"Holes of \d+(\.\d+)? % of the photo were filled", window.locator("#downloads").inner_text())
    window.get_by_role("checkbox", name="Show in red what was made up").check()
    window.wait_for_selector(".compared img[src*='/map?']")
    result = downloaded(window, window.locator("#downloads a").first, tmp_path)
    after = np.asarray(Image.open(result)).astype(int)
    assert (after[~mask] == ground[~mask]).all() and np.median(abs(after[60] - ground[59])[mask[60]]) < 3
    made = read(result)
    assert made and (made.method, made.mask) == ("fill", digest) and made.filled == pytest.approx(mask.mean(), abs=1e-5)
    window.get_by_role("radio", name="1. torn.png").check()
    window.wait_for_selector(".compared img[alt='torn.png, restored']")
    assert "in 1 face by nets" in window.locator("#downloads").inner_text()
    assert window.evaluate(UNNAMED) == []
    window.set_viewport_size({"width": 390, "height": 844})
    assert eventually(lambda: window.evaluate("document.scrollingElement.scrollWidth") <= 390)


def test_a_job_can_be_stopped_and_a_closed_window_leaves_nothing(running, tmp_path):
    photo = tmp_path / "Tante Frieda.jpg"
    Image.fromarray(portrait()).save(photo)
    with opened(running.address, [], viewport={"width": 390, "height": 844}, color_scheme="dark") as page:
        drop(page, photo)
        told(page, "One face was found.")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
        assert "dark" in (page.locator("body").get_attribute("class") or "")
        page.get_by_role("button", name="Advanced").click()
        page.get_by_role("radio", name=re.compile("^difface:")).check()
        page.get_by_role("textbox", name=re.compile("^Steps evaluations")).fill("900")
        page.get_by_role("textbox", name=re.compile("^Start timestep")).fill("999")
        page.get_by_role("button", name="Restore", exact=True).click()
        told(page, "face 1 of 1")
        assert httpx.get(f"{running.address}health").json()["waiting"] == 1
        page.get_by_role("button", name="Stop").click()
        told(page, "Stopped.")
        assert eventually(lambda: httpx.get(f"{running.address}health").json()["waiting"] == 0)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
        assert page.evaluate(UNNAMED) == []
        page.goto("about:blank")
    assert eventually(lambda: not list(running.scratch.rglob("*.jpg"))), "photos stay of a window that is closed"


def test_nothing_of_the_photos_is_logged_and_the_end_leaves_nothing(running):
    said = "".join(running.said)
    assert "limner is at http://127.0.0.1:" in said
    for word in ("Gruppe", "Anna", "Tante", "Strand", "Wand", "shoe box", "broken", "a.jpg", "/photos/", "Traceback"):
        assert word not in said
    assert running.stop() == 130, "interrupted, as every command is by Ctrl-C"
    assert list(running.scratch.glob("limner-ui-*")) == []
