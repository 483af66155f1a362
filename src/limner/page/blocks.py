"""The tab in which photographs are restored: what stands on it and in which order. What happens is in `events.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limner.extras import needed
from limner.page import html
from limner.page.controls import common_controls, method_control, method_controls
from limner.page.damage import DamageSection, damage_laid_out
from limner.page.restoring import Limits
from limner.photo.contents import SUFFIXES

with needed("gradio", "The page"):
    import gradio as gr

if TYPE_CHECKING:
    from gradio.blocks import Block
    from gradio.components import Component
    from gradio.components.base import FormComponent


@dataclass(frozen=True)
class FromAlbum:
    """References from the album.

    Attributes:
        wanted: whether they come from there.
        person: who the photograph shows, where its owner knows better than the album.
        told: who the album says that the faces are.
    """

    wanted: gr.Checkbox
    person: gr.Dropdown
    told: gr.HTML

    @property
    def parts(self) -> list[Block]:
        """All of them."""
        return [self.wanted, self.person, self.told]


@dataclass(frozen=True)
class Page:
    """The parts of the tab in which photographs are restored.

    Attributes:
        drop: where photographs are dropped.
        status: what is being done.
        work: all that is shown once there is a photograph.
        photos: the choice of the one that is looked at.
        stage: that one, with its faces.
        faces: the choice of its faces.
        notes: on it.
        damage: what is marked in it.
        reference_drop, references, forget: other photographs of the person.
        from_album: the same from the album.
        samples: how many of each face.
        restore, stop: buttons.
        result: all that is shown once a photograph is restored.
        compared: before and after.
        invented: whether what was made up is shown.
        versions_title, versions: the samples of each face, side by side.
        downloads: links.
        method, common, of_methods: the advanced options.
    """

    drop: gr.File
    status: gr.HTML
    work: gr.Column
    photos: gr.Radio
    stage: gr.HTML
    faces: gr.CheckboxGroup
    notes: gr.HTML
    damage: DamageSection
    reference_drop: gr.File
    references: gr.HTML
    forget: gr.Button
    from_album: FromAlbum
    samples: gr.Slider
    restore: gr.Button
    stop: gr.Button
    result: gr.Column
    compared: gr.HTML
    invented: gr.Checkbox
    versions_title: gr.HTML
    versions: gr.Gallery
    downloads: gr.HTML
    method: gr.Radio
    common: dict[str, FormComponent]
    of_methods: dict[str, tuple[gr.Group, dict[str, FormComponent]]]

    @property
    def viewed(self) -> list[Block]:
        """What `events.view` renews, in its order."""
        return [
            *(self.work, self.photos, self.stage, self.faces, self.notes, self.references, self.forget),
            *self.from_album.parts,
            *self.damage.viewed,
            *(self.result, self.compared, self.invented, self.versions_title, self.versions, self.downloads),
        ]

    @property
    def jobs(self) -> list[Component]:
        """What begins a job, besides `restore`, or changes what the next one is given."""
        return [self.drop, self.reference_drop, self.from_album.wanted, self.from_album.person, *self.damage.jobs]

    @property
    def asked(self) -> list[tuple[str, Component]]:
        """The options with their names; those of the methods as `method.name`."""
        of_methods = [
            (f"{method}.{name}", one) for method, (_, known) in self.of_methods.items() for name, one in known.items()
        ]
        return [("samples", self.samples), ("method", self.method), *self.common.items(), *of_methods]


def laid_out(limits: Limits) -> Page:
    """Lays out the tab, within gradio's `Blocks`.

    Args:
        limits: of what is taken.
    """
    kinds = [*SUFFIXES, "image"]
    drop = gr.File(label="Drop your photos here", file_count="multiple", file_types=kinds, height=150, elem_id="drop")
    status = gr.HTML(html.status("Drop one or more photos to begin."), elem_id="status")
    with gr.Column(visible=False) as work:
        photos = gr.Radio([], label="Your photos", elem_id="photos")
        stage = gr.HTML(elem_id="stage")
        faces = gr.CheckboxGroup([], label="Faces to restore", elem_id="faces")
        notes = gr.HTML(visible=False)
        damage = damage_laid_out()
        with gr.Accordion("Do you have other photos of this person?", open=False, elem_id="person"):
            gr.HTML(
                "<p>With one or more of them, the face becomes more like the person. The photos may be newer or older; "
                "they should show one person well. In a group, they go to the face that they resemble most.</p>"
            )
            reference_drop = gr.File(
                label="Drop other photos of the person here", file_count="multiple", file_types=kinds, height=130,
                elem_id="references",
            )  # fmt: skip
            references = gr.HTML(visible=False)
            forget = gr.Button("Leave these photos out", visible=False, size="sm")
            from_album = _from_album()
        samples = gr.Slider(
            1, limits.samples, 1, step=1, label="Versions of each face", elem_id="samples",
            info="Where a face is badly damaged it can be restored in several ways: choose the one that you recognise.",
        )  # fmt: skip
        with gr.Row():
            restore = gr.Button("Restore", variant="primary", size="lg", elem_id="restore")
            stop = gr.Button("Stop", size="lg", visible=False, elem_id="stop")
        with gr.Accordion("Advanced", open=False, elem_id="advanced"):
            method = method_control()
            common = common_controls()
            of_methods = method_controls()
    with gr.Column(visible=False) as result:
        gr.HTML("<h2>Before and after</h2>")
        compared = gr.HTML(elem_id="compared")
        invented = gr.Checkbox(False, label="Show in red what was made up", elem_id="invented")
        versions_title = gr.HTML("<h3>Versions</h3><p>Click on the one that you want in the photo.</p>", visible=False)
        versions = gr.Gallery(
            [], show_label=False, label="Versions of the faces", visible=False, allow_preview=False, columns=4,
            object_fit="cover", height="auto", elem_id="versions", interactive=False, buttons=[],
        )  # fmt: skip
        downloads = gr.HTML(elem_id="downloads")
    return Page(
        *(drop, status, work, photos, stage, faces, notes, damage),
        *(reference_drop, references, forget, from_album),
        *(samples, restore, stop),
        *(result, compared, invented, versions_title, versions, downloads, method, common, of_methods),
    )


def _from_album() -> FromAlbum:
    """Lays out the choice of references from the album."""
    return FromAlbum(
        gr.Checkbox(
            False, label="Take them from the album", visible=False, elem_id="from-album",
            info="Each face gets the photos of its own person. Photos that you drop here count instead of those.",
        ),
        gr.Dropdown(
            [], label="Who is in this photo", visible=False, elem_id="who",
            info="Where the album isn't sure, or wrong: the face that is most like this person is this person.",
        ),
        gr.HTML(visible=False, elem_id="told-people"),
    )  # fmt: skip
