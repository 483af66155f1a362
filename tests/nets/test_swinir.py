"""SwinIR against the authors' outputs, and what must not change with size, layout, dtype or mode."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from limner.errors import LimnerError
from limner.nets.swinir import SwinIR, join_windows, shift_mask, split_windows
from limner.weights.formats import swinir

TINY = {"channels": 24, "depths": (2, 2), "heads": (2, 2)}


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, torch.Tensor]:
    return load_file(shared / "golden/difface/tiny_io_restoration.safetensors")


@pytest.fixture(scope="module")
def published(shared: Path) -> SwinIR:
    return swinir.load(shared / "golden/difface/tiny_swinir.safetensors")


def tiny(**changes) -> SwinIR:
    torch.manual_seed(0)
    return SwinIR(**{**TINY, **changes}).eval()


@pytest.mark.parametrize(("given", "expected"), [("in.y0", "swinir.out"), ("in.y_128x192", "swinir.out_128x192")])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@torch.no_grad()
def test_equals_the_published_network(golden, published, given, expected, layout):
    restored = published(golden[given].contiguous(memory_format=layout))
    assert (restored - golden[expected]).abs().max() < 1e-5


@torch.no_grad()
def test_a_batch_is_its_pictures_one_by_one(golden, published):
    pair = torch.cat([golden["in.y0"], 1 - golden["in.y0"]])
    together = published(pair)
    assert (together[0] - golden["swinir.out"][0]).abs().max() < 1e-5
    assert (together[1:] - published(pair[1:])).abs().max() < 1e-5


def test_has_the_published_number_of_parameters():
    with torch.device("meta"):
        net = SwinIR()
    assert sum(parameter.numel() for parameter in net.parameters()) == 15_792_587


@torch.no_grad()
def test_bf16_stays_near_and_answers_in_the_pictures_dtype(golden, published):
    net = copy.deepcopy(published)
    torch.nn.Module.to(net, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    restored = net(golden["in.y0"])
    error = (restored - golden["swinir.out"]).square().mean().sqrt() / golden["swinir.out"].square().mean().sqrt()
    assert restored.dtype == torch.float32
    assert error < 0.01


@torch.no_grad()
def test_any_size_is_continued_by_reflection_and_cropped(golden, published):
    picture = golden["in.y_128x192"][..., :100, :150]
    by_hand = torch.nn.functional.pad(picture, (0, 42, 0, 28), mode="reflect")
    restored = published(picture)
    assert restored.shape == picture.shape
    torch.testing.assert_close(restored, published(by_hand)[..., :100, :150])


def test_a_picture_too_small_to_reflect_is_refused():
    with pytest.raises(LimnerError, match=r"SwinIR needs at least 33 px a side, but the picture is 64x32 px"):
        tiny()(torch.rand(1, 3, 32, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unshuffle": 6}, "unshuffle must be a power of two, not 6"),
        ({"heads": (2,)}, "2 stages, but heads are given for 1"),
    ],
)
def test_impossible_sizes_are_refused(changes, message):
    with pytest.raises(LimnerError, match=message):
        tiny(**changes)


def test_stochastic_depth_works_in_training_only_and_follows_its_generator():
    net = tiny(stochastic_depth=0.9)
    picture = torch.rand(1, 3, 64, 64)

    def train(seed: int) -> torch.Tensor:
        return net.train()(picture, torch.Generator().manual_seed(seed))

    with torch.no_grad():
        drawn = torch.stack([train(seed) for seed in range(8)])
        assert torch.equal(train(3), drawn[3])
        assert len({tuple(restored.flatten().tolist()) for restored in drawn}) > 1
        assert torch.equal(net.eval()(picture), net(picture))


def test_stochastic_depth_keeps_the_expectation():
    scales = tiny(stochastic_depth=0.5).draw_branch_scales(20_000, torch.Generator().manual_seed(0))
    assert scales.shape == (4, 2, 20_000)
    assert torch.equal(scales[0], torch.ones(2, 20_000))
    assert (scales[3] == 0).float().mean() == pytest.approx(0.5, abs=0.01)
    assert scales.mean(-1) == pytest.approx(torch.ones(4, 2), abs=0.03)


def test_every_parameter_learns():
    net = tiny(stochastic_depth=0.0).train()
    net(torch.rand(1, 3, 128, 64)).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_windows_split_and_join():
    tokens = torch.rand(2, 16, 24, 5)
    windows = split_windows(tokens, 8)
    assert torch.equal(windows[1, 4].view(8, 8, 5), tokens[1, 8:, 8:16])
    assert torch.equal(join_windows(windows, (16, 24)), tokens)


def test_shift_mask_parts_the_two_ends_of_the_picture():
    """After rolling by half a window, tokens attend to each other only if they are near."""
    rows, columns, window = 16, 24, 8
    mask = shift_mask(rows, columns, window, torch.device("cpu"))
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(1, rows, columns, 2)
    place = split_windows(place.roll((-4, -4), dims=(1, 2)), window)[0]
    distance = (place[:, :, None] - place[:, None]).abs().amax(-1)
    assert torch.equal(mask == 0, distance < window)
    assert set(mask.unique().tolist()) == {0.0, -float("inf")}


def test_saves_and_loads(tmp_path):
    net = tiny()
    net.save_pretrained(tmp_path)
    again = SwinIR.from_pretrained(tmp_path).eval()
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(again(picture), net(picture))
