"""Workers have threads of their own, and must see what they are to read."""

import pytest

from limner.cluster.started import THREADS, check_seen, of_a_worker, started
from limner.errors import LimnerError
from limner.settings import Settings

from .jobs import Squares


def test_a_worker_has_one_thread_unless_more_are_asked_for():
    assert THREADS == 1 and of_a_worker(Settings()).threads == 1
    assert of_a_worker(Settings(threads=3)).threads == 3


def test_what_is_not_seen_is_named(tmp_path):
    check_seen(tmp_path)
    with pytest.raises(LimnerError, match=f"^{tmp_path}/gone isn't seen here: photos, results and weights of"):
        check_seen(tmp_path, tmp_path / "gone")


@pytest.mark.slow
def test_no_room_is_told_before_any_worker_is_made(two_cpus, tmp_path):
    with (
        pytest.raises(LimnerError, match="has room for a worker, 3 CPUs"),
        started("local", Squares(tmp_path), Settings(threads=3), 1),
    ):
        pytest.fail("there are two")
