"""A folder is looked at before anything runs, and one sentence says what it lacks."""

from dataclasses import replace

import pytest

from limner.errors import LimnerError
from limner.evaluate.definitions.given_nets import KINDS
from limner.evaluate.metric_registry import METRICS, SET_METRICS
from limner.evaluate.protocols import PROTOCOLS
from limner.evaluate.published_sets import PUBLISHED_SETS

from .sets import pictures

SETS = {one.name: one for one in PUBLISHED_SETS}
NAMES = ("a", "b", "c")


def small(name, count=3):
    return replace(SETS[name], count=count, size=32)


def test_all_are_protocols_and_name_metrics_that_exist():
    given = {"lpips_vgg", "lpips_alex", "dists", "niqe_published", "fid", "kid", "fid_real", "kid_real"}
    given |= {"arcface", "arcface_degrees", "arcface_person"}
    assert {"lpips-vgg", "lpips-alex", "dists", "niqe", "inception", "arcface"} < KINDS.keys()
    known = {one.key for one in (*METRICS, *SET_METRICS) if "evaluate" in one.protocols} | given
    for one in PUBLISHED_SETS:
        assert one.name in PROTOCOLS and set(one.metrics) <= known and one.count > 0
    assert [one.name for one in PUBLISHED_SETS if "truth" not in one.parts] == [
        "lfw-test",
        "webphoto-test",
        "wider-test",
    ]


def test_a_whole_set_carries_its_name(tmp_path):
    for part in ("input", "truth"):
        pictures(tmp_path / part, NAMES)
    opened = small("celeba-test").open(tmp_path)
    assert (opened.label, opened.source, opened.names) == ("celeba-test", "as given", NAMES)
    assert small("celeba-test", 3_000).open(tmp_path).label == "celeba-test, 3 of 3,000"
    assert small("celeba-test").open(tmp_path, limit=2).label == "celeba-test, 2 of 3"


def test_inputs_are_made_where_the_set_is_one_of_a_preset(tmp_path):
    pictures(tmp_path / "truth", NAMES)
    pictures(tmp_path / "references" / "a", ["x"])
    opened = small("ffhq-ref-severe").open(tmp_path)
    assert opened.source == "made by ffhq-ref-severe" and not opened.inputs and set(opened.truths) == set(NAMES)
    pictures(tmp_path / "input", NAMES)
    assert small("ffhq-ref-severe").open(tmp_path).source == "as given"


def test_what_is_missing_is_told(tmp_path):
    wanted = "celeba-test-ref is a folder with input and truth and references, 3 aligned crops of 32 px."
    one = small("celeba-test-ref")

    def told():
        with pytest.raises(LimnerError) as caught:
            one.open(tmp_path)
        return str(caught.value)

    assert told() == f"There is no {tmp_path / 'input'}: {wanted}"
    pictures(tmp_path / "input", (*NAMES, "d"))
    assert told() == f"{tmp_path / 'input'} holds 4 pictures, instead of 3: {wanted}"
    (tmp_path / "input" / "d.png").unlink()
    pictures(tmp_path / "truth", NAMES[:2])
    assert told() == f"There is no {tmp_path / 'references'}: {wanted}"
    pictures(tmp_path / "references", ["a_1"])
    assert "don't hold the same 3 names: c is in one of them alone (3 and 2 pictures)" in told()
    pictures(tmp_path / "truth", NAMES[2:], side=16)
    assert told() == f"{tmp_path / 'truth' / 'c.png'} has 16 x 16 px: {wanted}"
    (tmp_path / "truth" / "c.png").write_bytes(b"no picture")
    assert "can't be read as a picture" in told()


def test_an_empty_folder_holds_none(tmp_path):
    (tmp_path / "input").mkdir()
    with pytest.raises(LimnerError, match="input holds 0 pictures, instead of 407: webphoto-test is a"):
        SETS["webphoto-test"].open(tmp_path)
