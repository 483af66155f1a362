"""The Laplacian pyramid: nothing is lost, octaves are octaves, centres stay where they are."""

import torch

from limner.nets.pyramid import BANDS, expand, join, reduce, split


def test_joining_undoes_splitting():
    picture = torch.rand(2, 3, 128, 192)
    bands, rest = split(picture)
    assert len(bands) == BANDS and rest.shape == (2, 3, 2, 3)
    torch.testing.assert_close(join(bands, rest), picture)


def test_centres_stay():
    ramp = torch.arange(64.0).expand(1, 1, 64, 64)
    smaller = reduce(ramp)
    torch.testing.assert_close(smaller[0, 0, 5, 1:-1], 2 * torch.arange(1.0, 31.0) + 0.5)
    torch.testing.assert_close(expand(smaller)[0, 0, 5, 4:-4], ramp[0, 0, 5, 4:-4])


def test_waves_lie_in_their_octaves():
    x = torch.arange(256.0)
    strongest = []
    for period in (3, 6, 12, 24, 48):
        wave = torch.sin(2 * torch.pi * x / period).expand(1, 1, 256, 256)
        bands, _ = split(wave)
        strongest.append(max(range(BANDS), key=lambda k: float(bands[k].square().mean())))
    assert strongest == [0, 1, 2, 3, 4]
