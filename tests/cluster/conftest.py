"""Ray, once for all tests of a process: on two CPUs, whatever the machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from limner.cluster.connected import STORE
from limner.cluster.ray_package import ray


@pytest.fixture(scope="session")
def two_cpus() -> Iterator[None]:
    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=STORE, log_to_driver=False)
    yield
    ray.shutdown()
