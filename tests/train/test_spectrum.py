"""Measuring a spectrum: what is lacking is half added, what is too much is taken off, for the typical picture."""

import sys

import cv2
import numpy as np
import pytest
import torch

from limner.methods.spectrum import STEP
from limner.nets.unet import UNet
from limner.train import spectrum
from limner.train.spectrum import KNOTS, gains, power_by_frequency
from limner.weights.load import load_net


def noise(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(3, 128, 128, generator=generator) * 0.1 + 0.5 for _ in range(count)]


def blurred(picture: torch.Tensor) -> torch.Tensor:
    soft = cv2.GaussianBlur(picture.permute(1, 2, 0).numpy(), (0, 0), 0.8)
    return torch.from_numpy(soft).permute(2, 0, 1)


def test_power_of_a_wave_lies_at_its_frequency():
    wave = (2 * np.pi * 8 * STEP * torch.arange(128)).sin().expand(3, 128, 128)
    power = power_by_frequency(wave)
    assert power.shape == (KNOTS,) and power.argmax() == 8 and power[8] > 1000 * power[12]


def test_what_is_too_soft_is_sharpened_by_half_and_what_is_too_sharp_softened_wholly():
    sharp = noise(6)
    soft = [blurred(one) for one in sharp]
    frequency = STEP * np.arange(KNOTS)
    lost = np.exp(-2 * (np.pi * 0.8 * frequency) ** 2)  # what the blur leaves of each amplitude
    softened, sharpened = np.array(gains(soft, sharp)), np.array(gains(sharp, soft))
    np.testing.assert_allclose(softened[2:10], lost[2:10], rtol=0.06)
    np.testing.assert_allclose(sharpened[2:10], lost[2:10] ** -0.5, rtol=0.06)
    assert softened[:2].tolist() == sharpened[:2].tolist() == [1, 1]


def test_one_noisy_photograph_does_not_outdo_the_others():
    faces = noise(9)
    truths = [10 * faces[0], *faces[1:]]
    assert max(gains(truths, faces)) < 10 ** (0.5 / 9) + 0.01


@pytest.mark.slow
def test_the_command_writes_the_same_prior_with_gains(shared, tmp_path, monkeypatch, capsys):
    def told(folder: str, *prior: str) -> list[float]:
        words = ["spectrum", "--data", str(shared / "faces"), "-o", str(tmp_path / folder), "--count", "2", *prior]
        monkeypatch.setattr(sys, "argv", words)
        spectrum.main()
        return [float(one) for one in capsys.readouterr().out.split()]

    found = told("prior")
    prior, own = load_net(tmp_path / "prior", UNet), load_net("mini/difface-prior", UNet)
    assert prior.config["spectrum"] == found and len(found) == KNOTS and found[:2] == [1, 1]
    for name, value in own.state_dict().items():
        torch.testing.assert_close(prior.state_dict()[name], value, rtol=0, atol=0)
    assert told("again", "--prior", str(tmp_path / "prior")) == found, "measured anew, not upon those gains"
