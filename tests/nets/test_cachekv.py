"""References in the U-Net: every saving is exact, nobody's references reach anybody else, and nothing is kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import limner.nets.attention
import limner.nets.unet
from limner.nets.attention import Attention, ReferencePass, sinusoids
from limner.nets.cachekv import LayerCache, ReferenceCache, stack
from limner.nets.unet import UNet

STEPS = torch.tensor([700, 30])


def tiny(**changes) -> UNet:
    """In every branch something happens, also in those that training starts at zero."""
    settings = {
        "sample_size": 16,
        "in_channels": 8,
        "out_channels": 4,
        "width": 16,
        "multipliers": (1, 2, 2),
        "depths": (1, 2, 1),
        "attention_levels": (1, 2),
        "head_channels": 8,
        "scale_shift": False,
        "groups": 8,
    }
    torch.manual_seed(0)
    net = UNet(**(settings | changes)).eval()
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def noisy(rows: int = 2) -> Tensor:
    return torch.randn(rows, 8, 16, 16, generator=torch.Generator().manual_seed(1))


def some_references(count: int = 3, rows: int = 2) -> Tensor:
    return 2 * torch.randn(rows, count, 4, 16, 16, generator=torch.Generator().manual_seed(2))


def off(found: Tensor, exact: Tensor) -> float:
    """Relative error."""
    return float((found - exact).norm() / exact.norm())


def same(found: ReferenceCache, exact: ReferenceCache) -> bool:
    pairs = zip(found.layers, exact.layers, strict=True)
    return all(off(a, b) < 1e-5 for mine, theirs in pairs for a, b in zip(mine, theirs, strict=True))


@pytest.fixture(scope="module")
def net() -> UNet:
    return tiny()


# --- what references do -------------------------------------------------------------------------------------


@torch.no_grad()
def test_references_matter_each_of_them(net):
    alone = net(noisy(), STEPS)
    one, two = (net(noisy(), STEPS, net.read_references(some_references()[:, :count])) for count in (1, 2))
    assert off(one, alone) > 1e-2
    assert off(two, one) > 1e-2


@torch.no_grad()
def test_their_order_does_not(net):
    read = net.read_references(some_references())
    turned = net.read_references(some_references()[:, [2, 0, 1]])
    assert off(net(noisy(), STEPS, turned), net(noisy(), STEPS, read)) < 1e-5


@torch.no_grad()
def test_the_cache_has_a_place_for_every_layer_and_reference(net):
    cache = net.read_references(some_references(count=3))
    tokens = [64] * 2 + [16] * 4 + [64] * 3  # 2 on the way down at 8x8, 1 + 1 + 2 at 4x4, 3 on the way up
    assert [keys.shape for keys, _ in cache.layers] == [(2, 4, 3 * n, 8) for n in tokens]
    assert cache.batch == 2 and cache.count == 3 and cache.bias is None
    assert cache.nbytes == 2 * sum(2 * 4 * 3 * n * 8 * 4 for n in tokens)


@torch.no_grad()
@pytest.mark.parametrize("changes", [{}, {"attention_levels": ()}, {"attention_levels": (0, 1, 2)}, {"groups": 0}])
def test_attention_anywhere(changes):
    net = tiny(**changes).double()  # without normalisation the logits grow, and float32's rounding with them
    x = noisy().double()
    both = [None, net.read_references(some_references().double())]
    separate = [net(x, STEPS, cache) for cache in both]
    assert off(separate[1], separate[0]) > 1e-3
    assert off(net(x, STEPS, both), torch.cat(separate)) < 1e-9


# --- exact savings ------------------------------------------------------------------------------------------


def plain_attention(query, key, value, references):
    """The published arithmetic: scaled query and key, einsum, softmax in float32."""
    if references is not None:
        assert references.bias is None
        key, value = torch.cat([key, references.keys], 2), torch.cat([value, references.values], 2)
    scale = query.shape[-1] ** -0.25
    weights = torch.einsum("bhtc,bhsc->bhts", query * scale, key * scale).float().softmax(dim=-1)
    return torch.einsum("bhts,bhsc->bhtc", weights, value)


@torch.no_grad()
def test_fused_attention(net, monkeypatch):
    fused = net(noisy(), STEPS, net.read_references(some_references()))
    monkeypatch.setattr(limner.nets.attention, "attend", plain_attention)
    assert off(fused, net(noisy(), STEPS, net.read_references(some_references()))) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_zero_reference_stands_for_many(net, count):
    zeros = torch.zeros(2, count, 4, 16, 16)
    exact = net(noisy(), STEPS, net.read_references(zeros))
    read = net.read_references(zeros[:, :1], stands_for=count)
    assert off(net(noisy(), STEPS, read), exact) < 1e-5
    if count > 1:
        assert off(net(noisy(), STEPS, net.read_references(zeros[:, :1])), exact) > 1e-4


@torch.no_grad()
def test_a_cache_of_one_row_serves_all(net):
    zeros = torch.zeros(2, 1, 4, 16, 16)
    exact = net(noisy(), STEPS, net.read_references(zeros, stands_for=4))
    assert off(net(noisy(), STEPS, net.read_references(zeros[:1], stands_for=4)), exact) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("changes", [{}, {"patch_size": 2, "sample_size": 32, "input_skip": True}])
def test_guidance_shares_what_comes_before_the_first_attention(changes, monkeypatch):
    net = tiny(**changes)
    caches = [net.read_references(torch.zeros(1, 1, 4, 16, 16), stands_for=3), net.read_references(some_references())]
    exact = torch.cat([net(noisy(), STEPS, cache) for cache in caches])
    seen = []
    net.stem.register_forward_hook(lambda _, given, out: seen.append(len(out)))
    net.down[1].blocks[0].res.register_forward_hook(lambda _, given, out: seen.append(len(out)))
    net.down[1].blocks[1].res.register_forward_hook(lambda _, given, out: seen.append(len(out)))
    assert off(net(noisy(), STEPS, caches), exact) < 1e-5
    assert seen == [2, 2, 4]


@torch.no_grad()
def test_the_reference_pass_ends_at_the_last_attention(net, monkeypatch):
    calls = []
    handles = [
        part.register_forward_hook(lambda *_: calls.append(1)) for part in (net.up[1].resample, net.up[2], net.head)
    ]
    handles += [block.register_forward_hook(lambda *_: calls.append(1)) for block in net.up[2].blocks]
    short = net.read_references(some_references())
    assert not calls

    class Whole(ReferencePass):
        done = False

    monkeypatch.setattr(limner.nets.unet, "ReferencePass", Whole)
    whole = net.read_references(some_references())
    assert len(calls) == 3  # both blocks of the last level and the convolution before it
    for handle in handles:
        handle.remove()
    assert same(short, whole)


@torch.no_grad()
def test_references_in_one_batch(net):
    references = some_references()
    each = [net.read_references(references[:, [place]]) for place in range(3)]
    layers = tuple(
        tuple(torch.cat(parts, dim=2) for parts in zip(*(cache.layers[layer] for cache in each), strict=True))
        for layer in range(len(each[0].layers))
    )
    one_after_the_other = ReferenceCache(layers, None, 3)
    assert same(net.read_references(references), one_after_the_other)


# --- different numbers --------------------------------------------------------------------------------------


@torch.no_grad()
def test_different_numbers_in_a_batch_equal_each_alone(net):
    references = some_references()
    present = torch.tensor([[True, False, True], [False, False, False]])
    cache = net.read_references(references.masked_fill(~present[:, :, None, None, None], float("nan")), present)
    together = net(noisy(), STEPS, cache)
    alone = net(noisy()[:1], STEPS[:1], net.read_references(references[:1, [0, 2]]))
    assert off(together[:1], alone) < 1e-5
    assert off(together[1:], net(noisy()[1:], STEPS[1:])) < 1e-5


@torch.no_grad()
def test_no_references_at_all(net):
    alone = net(noisy(), STEPS)
    absent = net.read_references(some_references(), torch.zeros(2, 3, dtype=torch.bool))
    empty = net.read_references(some_references(count=0), stands_for=2)
    assert torch.equal(net(noisy(), STEPS, None), alone)
    for cache in (absent, empty):
        assert off(net(noisy(), STEPS, cache), alone) < 1e-5
    assert off(net(noisy(), STEPS, [None, absent]), torch.cat([alone, alone])) < 1e-5


@torch.no_grad()
def test_caches_are_stacked(net):
    references = some_references()
    one, three = net.read_references(references[:1, :1]), net.read_references(references[1:])
    cache = stack([one, three])
    assert cache.count == 3 and cache.bias is not None
    exact = torch.cat([net(noisy()[:1], STEPS[:1], one), net(noisy()[1:], STEPS[1:], three)])
    assert off(net(noisy(), STEPS, cache), exact) < 1e-5
    alike = stack([net.read_references(references[:1]), three])
    assert alike.bias is None and same(alike, net.read_references(references))


@torch.no_grad()
def test_what_stands_for_many_can_be_absent(net):
    zeros = torch.zeros(2, 1, 4, 16, 16)
    cache = net.read_references(zeros, torch.tensor([[True], [False]]), stands_for=4)
    out = net(noisy(), STEPS, cache)
    assert off(out[:1], net(noisy()[:1], STEPS[:1], net.read_references(zeros[:1].expand(1, 4, 4, 16, 16)))) < 1e-5
    assert off(out[1:], net(noisy()[1:], STEPS[1:])) < 1e-5


# --- gradients, checkpoints, threads ------------------------------------------------------------------------


def loss(net: UNet, references: Tensor, present: Tensor | None = None) -> Tensor:
    return net(noisy().to(references), STEPS, net.read_references(references, present)).square().mean()


def test_the_gradient_of_references_is_the_slope():
    net = tiny().double()
    references = some_references().double().requires_grad_()
    present = torch.tensor([[True, True, True], [True, False, True]])
    (gradient,) = torch.autograd.grad(loss(net, references, present), references)
    assert not gradient[1, 1].any() and all(gradient[row, place].any() for row, place in [(0, 0), (0, 2), (1, 2)])
    way = torch.randn(references.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        slope = (loss(net, references + 1e-5 * way, present) - loss(net, references - 1e-5 * way, present)) / 2e-5
    assert float((gradient * way).sum()) == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_training_in_bf16_gives_the_same_gradient_as_in_fp32(masked):
    net = tiny()
    present = torch.tensor([[True, not masked, True], [True, True, True]])
    exact = torch.autograd.grad(loss(net, some_references(), present), list(net.parameters()), allow_unused=True)
    with torch.autocast("cpu", torch.bfloat16):
        half = loss(net, some_references(), present)
    found = torch.autograd.grad(half, list(net.parameters()), allow_unused=True)
    assert [part is None for part in found] == [part is None for part in exact]
    found, exact = (torch.cat([part.flatten() for part in parts if part is not None]) for parts in (found, exact))
    assert torch.isfinite(found).all() and off(found, exact) < 3e-2


def test_checkpointing_recomputes_the_same(net):
    def whole(references: Tensor) -> Tensor:
        cache = checkpoint(net.read_references, references, use_reentrant=False)
        return checkpoint(net, noisy(), STEPS, [None, cache], use_reentrant=False).square().mean()

    def at_once(references: Tensor) -> Tensor:
        return net(noisy(), STEPS, [None, net.read_references(references)]).square().mean()

    results = []
    for call in (whole, at_once):
        references = some_references().requires_grad_()
        parts = torch.autograd.grad(call(references), [references, *net.parameters()])
        results.append(torch.cat([part.flatten() for part in parts]))
    assert off(*results) < 1e-6


def test_threads_do_not_meet(net):
    """Each sees its own references, however their layers interleave."""

    @torch.no_grad()
    def restored(number: int) -> Tensor:
        references = some_references() * (1 + number)
        return net(noisy(), STEPS, net.read_references(references))

    alone = [restored(number) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for number, out in enumerate(pool.map(restored, [0, 1] * 10)):
            assert torch.equal(out, alone[number % 2])


@torch.no_grad()
def test_nothing_is_kept_in_the_net(net):
    before = net(noisy(), STEPS)
    net(noisy(), STEPS, net.read_references(some_references()))
    assert torch.equal(net(noisy(), STEPS), before)


# --- precision, layout, places ------------------------------------------------------------------------------


@torch.no_grad()
def test_bf16_takes_a_cache_of_any_precision():
    net = tiny()
    cache = net.read_references(some_references())
    exact = net(noisy(), STEPS, cache)
    torch.nn.Module.to(net, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    own = net.read_references(some_references())
    assert own.layers[0][0].dtype == torch.bfloat16
    for read in (cache, own):
        assert off(net(noisy(), STEPS, read).float(), exact) < 3e-2


@torch.no_grad()
def test_copies_for_guidance_keep_the_layout():
    net = tiny().to(memory_format=torch.channels_last)
    inside = []
    net.middle[0].res.register_forward_hook(lambda _, given, out: inside.append(given[0]))
    net(noisy().contiguous(memory_format=torch.channels_last), STEPS, [None, net.read_references(some_references())])
    assert inside[-1].shape[0] == 4
    assert inside[-1].is_contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def test_attention_that_knows_places():
    """A token attends to its own place most, in the picture and in a reference alike, and ever less to farther ones."""
    net = tiny(attention_positions=True)
    attention = next(layer for layer in net.modules() if isinstance(layer, Attention))
    attention.qkv.weight.zero_()
    attention.qkv.bias.zero_()
    query, key, _ = attention.read(torch.randn(1, attention.out.in_channels, 8, 8))
    weights = (query @ key.transpose(2, 3) / query.shape[3] ** 0.5).softmax(dim=3)[0, 0]
    assert torch.equal(weights.argmax(dim=1), torch.arange(64))
    near, far = weights[0, 1], weights[0, 7]
    assert weights[0, 0] > 2 * near > 2 * far
    with_places, cache = net(noisy(), STEPS), net.read_references(some_references())
    assert net(torch.randn(1, 8, 32, 24), STEPS[:1]).shape == (1, 4, 32, 24)
    for layer in net.modules():
        if isinstance(layer, Attention):
            layer.position_gain.zero_()
    assert off(net(noisy(), STEPS), with_places) > 1e-3
    assert not same(net.read_references(some_references()), cache)


@torch.no_grad()
def test_such_attention_begins_by_copying():
    """A twentieth of what stands at the same place is added, of the picture and of the reference."""
    torch.manual_seed(0)
    attention = Attention(32, 16, 0, positions=True)
    attention.begin_by_copying()
    attention.qkv.bias.zero_()
    attention.out.bias.zero_()
    attention.qkv.weight.reshape(2, 3, 16, 32)[:, :2] = 0  # queries and keys of places alone
    attention.position_gain.fill_(10.0)  # so sharp that nothing comes from elsewhere
    x, other = torch.randn(2, 1, 32, 8, 8).unbind()
    torch.testing.assert_close(attention(x), 1.05 * x)
    _, key, value = attention.read(other)
    torch.testing.assert_close(attention(x, [LayerCache(key, value, None)]), x + 0.05 * (x + other) / 2)


def test_sinusoids_tell_every_place_apart():
    places = sinusoids(6, 9, 16)
    assert places.shape == (54, 16)
    alike = places @ places.T
    torch.testing.assert_close(alike.diagonal(), torch.full((54,), 8.0))
    assert (alike - 8 * torch.eye(54)).fill_diagonal_(-1).max() < 7.999


def test_positions_asked_for_in_inference_mode_serve_in_training():
    net = tiny(attention_positions=True, sample_size=48)
    x = torch.randn(1, 8, 48, 48)
    with torch.inference_mode():
        net(x, STEPS[:1])
    net(x, STEPS[:1]).sum().backward()
