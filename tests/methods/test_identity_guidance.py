"""The gradient that holds CLR-Face to a person: its direction, its length and where it acts."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.methods.identity_guidance import IdentityGuidance

from . import tiny


def exact(net):
    """The recogniser without its way into float32."""

    class Exact(nn.Module):
        def forward(self, crops):
            return F.normalize(net.embed(net.prepare(crops)), dim=1)

    return Exact()


def test_the_gradient_agrees_with_finite_differences():
    """In float64, at codes: the gradient passes the quantiser as if it weren't there."""
    parts = tiny.clrface()
    vqgan, identity = parts.vqgan.double(), exact(parts.identity.double())
    generator = torch.Generator().manual_seed(0)
    wanted = F.normalize(torch.randn(2, 16, generator=generator, dtype=torch.float64), dim=1)
    guide = IdentityGuidance(vqgan, identity, wanted, 1.0, lambda z0, t: torch.ones_like(z0))
    z0 = vqgan.codes(torch.randint(64, (2, 16, 16), generator=generator)).double() / vqgan.scale

    def unlike(z):
        picture = vqgan.decode(z, quantise=False) / 2 + 0.5
        return 1 - (identity(picture) * wanted).sum(dim=1)

    assert torch.allclose(guide.distance(z0), unlike(z0))
    direction = guide.direction(z0)
    assert direction.square().mean(dim=(1, 2, 3)).sqrt() == pytest.approx([1, 1])
    slopes = []
    for _ in range(6):
        way, step = torch.randn(z0.shape, generator=generator, dtype=torch.float64), 1e-7
        slope = (unlike(z0 + step * way) - unlike(z0 - step * way)) / (2 * step)
        slopes.append(slope / (way * direction).sum(dim=(1, 2, 3)))
    # direction is the gradient times one positive number for each face
    ratios = torch.stack(slopes)
    assert (ratios > 0).all()
    assert torch.allclose(ratios, ratios[:1].expand_as(ratios), rtol=1e-5)


def test_the_step_is_scaled_and_masked():
    pipeline = tiny.clrface()
    vqgan, identity = pipeline.vqgan, pipeline.identity
    wanted = F.normalize(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    half = torch.zeros(1, 3, 16, 16)
    half[..., :8] = 1
    guide = IdentityGuidance(vqgan, identity, wanted, 0.2, lambda z0, t: half)
    z0 = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    shift, mask = guide.shift(z0, torch.tensor([100]), torch.tensor(0.25))
    assert torch.equal(mask, half) and shift[..., 8:].abs().max() == 0
    assert torch.allclose(shift[..., :8], 0.2 * 0.5 * guide.direction(z0)[..., :8])
