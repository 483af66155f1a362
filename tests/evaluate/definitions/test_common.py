"""Every protocol that a definition names is one."""

from limner.evaluate.definitions.common import ALL, ANYBODYS
from limner.evaluate.metric_registry import METRICS, SET_METRICS
from limner.evaluate.protocols import PROTOCOLS


def test_protocols_are_called_by_their_names():
    assert {name for one in (*METRICS, *SET_METRICS) for name in one.protocols} == set(ALL)
    assert {name for name in ALL if name != ANYBODYS} <= PROTOCOLS.keys()
