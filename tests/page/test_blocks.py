"""What stands on the page, and that everything that is renewed or asked stands on it."""

import gradio as gr

from limner.page.blocks import laid_out
from limner.page.controls import ADVANCED
from limner.page.restoring import Limits


def test_the_page_asks_for_what_is_declared_and_shows_little_at_first():
    with gr.Blocks() as blocks:
        page = laid_out(Limits(samples=3))
    there = set(blocks.blocks.values())
    assert {*page.viewed, *page.jobs} <= there and {one for _, one in page.asked} <= there
    names = [name for name, _ in page.asked]
    assert names[:2] == ["samples", "method"] and set(ADVANCED) <= set(names) and "clrface.guidance" in names
    assert len(set(names)) == len(names) and page.samples.maximum == 3
    assert not page.work.visible and not page.result.visible
    labels = [one.label for one in there if isinstance(one, gr.File | gr.Radio | gr.CheckboxGroup | gr.Slider)]
    assert all(labels), "screen readers have no other name for them"
