"""The hybrid loss of improved diffusion: noise error plus a variational bound that teaches the variance alone
(Nichol & Dhariwal 2021; DifFace trains its prior with it: docs/methods/difface.md, eq. (4), (5))."""

from __future__ import annotations

import math

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from limner.nets.unet import UNet
from limner.train.recipe import Batch, Loss


def hybrid_loss(scheduler: DDIMScheduler) -> Loss[UNet]:
    """mean |eps - eps_hat|^2 + L_vlb for nets that return noise and variance, t uniform over the whole schedule.

    L_vlb is in bits per dimension and sees the predicted mean detached, so it trains the variance only; its weight is
    T / 1000 = 1.
    """
    abar = scheduler.alphas_cumprod.double()
    before = torch.cat([abar.new_ones(1), abar[:-1]])
    beta = 1 - abar / before
    posterior = beta * (1 - before) / (1 - abar)
    posterior_log = posterior.clone()
    posterior_log[0] = posterior[1]  # t = 0 has none of its own
    posterior_log = posterior_log.log()
    clean_share = beta * before.sqrt() / (1 - abar)
    noisy_share = (1 - before) * (abar / before).sqrt() / (1 - abar)

    def loss(model: UNet, batch: Batch, generator: torch.Generator) -> Tensor:
        clean = batch["image"] * 2 - 1
        timesteps = torch.randint(0, len(abar), (len(clean),), generator=generator)
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)

        def at(table: Tensor) -> Tensor:
            return table[timesteps].float().to(clean.device)[:, None, None, None]

        noisy = at(abar.sqrt()) * clean + at((1 - abar).sqrt()) * noise
        out = model(noisy, timesteps.to(clean.device)).float()
        predicted, variance = out.chunk(2, dim=1)

        share = (variance + 1) / 2
        log_variance = share * at(beta.log()) + (1 - share) * at(posterior_log)
        guess = (noisy - at((1 - abar).sqrt()) * predicted.detach()) / at(abar.sqrt())
        mean = at(clean_share) * guess + at(noisy_share) * noisy
        true_mean = at(clean_share) * clean + at(noisy_share) * noisy
        divergence = normal_kl(true_mean, at(posterior_log), mean, log_variance)
        decoder = -discretised_log_likelihood(clean, mean, log_variance)
        first = (timesteps == 0).to(clean.device)
        bound = torch.where(first, _bits(decoder), _bits(divergence))
        return ((noise - predicted).pow(2).mean(dim=(1, 2, 3)) + bound).mean()

    return loss


def normal_kl(mean1: Tensor, log_variance1: Tensor, mean2: Tensor, log_variance2: Tensor) -> Tensor:
    """KL divergence between diagonal Gaussians, elementwise, in nats."""
    return 0.5 * (
        log_variance2
        - log_variance1
        - 1
        + (log_variance1 - log_variance2).exp()
        + (mean1 - mean2).pow(2) * (-log_variance2).exp()
    )


def discretised_log_likelihood(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Log-probability of 8-bit levels, scaled to [-1, 1], under a Gaussian; the end levels take the tails."""
    scale = (-0.5 * log_variance).exp()
    upper = torch.special.ndtr((x - mean + 1 / 255) * scale)
    lower = torch.special.ndtr((x - mean - 1 / 255) * scale)
    upper = torch.where(x > 0.999, torch.ones_like(upper), upper)
    lower = torch.where(x < -0.999, torch.zeros_like(lower), lower)
    return (upper - lower).clamp(min=1e-12).log()


def _bits(nats: Tensor) -> Tensor:
    return nats.mean(dim=(1, 2, 3)) / math.log(2)
