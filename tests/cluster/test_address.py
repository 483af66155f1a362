"""What `--engine` may be."""

import pytest

from limner.cluster.address import LOCAL, address_of
from limner.errors import LimnerError


def test_an_engine_is_this_machine_or_a_cluster():
    assert address_of("ray") == LOCAL
    assert address_of("ray:auto") == "auto"
    assert address_of("ray:10.0.0.1:6379") == "10.0.0.1:6379"


@pytest.mark.parametrize("engine", ["dask", "ray:", "", "rays"])
def test_another_is_refused(engine):
    with pytest.raises(LimnerError, match=f"There is no engine '{engine}': --engine ray is this machine"):
        address_of(engine)
