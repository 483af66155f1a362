"""The published sizes, without the weights."""

import pytest
import torch

import published

COUNTS = {"refldm": 117_759_368, "ldbfr": 274_056_163, "clrface": 115_700_000}
"""Parameters of the U-Nets, as their recipes tell them."""


@pytest.mark.parametrize("name", published.PUBLISHED)
def test_nets_are_made_for_the_size_that_was_asked_for(name, monkeypatch):
    monkeypatch.setattr(published, "randomised", lambda make: make())
    monkeypatch.setattr(published, "spread", lambda vqgan: vqgan)
    with torch.device("meta"):
        pipeline = published.PUBLISHED[name](128)
    assert pipeline.size == 128
    parameters = sum(one.numel() for one in pipeline.unet.parameters())
    assert name not in COUNTS or abs(parameters / COUNTS[name] - 1) < 1e-3
