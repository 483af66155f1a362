"""The collector of garbage while large packages are imported."""

import gc
import sys

import pytest

from limner.cli.loading import uncollected


@pytest.fixture
def cold(monkeypatch):
    """A process that seems to have imported nothing large yet."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    before = gc.get_freeze_count()
    yield before
    gc.unfreeze()


def test_the_collector_rests_and_leaves_out_what_was_made(cold):
    with uncollected():
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
    assert gc.isenabled() and gc.get_freeze_count() > cold + len(made)


def test_the_collector_works_again_after_a_failed_import(cold):
    with pytest.raises(ImportError), uncollected():
        raise ImportError("no torch")
    assert gc.isenabled() and gc.get_freeze_count() == cold


def test_a_process_that_has_torch_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", sys)
    before = gc.get_freeze_count()
    with uncollected():
        assert gc.isenabled()
    assert gc.get_freeze_count() == before


def test_a_collector_that_somebody_stopped_stays_so(cold):
    gc.disable()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
