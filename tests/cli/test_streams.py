"""`-` as the input and the output."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.cli.streams import streams
from limner.errors import LimnerError

LIMNER = [sys.executable, "-m", "limner", "restore", "--threads", "1", "--steps", "1"]


@pytest.mark.slow
def test_a_photo_comes_in_and_its_result_goes_out():
    data = BytesIO()
    Image.fromarray(astronaut()[:300, 80:380]).save(data, "WEBP", lossless=True)
    done = subprocess.run([*LIMNER, "-", "-o", "-"], input=data.getvalue(), capture_output=True, check=True)
    result = Image.open(BytesIO(done.stdout))
    assert result.format == "WEBP" and result.size == (300, 300)
    assert done.stderr.startswith(b"-: 1 face restored"), done.stderr


@pytest.mark.slow
def test_what_is_no_photo_is_told(tmp_path):
    done = subprocess.run([*LIMNER, "-", "-o", str(tmp_path / "out")], input=b"Dear Anna,", capture_output=True)
    assert done.returncode == 2 and b"limner: - is not a picture" in done.stderr, done.stderr


def test_a_stream_is_one_photo(run, tmp_path):
    with pytest.raises(LimnerError, match="give - once"), streams([Path("-"), Path("-")]):
        pass
    for name in "ab":
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / f"{name}.png")
    code, _, err = run("restore", tmp_path / "a.png", tmp_path / "b.png", "-o", "-")
    assert code == 2 and "takes one photo with one result" in err
    code, _, err = run("restore", tmp_path / "a.png", "-o", "-", "--json")
    assert code == 2 and "can't hold both a photo and --json" in err
