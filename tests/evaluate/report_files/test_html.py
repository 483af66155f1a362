"""The HTML page: whole, by itself, and not to be tricked by names."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from limner.evaluate.report_files.account import Account
from limner.evaluate.report_files.evaluation import UsedWeights
from limner.evaluate.report_files.html import html

VOID = {"meta", "img", "path", "circle", "br", "link", "input"}
HOSTILE = """"><script>alert('&')</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"""


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.scripts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] in ("script", "style") else self.texts).append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def page_of(evaluation):
    return Page(html(Account.of(evaluation)))


def test_it_is_whole_and_asks_nobody(evaluated):
    text = html(Account.of(evaluated))
    page = Page(text)
    assert "//" not in re.sub(r"<pre>.*?</pre>|base64,[^\"]*", "", text, flags=re.DOTALL), "no address of any kind"
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert not {"src", "srcset", "action", "data", "poster"} & attributes.keys(), (tag, attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in text and "@import" not in text and "fetch(" not in text
    policy = next(a["content"] for tag, a in page.tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_all_that_it_shows_is_within(evaluated):
    page = page_of(evaluated)
    album = next(json.loads(text) for text in page.scripts if text.startswith("["))
    shown = [int(attributes["data-picture"]) for tag, attributes in page.tags if tag == "img"]
    assert set(shown) == set(range(len(album))) and len(shown) == 3 * 24
    assert all(one.startswith("data:image/webp;base64,") for one in album)
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {a["href"][1:] for tag, a in page.tags if tag == "a"} <= ids
    for metric in evaluated.metrics:
        assert metric.heading in page.text and metric.definition in page.text and metric.variant in page.text
    assert "Apache-2.0" in page.text and "torch" in page.text and "To repeat it" in page.text


def test_names_stay_names(evaluated, summed):
    row = summed(HOSTILE, [f"{HOSTILE}{n}" for n in range(4)], psnr=range(4), seconds=[1] * 4)
    row = replace(row, facts={"restored": HOSTILE})
    weights = [UsedWeights(HOSTILE, HOSTILE, HOSTILE)]
    page = page_of(replace(evaluated, summaries=[row], weights=weights))
    assert HOSTILE in page.text
    assert not any("alert" in text for text in page.scripts)
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    cards = [attributes for tag, attributes in page.tags if attributes.get("class") == "card"]
    assert all(card["data-row"] == HOSTILE and card["data-name"].startswith(HOSTILE) for card in cards)


def test_one_row_without_seconds_and_inputs(evaluated, summed, no_inputs):
    row = summed("theirs", ["only"], psnr=[30.0])
    page = page_of(replace(evaluated, protocol="evaluate", summaries=[row], see=no_inputs, weights=[]))
    assert "nobody knows what time they took" in page.text
    assert sum(tag == "img" for tag, _ in page.tags) == 2
    assert "Marked is" not in page.text
    assert "30.00 -" in page.text, "one picture has no interval"
    assert not any("best" in (attributes.get("class") or "") for _, attributes in page.tags)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_does_not_break_it(evaluated, summed, bad):
    row = summed("odd", "abcde", psnr=[bad] * 5, ssim=[0.5, bad, 0.6, 0.7, 0.8], seconds=[bad] * 5)
    page = page_of(replace(evaluated, summaries=[row, *evaluated.summaries]))
    assert not re.search(r"\bnan\b", page.text)
    drawn = [attributes["d"] for tag, attributes in page.tags if tag == "path"]
    assert drawn and not any("nan" in path or "inf" in path for path in drawn)


def test_a_set_without_any_figure_has_a_page(evaluated, summed):
    row = summed("odd", "ab", psnr=[np.nan] * 2)
    page = page_of(replace(evaluated, summaries=[row]))
    assert "Figures" in page.text and not any(tag == "img" for tag, _ in page.tags)
