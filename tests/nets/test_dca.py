"""Dual cross-attention against its equations."""

import pytest
import torch

from limner.nets.dca import DualCrossAttention


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 8, 3, 4), torch.randn(2, 8, 3, 4)


@torch.no_grad()
@pytest.mark.parametrize("scaled", [False, True])
def test_channels_are_mixed_by_their_likeness(scaled):
    lq, codes = inputs()
    net = DualCrossAttention(8, 2, scaled=scaled)
    for row in range(2):
        y, x = lq[row].reshape(8, 12), codes[row].reshape(8, 12)
        affinity = torch.softmax(y @ y.T / (12**0.5 if scaled else 1), dim=1)
        torch.testing.assert_close(net.affinity(lq)[row], affinity)
        torch.testing.assert_close(net.mix_channels(lq, codes)[row].reshape(8, 12), x + affinity @ x)


@torch.no_grad()
def test_places_of_the_face_ask_and_codes_answer():
    lq, codes = inputs()
    net = DualCrossAttention(8, 2, head_channels=3)
    mixed = net.mix_channels(lq, codes)
    query, key, value = net.query(lq).flatten(2), net.key(mixed).flatten(2), net.value(mixed).flatten(2)
    seen = []
    for head in range(2):
        rows = slice(3 * head, 3 * head + 3)
        weights = torch.softmax(query[:, rows].transpose(1, 2) @ key[:, rows] / 3**0.5, dim=2)
        seen.append(value[:, rows] @ weights.transpose(1, 2))
    answer = net.out(torch.cat(seen, dim=1).reshape(2, 6, 3, 4))
    torch.testing.assert_close(net(lq, codes), codes + answer)


@torch.no_grad()
@pytest.mark.parametrize("positions", [False, True])
def test_only_with_positions_it_matters_where_a_token_is(positions):
    lq, codes = inputs()
    net = DualCrossAttention(8, 2, positions=positions)
    if positions:
        assert torch.equal(net(lq, codes), codes)  # the output begins at zero
        torch.nn.init.normal_(net.out.weight)
    order = torch.randperm(12)
    moved = [part.flatten(2)[..., order].unflatten(2, (3, 4)) for part in (lq, codes)]
    change = (net(*moved).flatten(2) - net(lq, codes).flatten(2)[..., order]).abs().max()
    assert change > 0.1 if positions else change < 1e-5
