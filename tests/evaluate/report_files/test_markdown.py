"""The Markdown page."""

import re
from dataclasses import replace

import numpy as np

from limner.evaluate.report_files.account import Account
from limner.evaluate.report_files.markdown import code, escaped, markdown


def lines_with(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_it_tells_all_but_the_pictures(evaluated):
    account = Account.of(evaluated)
    text = markdown(account)
    (head,) = lines_with(text, "| row | PSNR")
    row = lines_with(text, "| difface |")[0]
    assert row.count("|") == head.count("|")
    assert "**24." in row and "<br>35.0 to 45.0" in row
    for metric, _, variant, _ in account.definitions():
        assert f"| {escaped(metric.heading)} | {escaped(metric.definition)} |" in text and escaped(variant) in text
    assert account.command in text and "Apache-2.0" in text and "| torch |" in text


def test_names_stay_names(evaluated, summed):
    hostile = "a|b`c*<img src=x>\n# d"
    row = summed(hostile, "abcd", psnr=range(4))
    text = markdown(Account.of(replace(evaluated, summaries=[row])))
    assert "<img" not in text and not lines_with(text, "# d")
    assert escaped(hostile) == r"a\|b\`c\*&lt;img src=x&gt; \# d" and escaped(hostile) in text


def test_what_is_no_number_is_a_dash(evaluated, summed):
    row = summed("odd", "abcde", psnr=[20, np.nan, 21, 22, 23], ssim=[np.nan] * 5)
    text = markdown(Account.of(replace(evaluated, summaries=[row])))
    assert "| odd | -<br>- | -<br>- |" in text and not re.search(r"\bnan\b", text)
    assert "| PSNR dB | odd | 20.00 | 20.75 | 21.50 | 22.25 | 23.00 | 1 |" in text


def test_code_holds_whatever_it_is_given():
    assert code("a ``` b") == "````\na ``` b\n````"
