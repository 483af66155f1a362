"""A VQGAN's encoder that reads degraded faces begins as its twin."""

import pytest
import torch
from torch import nn

from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.estimator import Estimator
from limner.nets.vqgan import VQGAN


def autoencoder(groups: int) -> VQGAN:
    torch.manual_seed(0)
    net = VQGAN(32, 3, 16, 8, (1, 2), 1, middle=False, groups=groups, patch_size=2, normalise_latent=True)
    net.latent_std.fill_(2.5)
    return net.eval()


@torch.no_grad()
@pytest.mark.parametrize("groups", [0, 4])
def test_the_twin_reads_like_the_encoder_in_unscaled_units(groups):
    vqgan, faces = autoencoder(groups), torch.rand(2, 3, 32, 32)
    twin = DegradedEncoder.for_vqgan(vqgan).eval()
    assert twin(faces).shape == (2, 3, 8, 8)
    torch.testing.assert_close(twin(faces), vqgan.encode(faces * 2 - 1) * 2.5)
    nn.init.zeros_(twin.to_latent.weight)
    assert vqgan.to_latent.weight.abs().sum() > 0, "the weights are the twin's own"


@torch.no_grad()
def test_an_estimator_looks_first_and_is_not_trained():
    vqgan, faces = autoencoder(0), torch.rand(1, 3, 32, 32)
    estimator = Estimator(32, 2, (8, 8), (1, 1))
    nn.init.normal_(estimator.head.weight, std=0.05)
    twin = DegradedEncoder.for_vqgan(vqgan, estimator).eval()
    torch.testing.assert_close(twin(faces), DegradedEncoder.for_vqgan(vqgan)(estimator(faces)))
    assert not any(p.requires_grad for p in twin.estimator.parameters())
    assert all(p.requires_grad for p in twin.encoder.parameters())
