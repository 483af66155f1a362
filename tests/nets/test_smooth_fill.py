"""The smoothest filling; that relaxed it solves Laplace's equation is tested where it is a membrane
(`tests/holes/test_blend.py`)."""

import torch

from limner.nets.smooth_fill import smooth_fill


def test_a_filling_is_smooth_and_keeps_what_is_known():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).clone()
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:30, 20:40] = 1
    filled = smooth_fill(ramp * (1 - mask), mask)
    assert torch.equal(filled[(mask == 0).expand_as(filled)], ramp[(mask == 0).expand_as(ramp)])
    assert (filled - ramp).abs().max() < 0.2  # black would be 0.6 away
    assert torch.equal(smooth_fill(ramp, torch.ones_like(mask)), torch.full_like(ramp, 0.5))
    one = torch.full_like(ramp, 0.3)
    torch.testing.assert_close(smooth_fill(one, mask), one, rtol=0, atol=1e-4)


def test_relaxed_it_is_nearer_to_a_harmonic_field():
    x = torch.linspace(-1, 1, 48)
    field = (x[None, :] ** 2 - x[:, None] ** 2)[None, None]
    mask = torch.zeros(1, 1, 48, 48)
    mask[..., 10:40, 12:30] = 1
    errors = [float((smooth_fill(field, mask, count) - field).abs().mean()) for count in (0, 8, 64)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
