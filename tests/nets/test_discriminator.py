"""The patch discriminator."""

import pytest
import torch

from limner.nets.discriminator import PatchDiscriminator


def tiny(layers: int = 2) -> PatchDiscriminator:
    torch.manual_seed(0)
    return PatchDiscriminator(8, layers)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_one_logit_for_each_patch(layers):
    # every strided layer halves the side; the last two 4 px kernels take a pixel each
    assert tiny(layers)(torch.rand(2, 3, 64, 64)).shape == (2, 1, *[64 // 2**layers - 2] * 2)


def test_pictures_of_a_batch_are_judged_alone():
    net, images = tiny(), torch.rand(3, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(net(images)[1:2], net(images[1:2]))


def test_it_can_tell_two_textures_apart():
    net = tiny()
    steps = torch.optim.Adam(net.parameters(), 1e-3)
    real, fake = torch.ones(4, 3, 16, 16) * 0.3, torch.rand(4, 3, 16, 16) * 2 - 1
    for _ in range(30):
        loss = torch.relu(1 - net(real)).mean() + torch.relu(1 + net(fake)).mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert (net(real) > net(fake)).all()
