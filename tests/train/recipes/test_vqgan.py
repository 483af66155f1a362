import copy

import pytest
import torch

from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.vqgan import VQGAN
from limner.train.loop import fit
from limner.train.losses.adversary import Adversary
from limner.train.recipe import Recipe, Training
from limner.train.recipes.refldm.vqgan import Objective, l1, root_mse


def tiny_net():
    torch.manual_seed(0)
    return VQGAN(
        sample_size=32,
        latent_channels=4,
        codebook_size=32,
        width=8,
        multipliers=(1, 1),
        depth=1,
        middle=False,
        groups=0,
    )


def adversary(**settings):
    return Adversary(discriminator=tiny_discriminator(), **settings)


def tiny_discriminator():
    torch.manual_seed(1)
    return PatchDiscriminator(width=8, layers=2)


def batch(count=4, size=32):
    return {"image": torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(2))}


def run(objective, net, steps, lr=3e-3):
    optimizer = torch.optim.AdamW(net.parameters(), lr)
    losses = []
    for step in range(steps):
        loss = objective(net, batch(), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_reconstruction_terms():
    truth = torch.zeros(2, 3, 8, 8)
    assert l1(truth + 0.2, truth).item() == pytest.approx(0.2)
    assert root_mse(truth + 20 / 127.5, truth).item() == pytest.approx(2, rel=1e-2)  # tens of grey levels


def test_codes_start_from_latents_when_quantising_begins():
    net = tiny_net().train()
    objective = Objective(l1, quantise_from=3, adversary=adversary())
    run(objective, net, 2)
    before = net.codebook.weight.detach().clone()
    run(objective, net, 1)
    latents = net.encode(batch()["image"] * 2 - 1).permute(0, 2, 3, 1).reshape(-1, 4)
    assert (net.codebook.weight - before).abs().max() > 0.01
    nearest = torch.cdist(net.codebook.weight, latents).min(dim=1).values
    assert nearest.max() < 0.5 * latents.std()  # they moved a step since


def test_unused_codes_are_drawn_anew():
    net = tiny_net().train()
    with torch.no_grad():
        net.codebook.weight.fill_(100.0)
        net.codebook.weight[0] = 0.0
    objective = Objective(l1, revive_every=2, revive_until=100, adversary=adversary())
    run(objective, net, 1)
    assert (net.codebook.weight > 50).any()
    run(objective, net, 4)
    assert not (net.codebook.weight > 50).any()


def test_the_commitment_share_sits_where_it_should():
    """Taming's legacy mode has it on the codes, the paper's formula on the latents."""
    net = tiny_net()
    out = net(batch()["image"])
    pulls = {}
    for legacy in (False, True):
        codes, latents = Objective(l1, legacy=legacy, adversary=adversary()).commitment_terms(out)
        pulls[legacy] = [codes.item(), latents.item()]
    whole = (out.codes - out.latent).square().mean().item()
    assert pulls[False] == pytest.approx([whole, 0.25 * whole])
    assert pulls[True] == pytest.approx([0.25 * whole, whole])
    codes, latents = Objective(l1, adversary=adversary()).commitment_terms(out)
    assert torch.autograd.grad(codes, net.codebook.weight, retain_graph=True)[0].abs().sum() > 0
    with pytest.raises(RuntimeError):
        torch.autograd.grad(latents, net.codebook.weight)


def test_the_adversarial_term_moves_the_last_layer_as_much_as_the_reconstruction():
    net = tiny_net().train()
    objective = Objective(l1, adversary=adversary(start=0, weight=1.0))
    image = batch()["image"] * 2 - 1
    rebuilt = net(image).image
    reconstruction = l1(rebuilt, image)
    term = objective.adversary.fool(rebuilt, reconstruction, net.decoder.head.weight)
    last = net.decoder.head.weight
    sizes = [torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (reconstruction, term)]
    assert sizes[1].item() == pytest.approx(sizes[0].item(), rel=0.05)
    assert all(p.grad is None and p.requires_grad for p in objective.adversary.discriminator.parameters())


def test_the_discriminator_learns_to_tell_real_from_rebuilt():
    objective = Objective(l1, adversary=adversary(lr=3e-3))
    real, fake = batch()["image"] * 2 - 1, torch.zeros(4, 3, 32, 32)
    for _ in range(30):
        objective.adversary.learn(real, fake)
    judged = [objective.adversary.discriminator(picture).mean().item() for picture in (real, fake)]
    assert judged[0] > 0.5 > -0.5 > judged[1]


def test_r1_keeps_the_discriminator_flat_around_real_pictures():
    real, fake = batch()["image"] * 2 - 1, torch.zeros(4, 3, 32, 32)
    slopes = []
    for r1 in (0.0, 20.0):
        judge = adversary(lr=3e-3, r1=r1)
        for _ in range(30):
            judge.learn(real, fake)
        at = real.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(judge.discriminator(at).mean(dim=(1, 2, 3)).sum(), at)
        slopes.append(slope.square().sum().item())
    assert slopes[1] < 0.5 * slopes[0]


def test_the_adversarial_term_begins_when_it_should():
    net, objective = (
        tiny_net().train(),
        Objective(l1, adversary=adversary(start=2)),
    )
    before = copy.deepcopy(objective.adversary.discriminator.state_dict())
    run(objective, net, 2)
    assert torch.equal(before["head.weight"], objective.adversary.discriminator.head.weight)
    run(objective, net, 1)
    assert not torch.equal(before["head.weight"], objective.adversary.discriminator.head.weight)


def test_a_perceptual_term_is_added():
    plain = Objective(l1, adversary=adversary())
    more = Objective(l1, perceptual=lambda a, b: (a - b).square().mean() + 7, adversary=adversary())
    net, generator = tiny_net(), torch.Generator()
    assert more(net, batch(), generator).item() > plain(net, batch(), generator).item() + 7


@pytest.mark.slow
def test_it_learns_one_batch():
    objective = Objective(root_mse, quantise_from=5, revive_every=5, revive_until=40, adversary=adversary())
    net, image = tiny_net().train(), batch()["image"] * 2 - 1
    image = torch.nn.functional.interpolate(image[..., ::8, ::8], scale_factor=8.0)
    before = root_mse(net(image).image, image)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    for step in range(80):
        loss = objective(net, {"image": image / 2 + 0.5}, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert root_mse(net(image).image, image) < 0.9 * before


def test_a_resumed_run_equals_an_unbroken_one(tmp_path):
    """Discriminator, its optimiser and the counts of codes are part of the state."""

    class Samples:
        def __getitem__(self, n):
            return {"image": torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(n))}

    def recipe(steps):
        objective = Objective(
            l1,
            quantise_from=2,
            revive_every=3,
            revive_until=9,
            adversary=adversary(start=3, lr=1e-2),
        )
        return Recipe("vqgan", tiny_net(), Samples(), objective, Training(steps, 2, 1e-3, 1e-3))

    whole = recipe(8)
    fit(whole, tmp_path / "whole", every=100, cpu=True)
    fit(recipe(4), tmp_path / "parts", every=100, cpu=True)
    rest = recipe(8)
    fit(rest, tmp_path / "parts", resume=True, every=100, cpu=True)
    for a, b in zip(whole.model.state_dict().values(), rest.model.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_features_of_a_net_tell_pictures_apart():
    distance = estimator_features()
    truth = batch(2, 64)["image"] * 2 - 1
    near = (truth + 0.02 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(3))).requires_grad_()
    far = torch.zeros_like(truth)
    assert distance(truth, truth) == 0
    assert 0 < distance(near, truth) < distance(far, truth)
    distance(near, truth).backward()
    assert near.grad is not None and near.grad.abs().sum() > 0
    assert all(p.grad is None for p in distance.net.parameters())
    assert not any(module._forward_hooks for module in distance.net.modules())
