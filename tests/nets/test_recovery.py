"""The correction of a regressor's estimate."""

import torch
from torch import nn

from limner.nets.recovery import IdentityRecovery

ESTIMATOR = {"sample_size": 32, "patch_size": 2, "widths": (8, 8), "depths": (1, 1)}


def tiny() -> IdentityRecovery:
    torch.manual_seed(0)
    net = IdentityRecovery(32, ESTIMATOR, patch_size=2, width=8, depth=1).eval()
    nn.init.normal_(net.estimator.head.weight, std=0.05)
    return net


def test_untrained_it_is_the_estimate():
    net, lq = tiny(), torch.rand(2, 3, 32, 32)
    assert (net.estimator(lq) != lq).any()
    assert torch.equal(net(lq), net.estimator(lq))


def test_it_looks_at_the_degraded_face_beside_the_estimate():
    net, lq = tiny(), torch.rand(1, 3, 32, 32)
    nn.init.normal_(net.head.weight, std=0.1)
    torch.nn.init.zeros_(net.estimator.head.weight)  # the estimate is the degraded face itself
    assert (net(lq) - lq).abs().max() > 1e-3
    first = net.stem.weight.shape[1] // 2
    both = net(lq)
    with torch.no_grad():
        net.stem.weight[:, first:] = 0  # channels are those of the estimate, then those of the degraded face
    assert (net(lq) - both).abs().max() > 1e-3
