"""One call restores one photograph."""

from pathlib import Path

import pytest
from PIL import Image
from skimage.data import astronaut

from limner import PhotoError, Settings, restore
from limner.photo.provenance import read

FAST = Settings(options={"steps": 1}, finish=0, threads=1, dtype="fp32")


@pytest.fixture
def portrait(tmp_path) -> Path:
    Image.fromarray(astronaut()[:300, 80:380]).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.slow
def test_restore_is_one_call(portrait, tmp_path):
    restore(portrait, tmp_path / "b.jpg", FAST, quality=90)
    assert Image.open(tmp_path / "b.jpg").format == "JPEG"
    told = read(tmp_path / "b.jpg")
    assert told is not None and told.method == "difface"


def test_what_can_t_be_written_is_refused_before_any_net_is_loaded(portrait, tmp_path, monkeypatch):
    monkeypatch.setattr("limner.one_photo.Restorer", None)
    with pytest.raises(PhotoError, match="odd"):
        restore(portrait, tmp_path / "b.odd", FAST)
