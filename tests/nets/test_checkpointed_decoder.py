"""The decoder's gradient in little memory."""

import torch
from torch import nn

from limner.nets.vqgan import VQGAN


def kept_and_gradient(net, latent):
    """Bytes of activations that wait for the gradient, and the gradient."""
    held = {}

    def keep(tensor):
        held[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    latent = latent.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = net.decode(latent).square().mean()
    waiting = sum(held.values())
    (gradient,) = torch.autograd.grad(loss, latent)
    return waiting, gradient


def test_checkpointing_keeps_little_and_changes_nothing():
    torch.manual_seed(0)
    net = VQGAN(sample_size=64, latent_channels=3, codebook_size=16, width=16, multipliers=(1, 2), depth=3, groups=4)
    nn.init.normal_(net.codebook.weight)
    net.requires_grad_(False)
    latent = torch.randn(1, 3, 32, 32)
    whole, expected = kept_and_gradient(net, latent)
    net.enable_gradient_checkpointing()
    few, found = kept_and_gradient(net, latent)
    assert torch.equal(found, expected)
    assert few < whole / 3
