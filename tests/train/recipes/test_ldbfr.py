"""LD-BFR's recipes: what learns and what stays, and what each loss asks for."""

import copy

import pytest
import torch
from torch import nn

from limner.device import Compute
from limner.errors import LimnerError, WeightsError
from limner.methods.schedules import ldbfr_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.nets.injection import Injection
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train import make_recipe
from limner.train.loop import fit, parameter_groups, save_weights
from limner.train.losses.adversary import Adversary
from limner.train.losses.latent import LatentLoss
from limner.train.recipe import Recipe, Training
from limner.train.recipes.ldbfr.injection import InjectionLoss
from limner.train.recipes.ldbfr.stage_a import StageALoss, around
from limner.train.recipes.refldm.vqgan import l1


@pytest.fixture
def vqgan():
    torch.manual_seed(0)
    net = VQGAN(
        sample_size=32,
        latent_channels=4,
        codebook_size=16,
        width=8,
        multipliers=(1, 2),
        depth=1,
        middle=False,
        groups=0,
        patch_size=2,
        normalise_latent=True,
    )
    nn.init.normal_(net.codebook.weight)
    nn.init.normal_(net.decoder.head.weight, std=0.1)
    return net.eval()


@pytest.fixture
def stage_a(vqgan):
    torch.manual_seed(1)
    estimator = Estimator(32, 4, (8, 8), (1, 1))
    net = around(vqgan, estimator, heads=2, head_channels=4, scaled=True, positions=True)
    nn.init.normal_(net.cross.out.weight, std=0.1)
    return net


@pytest.fixture
def prior():
    torch.manual_seed(2)
    net = UNet(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        width=16,
        multipliers=(1, 1),
        depths=(1, 1),
        attention_levels=(0, 1),
        head_channels=8,
        scale_shift=False,
        groups=0,
        input_skip=True,
        attention_positions=True,
    )
    nn.init.normal_(net.head.weight, std=0.1)
    return net


def batch(rows=4):
    generator = torch.Generator().manual_seed(3)
    return {key: torch.rand(rows, 3, 32, 32, generator=generator) for key in ("lq", "image")}


class Samples:
    """One batch over and over."""

    def __getitem__(self, n):
        return {key: pictures[n % 4] for key, pictures in batch().items()}


def state_of(*nets):
    return [copy.deepcopy(net.state_dict()) for net in nets]


def same(a, b):
    return all(torch.equal(one[name], other[name]) for one, other in zip(a, b, strict=True) for name in one)


def test_nothing_but_the_injection_learns(tmp_path, vqgan, stage_a, prior):
    """The frozen part stays bit-identical over a training run."""
    injection = Injection.for_unet(prior, (0, 1), 4, stage_a.grid, positions=True)
    before, untrained = state_of(vqgan, stage_a, prior), copy.deepcopy(injection)
    loss = InjectionLoss(vqgan, ldbfr_schedule("sample"), repeats=2, stage_a=stage_a, prior=prior)
    recipe = Recipe("ldbfr-injection", injection, Samples(), loss, Training(6, 4, 3e-3, 3e-3, weight_decay=0.01))
    fit(recipe, tmp_path, every=100, cpu=True)
    assert same(before, state_of(vqgan, stage_a, prior))
    assert all(parameter.grad is None for net in (vqgan, stage_a, prior) for parameter in net.parameters())
    moved = [not torch.equal(a, b) for a, b in zip(injection.parameters(), untrained.parameters(), strict=True)]
    assert all(moved)


@pytest.mark.slow
def test_the_injection_learns_to_show_the_feature(vqgan, stage_a, prior):
    """The loss falls well below what the prior alone can do on one batch."""
    injection = Injection.for_unet(prior, (0, 1), 4, stage_a.grid, positions=True)
    loss = InjectionLoss(vqgan, ldbfr_schedule("sample"), repeats=4, stage_a=stage_a, prior=prior)
    optimizer = torch.optim.AdamW(injection.parameters(), 3e-3, weight_decay=0)
    alone = LatentLoss(vqgan, ldbfr_schedule("sample"), repeats=4)(prior, batch(), torch.Generator().manual_seed(0))
    values = []
    for step in range(120):
        value = loss(injection, batch(), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[0] == pytest.approx(alone.item(), rel=1e-4)
    assert sum(values[-10:]) / 10 < 0.8 * alone.item()


def test_noise_levels_stay_below_the_last(vqgan):
    seen = []

    def net(noisy, timesteps):
        seen.append(timesteps)
        return noisy

    for last in (60, None):
        LatentLoss(vqgan, ldbfr_schedule("sample"), repeats=50, last=last)(
            net, batch(), torch.Generator().manual_seed(0)
        )
    assert seen[0].max() <= 60 and seen[0].unique().numel() > 30
    assert seen[1].max() > 900


def test_codes_inside_another_net_stay_exact(stage_a):
    """Of a codebook in bf16, one code in a hundred would be another."""
    Compute(torch.device("cpu"), torch.bfloat16).place(stage_a)
    assert stage_a.vqgan.codebook.weight.dtype == stage_a.vqgan.latent_std.dtype == torch.float32
    assert stage_a.cross.query.weight.dtype == torch.bfloat16


def test_stage_a_moves_the_encoder_and_the_cross_attention_only(tmp_path, stage_a):
    before = copy.deepcopy(stage_a.state_dict())
    recipe = Recipe("ldbfr-stage-a", stage_a, Samples(), StageALoss(l1), Training(4, 4, 1e-3, 1e-3))
    fit(recipe, tmp_path, every=100, cpu=True)
    moved = {name for name, tensor in stage_a.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved and all(name.startswith(("vqgan.encoder.", "cross.")) for name in moved)
    assert any(name.startswith("vqgan.encoder.") for name in moved) and any(name.startswith("cross.") for name in moved)


def test_the_encoder_learns_more_slowly(stage_a):
    training = Training(1, 1, 1e-3, 1e-3, lr_factors={"vqgan.encoder": 0.01})
    rates = {id(p): group["lr"] for group in parameter_groups(stage_a, training) for p in group["params"]}
    assert all(rates[id(p)] == pytest.approx(1e-5) for p in stage_a.vqgan.encoder.parameters())
    assert {rates[id(p)] for p in stage_a.cross.parameters()} == {1e-3}
    assert len(rates) == sum(p.requires_grad for p in stage_a.parameters())


def test_every_term_of_stage_a_counts(stage_a):
    torch.manual_seed(5)
    recogniser = IdentityNet(
        sample_size=28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=8, region=(0.1, 0.1, 0.9, 0.9)
    )
    plain = StageALoss(l1, commitment=0.0)
    terms = {
        "identity": StageALoss(l1, commitment=0.0, identity=recogniser),
        "perceptual": StageALoss(l1, lambda a, b: (a - b).square().mean(), commitment=0.0),
        "commitment": StageALoss(l1),
        "adversary": StageALoss(l1, commitment=0.0, adversary=Adversary(0, 1.0, PatchDiscriminator(8, 2))),
    }
    without = plain(stage_a, batch(), torch.Generator()).item()
    for name, loss in terms.items():
        value = loss(stage_a, batch(), torch.Generator())
        assert abs(value.item() - without) > 1e-5, name
        value.backward()
    assert terms["adversary"].step == 1


def test_borrowed_parts_are_not_saved_twice(shared, tmp_path):
    """What training left alone lies with its lender; what it changed is in the file, and both come back."""
    from limner.weights.load import load_net

    recipe = make_recipe("ldbfr-stage-a", shared / "faces")
    net = recipe.model
    with torch.no_grad():
        net.vqgan.encoder.stem.weight += 1
    save_weights(net, tmp_path / "net", "fp16")
    size = (tmp_path / "net" / "diffusion_pytorch_model.safetensors").stat().st_size
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert size < 2.2 * trained
    back = load_net(tmp_path / "net")
    assert isinstance(back, StageA)
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], tensor.half().float(), rtol=0, atol=0, msg=name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ldbfr-prior", "latents of 3 channels"),
        ("ldbfr-stage-a", "--first-stage"),
        ("ldbfr-injection", "can't stand on embedded weights"),
    ],
)
def test_the_paper_presets_say_what_they_stand_on(shared, name, told):
    with pytest.raises((LimnerError, WeightsError), match=told):
        make_recipe(name, shared / "faces", "paper")


@pytest.mark.parametrize(("name", "parameters"), [("ldbfr-dictionary", 72_672_835), ("ldbfr-vqgan", 55_766_046)])
def test_the_paper_presets_of_the_autoencoders(shared, name, parameters):
    recipe = make_recipe(name, shared / "faces", "paper")
    assert sum(p.numel() for p in recipe.model.parameters()) == parameters
    assert recipe.training.batch == 32 and recipe.training.betas == (0.5, 0.9)


def test_an_asymmetric_decoder_goes_on_from_an_autoencoder(shared, tmp_path, vqgan):
    save_weights(vqgan, tmp_path / "vqgan")
    recipe = make_recipe("ldbfr-vqgan", shared / "faces", "paper", start=tmp_path / "vqgan")
    learns = {name.split(".")[0] for name, p in recipe.model.named_parameters() if p.requires_grad}
    assert learns == {"decoder", "from_latent"}
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    recipe.loss(recipe.model, {"image": image / 2 + 0.5}, torch.Generator()).backward()
    assert recipe.model.decoder.beyond[1].weight.grad.abs().max() > 0
    assert torch.equal(recipe.model.encoder.stem.weight, vqgan.encoder.stem.weight)
