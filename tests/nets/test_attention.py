"""Attention by its formula, places of tokens, and passes through a net's attention layers."""

import pytest
import torch

from limner.nets.attention import Attention, MainPass, ReferencePass, by_head, copies, sinusoids


def direct(layer: Attention, x: torch.Tensor) -> torch.Tensor:
    """softmax(Q K^T / sqrt(d)) V in each head, a channel at a time as the published checkpoints lay them out."""
    batch, channels, height, width = x.shape
    d = channels // layer.heads
    qkv = layer.qkv(layer.norm(x)).flatten(2)
    out = []
    for head in range(layer.heads):
        query, key, value = qkv[:, 3 * d * head : 3 * d * (head + 1)].split(d, dim=1)
        weights = torch.softmax(query.transpose(1, 2) @ key / d**0.5, dim=2)
        out.append(value @ weights.transpose(1, 2))
    return x + layer.out(torch.cat(out, dim=1).reshape(batch, channels, height, width))


@torch.no_grad()
@pytest.mark.parametrize("groups", [0, 4])
def test_attention_is_its_formula(groups):
    torch.manual_seed(0)
    layer, x = Attention(16, 8, groups), torch.randn(2, 16, 3, 5)
    assert torch.equal(layer(x), x)  # the last convolution begins at zero
    torch.nn.init.normal_(layer.out.weight)
    torch.testing.assert_close(layer(x), direct(layer, x), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_layer_that_begins_by_copying_adds_a_twentieth_of_the_same_place():
    torch.manual_seed(0)
    layer = Attention(16, 16, 0, positions=True)
    layer.begin_by_copying()
    for part in (layer.qkv.weight[:32], layer.qkv.bias):
        part.zero_()  # places alone decide what is attended to
    layer.position_gain.fill_(20)
    x = torch.randn(1, 16, 6, 6)
    torch.testing.assert_close(layer(x), 1.05 * x, atol=1e-4, rtol=1e-4)


def test_places_are_most_like_themselves():
    table = sinusoids(5, 7, 16)
    assert table.shape == (35, 16)
    likeness = table @ table.T
    torch.testing.assert_close(likeness.diagonal(), torch.full((35,), 8.0))
    assert (likeness.argmax(dim=1) == torch.arange(35)).all()
    assert likeness[0, 0] > likeness[0, 1] and likeness[0, 0] > likeness[0, 7]
    torch.testing.assert_close(likeness[0, 1], likeness[8, 9])  # the difference counts, not where it is
    rows = sinusoids(73, 1, 16)[:, :8]
    torch.testing.assert_close(rows[[3, 72]][:, [0, 3]].diagonal(), torch.ones(2))  # wavelengths of 3 to 72 tokens
    assert rows[36, 3] == -1


def test_heads_are_runs_of_channels():
    x = torch.arange(2 * 6 * 2 * 2.0).reshape(2, 6, 2, 2)
    tokens = by_head(x, 3)
    assert tokens.shape == (2, 3, 4, 2) and tokens.is_contiguous()
    assert torch.equal(tokens[1, 2, 3], x[1, 4:6, 1, 1])


@torch.no_grad()
def test_the_main_pass_copies_once_and_lets_others_step_in_behind_each_layer():
    torch.manual_seed(0)
    layers, x = [Attention(8, 8, 0) for _ in range(2)], torch.randn(3, 8, 2, 2)
    seen = []

    def after_attention(number, h):
        seen.append((number, len(h)))
        return h + 1

    walk = MainPass([None, None], after_attention)
    for layer in layers:
        x = walk(layer, x)
    assert seen == [(0, 6), (1, 6)] and not walk.done
    assert torch.equal(x[:3], x[3:])


@torch.no_grad()
def test_reading_references_ends_at_the_last_layer():
    torch.manual_seed(0)
    layers, x = [Attention(8, 4, 0) for _ in range(2)], torch.randn(3, 8, 2, 2)
    for layer in layers:
        torch.nn.init.normal_(layer.out.weight)
    read = ReferencePass(2)
    h = read(layers[0], x)
    assert not read.done and torch.equal(h, layers[0](x))
    assert read(layers[1], h) is h and read.done
    _, key, value = layers[1].read(h)
    assert torch.equal(read.found[1][0], key) and torch.equal(read.found[1][1], value)


def test_copies_follow_one_another():
    x = torch.randn(2, 3)
    assert copies(x, 1) is x
    assert torch.equal(copies(x, 3), torch.cat([x, x, x]))
