"""The parts of the page that are plain HTML: the photograph with its faces, before and after, what is being done, the
links to what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from limner.page.session import OnePhoto

INTRODUCTION = """<header><h1>limner</h1>
<p>Restores the faces in old, blurred and damaged photographs. Your photos stay on this computer, and are never
changed: you get a new copy.</p></header>"""


def stage(address: str, one: OnePhoto) -> str:
    """A photograph with its faces outlined and numbered, which can be clicked.

    Args:
        address: of its pictures, see `pictures.address_of`.
        one: the photograph.
    """
    width, height = one.size
    boxes = []
    for place, face in enumerate(one.faces):
        x0, y0, x1, y1 = face.box
        left, top = max(x0, 0) / width, max(y0, 0) / height
        across, down = min(x1, width) / width - left, min(y1, height) / height - top
        where = f"left:{left:.2%};top:{top:.2%};width:{across:.2%};height:{down:.2%}"
        chosen = " chosen" if face.number in one.chosen else ""
        boxes.append(
            f'<button type="button" class="face{chosen}" style="{where}" tabindex="-1" aria-hidden="true" '
            f"onclick=\"document.querySelectorAll('#faces input')[{place}].click()\"><b>{face.number + 1}</b></button>"
        )
    name = escape(one.path.name)
    picture = f'<img src="{address}/before?{one.version}" alt="{name}" width="{width}" height="{height}">'
    return f'<div class="stage">{picture}{"".join(boxes)}</div>'


def compared(address: str, one: OnePhoto, invented: bool) -> str:
    """Before and after, with a handle between them.

    Args:
        address: see `stage`.
        one: a photograph with a result.
        invented: whether what was made up is shown in red.
    """
    after = "map" if invented else "after"
    width, height = one.size
    size, name = f'width="{width}" height="{height}"', escape(one.path.name)
    slide = "this.parentNode.style.setProperty('--at', this.value + '%')"
    return (
        f'<div class="compared"><img src="{address}/{after}?{one.version}" alt="{name}, restored" {size}>'
        f'<img class="before" src="{address}/before?{one.version}" alt="{name}, as it was" {size}>'
        '<span class="edge" aria-hidden="true"></span>'
        '<span class="tag" aria-hidden="true">before</span><span class="tag after" aria-hidden="true">after</span>'
        f'<input type="range" min="0" max="100" value="50" aria-label="How much of the photo is shown as it was" '
        f'oninput="{slide}"></div>'
    )


def brush(address: str, number: int, one: OnePhoto, side: int) -> str:
    """A photograph with what is marked in it, to draw on; `damage.js` says how.

    Args:
        address: see `stage`.
        number: of the photograph, from 0.
        one: it.
        side: most pixels of a side of what is drawn on.
    """
    width, height = (max(1, round(min(1, side / max(one.size)) * pixels)) for pixels in one.size)
    name, marks = escape(one.path.name), f"{address}/marks?{one.marks.version}" if one.marks.any else ""
    tools = "".join(
        f'<label><input type="radio" name="tool" value="{value}"> {called}</label>'
        for value, called in (("paint", "Paint in"), ("rub", "Rub out"))
    )
    keys = "arrow keys move the brush, with Shift farther; Space or Enter puts it down and lifts it"
    return (
        f'<fieldset class="tools"><legend>Brush</legend>{tools}'
        '<label>Width <input type="range" name="width" min="2" max="150"></label></fieldset>'
        f'<div class="marked"><img src="{address}/before?{one.version}" alt="{name}" width="{width}" height="{height}">'
        f'<canvas width="{width}" height="{height}" tabindex="0" role="application" data-photo="{number}" '
        f'data-marks="{marks}" aria-label="What is marked in {name}: {keys}"></canvas>'
        '<span class="tip" aria-hidden="true" hidden></span></div><output></output>'
    )


def marked(address: str, one: OnePhoto, told: str) -> str:
    """How much is marked, and where there is a mask, the link to it.

    Args:
        address: see `stage`.
        one: the photograph.
        told: how much it is, a sentence.
    """
    name = escape(f"{one.path.stem}_mask.png")
    link = f'<a class="button" href="{address}/mask?{one.marks.version}" download="{name}">Download {name}</a>'
    return f"<p>{escape(told)}</p>" + (f'<p class="downloads">{link}</p>' if one.marks.any else "")


def status(text: str, share: float | None = None, busy: bool = False) -> str:
    """What is being done, for eyes and screen readers.

    Args:
        text: a sentence.
        share: that is done, 0 to 1.
        busy: whether anything is being done.
    """
    value = "" if share is None else f' value="{share:.3f}"'
    bar = f'<progress max="1"{value} aria-label="Progress"></progress>' if busy else ""
    return f"<p>{escape(text)}</p>{bar}"


def notes(sentences: Sequence[str]) -> str:
    """What people should know, one sentence each."""
    if not sentences:
        return ""
    return f'<ul class="notes">{"".join(f"<li>{escape(one)}</li>" for one in sentences)}</ul>'


def downloads(address: str, one: OnePhoto, restored: int, of_all: str) -> str:
    """Links to the restored photograph, and to all of them.

    Args:
        address: see `stage`.
        one: a photograph with a result.
        restored: how many photographs have one.
        of_all: the address of all, in a zip.
    """
    name = escape(one.result.file.name if one.result else "")
    links = [f'<a class="button primary" href="{address}/result" download="{name}">Download {name}</a>']
    if restored > 1:
        links.append(f'<a class="button" href="{of_all}" download>Download all {restored} as a zip</a>')
    return f'<p class="downloads">{"".join(links)}</p>'
