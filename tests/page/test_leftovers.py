"""What a killed program leaves is removed by the next one, and nothing of a living one's."""

import subprocess
import sys
import tempfile

import pytest

from limner.page import leftovers
from limner.page.leftovers import LOCK, new_temporary, sweep

pytestmark = pytest.mark.skipif(leftovers.fcntl is None, reason="there are no such locks on Windows")

PROGRAM = """
import time
from limner.page.leftovers import new_temporary
folder, in_use = new_temporary()
(folder / "photo.jpg").touch()
print(folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


def test_a_killed_program_s_folder_goes_a_living_one_s_stays(temporary):
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline().startswith(str(temporary))
        own, in_use = new_temporary()
        sweep()
        assert len(list(temporary.glob("limner-ui-*"))) == 2 and len(list(temporary.rglob("photo.jpg"))) == 1
        other.kill()
    sweep()
    assert list(temporary.glob("limner-ui-*")) == [own] and own.stat().st_mode & 0o77 == 0
    in_use.close()
    sweep()
    assert not own.exists()


def test_what_isn_t_known_stays(temporary):
    for name in ("limner-ui-other", "somebody-else"):
        (temporary / name).mkdir()
    (temporary / "somebody-else" / LOCK).touch()
    (temporary / "limner-ui-link").symlink_to(temporary / "somebody-else")
    (temporary / "limner-ui-file").touch()
    sweep()
    assert len(list(temporary.iterdir())) == 4
