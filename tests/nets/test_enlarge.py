"""The enlarger: untrained cubic interpolation at any size, an eye for no more than its surroundings, and the cleaner's
features."""

import numpy as np
import pytest
import torch
from safetensors import safe_open

from limner.background.enlarge import OVERLAP, TILE
from limner.evaluate.cleaning import halved, windows
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.clean import BLOCK, Cleaner
from limner.nets.enlarge import Enlarger, interpolated
from limner.pixels import to_picture, to_tensor
from limner.train.loop import save_weights
from limner.train.recipes.enlarge import learning
from limner.weights.load import load_net


@pytest.mark.parametrize(("height", "width"), [(37, 90), (64, 64), (5, 3)])
def test_an_untrained_one_interpolates_at_any_size(height, width):
    picture = torch.rand(2, 3, height, width)
    large = Enlarger()(picture)
    assert large.shape == (2, 3, 2 * height, 2 * width) and torch.equal(large, interpolated(picture))


@pytest.mark.parametrize("layer", ["head", "out"])
def test_what_it_adds_lies_where_it_was_seen(layer):
    net = Enlarger(width=8, cleaner_config={"widths": (8, 8), "depths": (1, 1), "tail_width": 8})
    torch.nn.init.normal_(getattr(net, layer).weight)
    picture = torch.full((1, 3, 64, 64), 0.5)
    changed = picture.clone()
    changed[..., 40, 20] = 1.0
    difference = (net(changed) - net(picture)).abs().sum(1)[0]
    rows, columns = torch.nonzero(difference > 0.05 * difference.max(), as_tuple=True)
    assert abs(rows.float().mean() - 80.5) < 4 and abs(columns.float().mean() - 40.5) < 4


def test_the_cleaners_features_are_shared_and_not_saved_twice(tmp_path):
    net, cleaner = learning(None), load_net("mini/clean", Cleaner)
    free = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert free and all(name.startswith(("last.", "head.", "out.", "cleaner.up.0.")) for name in free)
    with torch.no_grad():
        for name in free:
            net.get_parameter(name).add_(0.01)
    save_weights(net, tmp_path / "net", "fp16")
    with safe_open(tmp_path / "net" / "diffusion_pytorch_model.safetensors", "pt") as file:
        assert set(file.keys()) == free
    back = load_net(tmp_path / "net", Enlarger)
    picture = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(back(picture), net(picture), rtol=5e-3, atol=5e-3)
    assert torch.equal(back.cleaner.middle[0].conv1.weight, cleaner.middle[0].conv1.weight)


def test_what_is_far_away_plays_no_part():
    """Tiles meet without a seam because nothing farther than their overlap matters."""
    assert (TILE - OVERLAP) % BLOCK == 0 and (TILE - 2 * OVERLAP) % BLOCK == 0
    net, picture = load_net("mini/enlarge"), torch.rand(1, 3, 192, 64)
    changed = picture.clone()
    changed[..., 64 + OVERLAP :, :] = 0
    with torch.no_grad():
        assert (net(picture) - net(changed))[..., : 2 * 64, :].abs().max() < 1e-6


def test_the_embedded_one_takes_noise_and_blocks_off_and_sharpens():
    """That the cleaner's features are still those that it learned with."""
    net, gains = load_net("mini/enlarge"), []
    for number, truth in enumerate(windows()):
        small = to_tensor(halved(truth, np.random.default_rng(number)))[None]
        with torch.no_grad():
            ours, cubic = (to_picture(large[0]) for large in (net(small), interpolated(small)))
        gains.append(psnr(ours, truth) - psnr(cubic, truth))
    assert min(gains) > 0.3 and np.mean(gains) > 0.8
