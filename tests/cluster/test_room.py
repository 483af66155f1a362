"""How many workers a cluster has room for."""

import pytest

from limner.cluster.room import MEMORY, room
from limner.errors import LimnerError


def machine(cpus: float, gigabytes: float = 64.0, gpus: float = 0.0, alive: bool = True) -> dict:
    resources = {"CPU": cpus, "memory": gigabytes * 2**30} | ({"GPU": gpus} if gpus else {})
    return {"Alive": alive, "Resources": resources}


def test_a_worker_for_as_many_cpus_as_it_has_threads():
    assert room([machine(16), machine(5), machine(99, alive=False)], 2, "auto").workers == 8 + 2
    found = room([machine(16)], 4, "cpu")
    assert (found.workers, found.cpus, found.gpus, found.memory) == (4, 4, 0.0, MEMORY)


def test_memory_limits_them():
    assert room([machine(16, gigabytes=3.2)], 1, "cpu").workers == 2


def test_workers_share_cards():
    found = room([machine(16, gpus=1)], 1, "auto")
    assert (found.workers, found.gpus) == (4, 0.25)
    found = room([machine(16, gpus=8)], 2, "cuda")
    assert (found.workers, found.gpus) == (8, 1.0)


@pytest.mark.parametrize("cpus", [1, 3, 6, 7, 11])
def test_as_many_as_are_told_fit_on_the_cards(cpus):
    found = room([machine(cpus, gpus=3)], 1, "cuda")
    assert found.workers == min(cpus, 12)
    assert 3 * int(1 / found.gpus) >= found.workers, "Ray puts no worker on parts of two cards"


def test_machines_without_a_card_rest_where_others_have_one():
    assert room([machine(16), machine(2, gpus=1)], 1, "auto").workers == 2
    assert room([machine(16), machine(2, gpus=1)], 1, "cpu").workers == 18


def test_no_room_is_told():
    with pytest.raises(LimnerError, match=r"No machine of the cluster has room for a worker, 8 CPUs and 1.6 GB of mem"):
        room([machine(4), machine(2)], 8, "cpu")
    with pytest.raises(LimnerError, match="No machine of the cluster has a GPU that Ray knows of: choose --device"):
        room([machine(4)], 1, "cuda")
