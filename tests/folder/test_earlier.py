"""Results that are there already: redone when the photo or the settings differ, never when they aren't limner's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.device import choose
from limner.folder.earlier import alters, kept
from limner.holes.mask import FilledHoles, digest_of_mask
from limner.photo.photo import Photo
from limner.restorer import Restorer, Settings

SETTINGS = Settings(options={"steps": 1}, threads=1)


@pytest.fixture(scope="module")
def restorer():
    return Restorer(SETTINGS)


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((48, 64, 3), 128, np.uint8)).save(path)
    return path


@pytest.fixture
def result(restorer, source, tmp_path) -> Path:
    """As if one face had been restored."""
    path = tmp_path / "out.png"
    Photo.open(source).save(path, provenance=restorer.provenance(source, 1, 0.25))
    return path


def asking(restorer: Restorer, **wishes) -> Restorer:
    """The same nets, asked otherwise."""
    other = Restorer.__new__(Restorer)
    vars(other).update(vars(restorer))
    other.settings = replace(restorer.settings, **wishes)
    other.options = other.settings.sampling(restorer.method.options)
    return other


def test_what_this_run_would_make_stays(restorer, source, result):
    stays = kept([result], source, restorer)
    assert stays is not None and stays.reason == f"{result} is there already: --overwrite makes it anew."
    assert stays.provenance is not None and stays.provenance.faces == 1


@pytest.mark.parametrize(
    "wishes",
    [
        {"options": {"steps": 2}},
        {"options": {"steps": 1, "eta": 0.25}},
        {"seed": 1},
        {"strength": 0.5},
        {"faces": "largest"},
        {"faces": [0]},
        {"scheduler": "unipc"},
        {"grain": False},
        {"background": "clean"},
        {"upscale": 2},
        {"min_score": 0.5},
    ],
)
def test_other_settings_make_it_anew(restorer, source, result, wishes):
    assert kept([result], source, asking(restorer, **wishes)) is None


def test_another_quality_makes_it_anew(restorer, source, result):
    assert kept([result], source, restorer, quality=80) is None
    told = restorer.provenance(source, 1, 0.25)
    Photo.open(source).save(result, provenance=replace(told, quality=80))
    assert kept([result], source, restorer, quality=80) and kept([result], source, restorer) is None


def test_another_precision_makes_it_anew_if_it_is_asked_for(restorer, source, result):
    made = restorer.compute.precision
    for dtype, stays in (("auto", True), (made, True), ({"fp32": "bf16", "bf16": "fp32"}[made], False)):
        other = asking(restorer, dtype=dtype)
        other.compute = choose("cpu", dtype)
        assert (kept([result], source, other) is not None) == stays
    elsewhere = replace(restorer.provenance(source, 1, 0.25), precision="another machine's")
    Photo.open(source).save(result, provenance=elsewhere)
    assert kept([result], source, restorer) is not None


def test_another_photo_makes_it_anew(restorer, source, result):
    Image.fromarray(np.full((48, 64, 3), 9, np.uint8)).save(source)
    assert kept([result], source, restorer) is None


def test_another_mask_makes_it_anew(restorer, source, tmp_path):
    masks = [np.zeros((48, 64), np.uint8) for _ in range(2)]
    masks[0][:9], masks[1][:10] = 255, 255
    result = tmp_path / "filled.png"
    holes = FilledHoles(0.1875, digest_of_mask(masks[0]))
    Photo.open(source).save(result, provenance=restorer.provenance(source, 1, 0.25, holes=holes))
    assert kept([result], source, restorer, mask=masks[0]) is not None
    assert kept([result], source, restorer, mask=masks[1]) is None
    assert kept([result], source, restorer) is None
    result.write_bytes(source.read_bytes())  # a copy: no face was found before there was a mask
    assert kept([result], source, restorer) is not None
    assert kept([result], source, restorer, mask=masks[0]) is None


def test_another_version_makes_it_anew(restorer, source, result):
    told = restorer.provenance(source, 1, 0.25)
    Photo.open(source).save(result, provenance=replace(told, version="0.0.1"))
    assert kept([result], source, restorer) is None


def test_what_is_missing_or_empty_is_made(restorer, source, result, tmp_path):
    assert kept([tmp_path / "gone.png"], source, restorer) is None
    assert kept([result, tmp_path / "gone.png"], source, restorer) is None
    (tmp_path / "empty.png").touch()
    assert kept([tmp_path / "empty.png"], source, restorer) is None


def test_a_file_of_someone_else_is_never_replaced(restorer, source, result, tmp_path):
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"mine")
    for outputs in ([mine], [mine, tmp_path / "gone.png"], [result, mine]):
        stays = kept(outputs, source, restorer)
        assert stays is not None and stays.provenance is None
        assert stays.reason == f"{mine} is there already and doesn't say how it was made: --overwrite replaces it."


def test_a_copy_of_a_photo_without_a_face(restorer, source, tmp_path):
    copy = tmp_path / "copy.png"
    copy.write_bytes(source.read_bytes())
    stays = kept([copy], source, restorer)
    assert stays is not None and "a copy because no face was found: --overwrite looks again" in stays.reason
    assert kept([copy], source, asking(restorer, background="clean")) is None


def test_what_becomes_another_file_without_a_face(restorer, tmp_path):
    assert not alters(restorer, Path("a.jpg"), Path("b.JPEG")) and alters(restorer, Path("a.jpg"), Path("b.png"))
    assert not alters(restorer, Path("St. Petersburg 1912"), Path("out/St. Petersburg 1912"))
    assert alters(restorer, Path("oma"), Path("b.png")) and alters(asking(restorer, upscale=2), Path("a"), Path("a"))
