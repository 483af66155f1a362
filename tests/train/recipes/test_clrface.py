"""CLR-Face's recipes: what learns and what stays, and what each loss asks for."""

import copy

import pytest
import torch
from torch import nn

from limner.errors import WeightsError
from limner.methods.clrface import CLRFacePipeline
from limner.methods.schedules import clrface_schedule
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.estimator import Estimator
from limner.nets.guidance_mask import PredictedMask, StaticMask
from limner.nets.identity import IdentityNet
from limner.nets.recovery import IdentityRecovery
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train import make_recipe
from limner.train.loop import fit, save_weights
from limner.train.recipe import Recipe, Training
from limner.train.recipes.clrface.encoder import TwinLoss
from limner.train.recipes.clrface.irn import RecoveryLoss
from limner.train.recipes.clrface.mask import MaskLoss
from limner.train.recipes.clrface.prior import ConditionedLoss, mini_score_net
from limner.train.recipes.refldm.vqgan import l1


@pytest.fixture
def vqgan():
    torch.manual_seed(0)
    net = VQGAN(
        sample_size=56,
        latent_channels=3,
        codebook_size=32,
        width=8,
        multipliers=(1,),
        depth=1,
        middle=False,
        groups=0,
        patch_size=4,
        normalise_latent=True,
    )
    nn.init.normal_(net.codebook.weight)
    return net.eval()


@pytest.fixture
def identity():
    torch.manual_seed(1)
    return IdentityNet(sample_size=28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=8).eval()


@pytest.fixture
def pipeline(vqgan, identity):
    torch.manual_seed(2)
    unet = UNet(14, 6, 3, 16, (1, 1), (1, 1), (1,), 8, False, groups=0, input_skip=True, attention_positions=True)
    irn = IdentityRecovery(56, {"sample_size": 56, "widths": (8, 8), "depths": (1, 1)}, width=8, depth=1)
    mask = PredictedMask(3, width=8, time_channels=8)
    return CLRFacePipeline(
        vqgan, DegradedEncoder.for_vqgan(vqgan), unet, irn, mask, identity, clrface_schedule("sample")
    )


def batch(rows=2):
    generator = torch.Generator().manual_seed(3)
    return {key: torch.rand(rows, 3, 56, 56, generator=generator) for key in ("lq", "image")}


class Samples:
    """One batch over and over."""

    def __getitem__(self, n):
        return {key: pictures[n % 2] for key, pictures in batch().items()}


def states(pipeline, besides):
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
    return {name: copy.deepcopy(part.state_dict()) for name, part in parts.items() if name != besides}


def same(a, b):
    return all(torch.equal(a[part][name], b[part][name]) for part in a for name in a[part])


@pytest.mark.parametrize("mask", [PredictedMask(3, width=8, time_channels=8), StaticMask(3, 14)])
def test_nothing_but_the_mask_learns(tmp_path, pipeline, identity, mask):
    before, untrained = states(pipeline, "mask"), copy.deepcopy(mask)
    loss = MaskLoss(pipeline, lambda a, b: (a - b).square().mean(), identity, steps=4)
    fit(Recipe("clrface-mask", mask, Samples(), loss, Training(3, 2, 1e-2, 1e-2)), tmp_path, every=100, cpu=True)
    assert same(before, states(pipeline, "mask"))
    pairs = list(zip(mask.parameters(), untrained.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in pairs)
    nets = [part for name, part in pipeline.components.items() if isinstance(part, nn.Module) and name != "mask"]
    assert all(parameter.grad is None for net in nets for parameter in net.parameters())


@pytest.mark.slow
def test_a_mask_that_costs_closes_and_one_that_pays_opens(pipeline, identity):
    """Without any gain the cost of an open mask shuts it; where the picture gains by the update, it opens."""
    target = batch()["image"] * 2 - 1

    def learn(sparsity, perceptual):
        torch.manual_seed(4)
        mask = PredictedMask(3, width=8, time_channels=8)
        loss = MaskLoss(pipeline, perceptual, identity, scale=0.6, identity=0.0, sparsity=sparsity, steps=4)
        optimizer = torch.optim.Adam(mask.parameters(), 3e-2)
        for step in range(40):
            value = loss(mask, batch(), torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        with torch.no_grad():
            z = pipeline.encode(batch()["image"])
            return float(mask(z, z, torch.tensor([100, 100])).mean())

    def nothing(a, b):
        return 0 * a.mean()

    def rewarded(a, b):
        return -30 * (a - target).square().mean()  # any change of the picture is welcome

    start = float(torch.sigmoid(torch.tensor(-2.0)))
    assert learn(5.0, nothing) < 0.5 * start
    assert learn(0.0, rewarded) > 1.5 * start


def test_the_mask_learns_on_the_chain_s_own_estimates(pipeline, identity):
    """The noised truth would be too close to the truth for that: the U-Net sees what follows from noise and z_d."""
    loss = MaskLoss(pipeline, lambda a, b: (a - b).square().mean(), identity, steps=4)
    runs = []
    for truth in (batch()["image"], torch.zeros(2, 3, 56, 56)):
        seen = []
        hook = pipeline.unet.register_forward_pre_hook(lambda net, given, seen=seen: seen.append(given[0]))
        loss(pipeline.mask, batch() | {"image": truth}, torch.Generator().manual_seed(0))
        hook.remove()
        runs.append(seen)
    assert 3 <= len(runs[0]) <= 4, "two steps of the four are guided"
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    assert torch.equal(runs[0][0][:, 3:], pipeline.encode_degraded(batch()["lq"]))


def test_the_score_net_is_conditioned_on_the_degraded_face(pipeline):
    seen = []

    def net(x, timesteps):
        seen.append(x)
        return x[:, :3]

    options = {"vqgan": pipeline.vqgan, "scheduler": pipeline.scheduler, "encoder": pipeline.encoder, "repeats": 3}
    for drop in (0.0, 1.0):
        ConditionedLoss(**options, drop=drop)(net, batch(), torch.Generator().manual_seed(0))
    expected = pipeline.encode_degraded(batch()["lq"])
    assert seen[0].shape == (6, 6, 14, 14)
    assert torch.allclose(seen[0][:2, 3:], expected, atol=1e-5) and torch.allclose(
        seen[0][2:4, 3:], expected, atol=1e-5
    )
    assert seen[1][:, 3:].abs().max() == 0


def test_the_twin_begins_as_the_encoder_and_learns_to_see_through_damage(vqgan):
    twin = DegradedEncoder.for_vqgan(vqgan)
    picture = batch()["image"]
    with torch.no_grad():
        assert torch.allclose(twin(picture) / vqgan.scale, vqgan.encode(picture * 2 - 1), atol=1e-5)
    loss, optimizer = TwinLoss(vqgan), torch.optim.Adam(twin.parameters(), 3e-3)
    values = []
    for _ in range(60):
        value = loss(twin, batch(), torch.Generator())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.7 * values[0]
    assert all(parameter.grad is None for parameter in vqgan.parameters())


def test_the_twins_regressor_stays(vqgan):
    estimator = Estimator(56, 4, (8, 8), (1, 1))
    nn.init.normal_(estimator.head.weight)
    twin = DegradedEncoder.for_vqgan(vqgan, estimator)
    assert not any(p.requires_grad for p in twin.estimator.parameters())
    assert all(p.requires_grad for p in twin.encoder.parameters())
    with torch.no_grad():
        expected = vqgan.encode(estimator(batch()["lq"]) * 2 - 1)
        assert torch.allclose(twin(batch()["lq"]) / vqgan.scale, expected, atol=1e-4)


def test_an_untrained_recovery_network_is_its_regressor(identity):
    net = IdentityRecovery(56, {"sample_size": 56, "widths": (8, 8), "depths": (1, 1)}, width=8, depth=1)
    nn.init.normal_(net.estimator.head.weight, std=0.1)
    with torch.no_grad():
        assert torch.equal(net(batch()["lq"]), net.estimator(batch()["lq"]))
        plain = RecoveryLoss(identity, weight=0.0)(net, batch(), torch.Generator())
        held = RecoveryLoss(identity, weight=2.0)(net, batch(), torch.Generator())
        seen = RecoveryLoss(identity, 0.0, perceptual=l1)(net, batch(), torch.Generator())
        vectors = identity(net(batch()["lq"])), identity(batch()["image"])
    assert float(held - plain) == pytest.approx(2 * float((1 - (vectors[0] * vectors[1]).sum(dim=1)).mean()), rel=1e-4)
    assert float(seen) == pytest.approx(1.5 * float(plain), rel=1e-4)


def test_masks_are_what_they_say():
    torch.manual_seed(0)
    z, seen, times = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), torch.tensor([10, 500])
    for mask in (StaticMask(3, 8), PredictedMask(3)):
        assert torch.allclose(mask(z, seen, times), torch.sigmoid(torch.tensor(-2.0)), atol=1e-6)
    learned = PredictedMask(3)
    nn.init.normal_(learned.conv4.weight, std=0.5)
    made = learned(z, seen, times)
    assert made.shape == z.shape and made.min() >= 0 and made.max() <= 1 and made.std() > 0.01
    assert not torch.equal(made[:1], learned(z[:1], seen[:1], times[1:])), "the timestep counts"
    assert not torch.equal(made, learned(z, z, times)), "what the recovery network saw counts"


@pytest.mark.parametrize(
    ("name", "parameters", "steps", "batch"),
    [("clrface-vqgan", 55_322_782, 200_000, 32), ("clrface-irn", 15_792_587, 200_000, 16)],
)
def test_the_paper_presets(shared, name, parameters, steps, batch):
    recipe = make_recipe(name, shared / "faces", "paper")
    assert sum(p.numel() for p in recipe.model.parameters()) == parameters
    assert (recipe.training.steps, recipe.training.batch) == (steps, batch)
    if name == "clrface-vqgan":
        assert recipe.model.config["normalise_latent"], "the diffusion wants latents of deviation 1"


@pytest.mark.slow
def test_the_paper_presets_that_build_on_others(shared, tmp_path, vqgan):
    """In the published sizes but for the first stage, which decides the size of the faces."""
    save_weights(vqgan, tmp_path / "vqgan")
    save_weights(DegradedEncoder.for_vqgan(vqgan), tmp_path / "encoder")
    faces = shared / "faces"
    encoder = make_recipe("clrface-encoder", faces, "paper", first_stage=tmp_path / "vqgan")
    assert (encoder.training.steps, encoder.training.batch) == (100_000, 16)
    built = {"first_stage": tmp_path / "vqgan", "encoder": tmp_path / "encoder"}
    prior = make_recipe("clrface-prior", faces, "paper", **built)
    assert sum(p.numel() for p in prior.model.parameters()) == 115_680_163
    assert (prior.training.steps, prior.training.batch) == (500_000, 32)
    with pytest.raises(WeightsError, match="holds another net than a DegradedEncoder"):
        make_recipe("clrface-prior", faces, encoder=tmp_path / "vqgan", first_stage=tmp_path / "vqgan")
    with pytest.raises(WeightsError, match="holds another net than a UNet"):
        make_recipe("clrface-mask", faces, prior=tmp_path / "vqgan", first_stage=tmp_path / "vqgan")


def test_the_mini_score_net_fits_its_latent():
    net = mini_score_net()
    made = net(torch.randn(1, 6, 64, 64), torch.tensor([10]))
    assert made.shape == (1, 3, 64, 64)
