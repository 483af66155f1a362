"""Photographs without a face, and which of them nothing is trained on."""

import pytest

from limner.data.nofaces import photographs_of_nobody, source
from limner.errors import LimnerError


def test_a_source_is_a_repository_or_a_kind_of_product():
    assert source("a/site", "img/blog/tree.jpg") == "a/site"
    assert source("shop/set", "dataset/val/Fruit/Apple/Gala/1.jpg") == "shop/set/Fruit/Apple"
    assert source("shop/set", "dataset/train/Fruit/Apple/Fuji/2.jpg") == "shop/set/Fruit/Apple"


def test_no_source_is_both_learned_from_and_measured_on(tmp_path):
    rows = [(f"{n}-{m}.jpg", f"some/site{n}") for n in range(60) for m in range(2)]
    lines = [f"{file},{origin},img/{file},CC0" for file, origin in rows]
    (tmp_path / "index.csv").write_text("file,source repository,source_path,licence\n" + "\n".join(lines) + "\n")
    learned, measured = (photographs_of_nobody(tmp_path, which) for which in (False, True))
    assert sorted([*learned, *measured]) == sorted(tmp_path / file for file, _ in rows)
    assert {path.name.split("-")[0] for path in learned}.isdisjoint(path.name.split("-")[0] for path in measured)
    assert 20 < len(measured) < 60


def test_without_its_table_a_folder_is_refused(tmp_path):
    with pytest.raises(LimnerError, match=r"has no index\.csv: give a folder of photographs without a face"):
        photographs_of_nobody(tmp_path, True)


def test_a_third_of_the_collection_is_measured_on(collection):
    learned, measured = (len(photographs_of_nobody(collection / "nofaces", which)) for which in (False, True))
    assert learned + measured == 483 and 0.25 < measured / 483 < 0.42
