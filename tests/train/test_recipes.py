import inspect
import math
from dataclasses import replace
from importlib import import_module

import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.methods.schedules import difface_schedule
from limner.nets.estimator import Estimator
from limner.nets.unet import UNet
from limner.train import RECIPES, builds_on, make_recipe
from limner.train.loop import save_weights
from limner.train.losses.variational import discretised_log_likelihood, hybrid_loss, normal_kl
from limner.train.recipes.difface.estimator import l1, root_mse
from limner.train.recipes.difface.prior import LAST_TIMESTEP, CleanLoss, denoised, diffuse
from limner.train.recipes.refldm.refldm import mini_unet
from limner.train.validation import Validation
from limner.weights.load import load_net


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.slow
def test_the_mini_recipe_takes_a_step_that_helps(shared, name):
    """One batch, seen again after one step down its gradient, must be known better."""
    # the mask's updates are small; stage A's loss jumps where a code changes, by more than 1e-3 lowers it
    step = {"clrface-mask": 0.1, "ldbfr-stage-a": 3e-3, "clean": 1e-5, "enlarge": 1e-4}.get(name, 1e-3)
    recipe = make_recipe(name, shared / "faces", "mini")
    samples = [recipe.data[n] for n in range(2)]
    batch = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
    net = recipe.model.train()
    before = recipe.loss(net, batch, torch.Generator().manual_seed(0))
    before.backward()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.grad is not None:
                parameter -= step * parameter.grad / (parameter.grad.norm() + 1e-12)
    assert recipe.loss(net, batch, torch.Generator().manual_seed(0)) < before


@pytest.mark.parametrize(
    ("name", "parameters", "steps", "batch"),
    [
        ("difface-estimator", 15_792_587, 300_000, 32),
        ("difface-prior", 159_788_454, 500_000, 64),
        ("vqgan", 57_183_515, 200_000, 32),
        ("ldm", 117_759_368, 500_000, 40),
        ("refldm", 117_759_368, 150_000, 8),
    ],
)
@pytest.mark.slow
def test_the_paper_preset_has_the_published_settings(shared, name, parameters, steps, batch):
    recipe = make_recipe(name, shared / "faces", "paper")
    assert sum(p.numel() for p in recipe.model.parameters()) == parameters
    assert (recipe.training.steps, recipe.training.batch) == (steps, batch)


def test_root_mse_gives_every_face_the_same_say():
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    lq = (image + torch.tensor([0.01, 0.3])[:, None, None, None]).requires_grad_()
    root_mse(torch.nn.Identity(), {"lq": lq, "image": image}, torch.Generator()).backward()
    assert lq.grad is not None
    weak, strong = lq.grad.flatten(1).norm(dim=1)
    assert weak == pytest.approx(strong.item(), rel=0.1)
    assert l1(torch.nn.Identity(), {"lq": image + 0.1, "image": image}, torch.Generator()) == pytest.approx(0.1)


def test_timesteps_stay_below_the_last():
    clean = torch.zeros(4000, 1, 1, 1)
    noisy, timesteps, noise = diffuse(difface_schedule(), clean, LAST_TIMESTEP, torch.Generator().manual_seed(0))
    assert timesteps.min() == 0 and timesteps.max() == LAST_TIMESTEP
    sigma = (1 - difface_schedule().alphas_cumprod[timesteps]).sqrt()
    torch.testing.assert_close(noisy.flatten(), sigma * noise.flatten())


def test_clean_loss_weighs_errors_by_their_noise_level():
    """A net whose squared error is sigma + 0.05 pays 1 at every timestep, one that knows pays nothing."""
    schedule = difface_schedule("sample")
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))

    class Knows(torch.nn.Module):
        error = 0.0

        def forward(self, x, t):
            sigma = (1 - schedule.alphas_cumprod[t]).sqrt()[:, None, None, None]
            return image * 2 - 1 + self.error * (sigma + 0.05).sqrt()

    net = Knows()
    loss = CleanLoss(schedule, 450)
    assert loss(net, {"image": image}, torch.Generator().manual_seed(0)) < 1e-12
    net.error = 1.0
    paid = [loss(net, {"image": image}, torch.Generator().manual_seed(seed)).item() for seed in range(20)]
    assert paid == pytest.approx([1.0] * 20, rel=1e-4)


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_one_look_undoes_what_the_net_predicts(prediction):
    schedule = difface_schedule(prediction)
    clean = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2)) * 2 - 1
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(3))
    target = noise if prediction == "epsilon" else clean

    class Knows(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x, t):
            return target

    again = denoised(Knows(), schedule, clean, 300, torch.Generator().manual_seed(3))
    torch.testing.assert_close(again, clean, rtol=0, atol=1e-4)


def test_kl_agrees_with_torch():
    generator = torch.Generator().manual_seed(0)
    m1, v1, m2, v2 = (torch.randn(5, generator=generator) for _ in range(4))
    first, second = (torch.distributions.Normal(m, (0.5 * v).exp()) for m, v in ((m1, v1), (m2, v2)))
    torch.testing.assert_close(normal_kl(m1, v1, m2, v2), torch.distributions.kl_divergence(first, second))


def test_discretised_likelihood_is_a_distribution_over_the_levels():
    levels = torch.arange(256).double() / 127.5 - 1
    for mean, log_variance in ((0.1, -4.0), (-0.99, -6.0), (0.9, 0.0)):
        log = discretised_log_likelihood(levels, torch.tensor(mean).double(), torch.tensor(log_variance).double())
        assert log.exp().sum() == pytest.approx(1, abs=1e-6)


def test_the_bound_trains_the_variance_and_not_the_mean():
    """With the noise error taken away, gradient must reach the variance half of the output only."""
    torch.manual_seed(0)
    loss = hybrid_loss(difface_schedule())
    outputs = []

    class Net(torch.nn.Module):
        def forward(self, x, t):
            outputs.append(torch.randn(len(x), 6, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_())
            return outputs[-1]

    batch = {"image": torch.rand(4, 3, 8, 8)}
    value = loss(Net(), batch, torch.Generator().manual_seed(5))
    value.backward()
    grad = outputs[0].grad
    noise_error = 2 * (outputs[0][:, :3].detach() - _noise(batch, 5)) / outputs[0][:, :3].numel()
    torch.testing.assert_close(grad[:, :3], noise_error, rtol=1e-4, atol=1e-7)
    assert grad[:, 3:].abs().min() > 0 and math.isfinite(value.item())


def _noise(batch, seed):
    """The noise that the loss draws behind its timesteps."""
    generator = torch.Generator().manual_seed(seed)
    torch.randint(0, 1000, (len(batch["image"]),), generator=generator)
    return torch.randn(batch["image"].shape, generator=generator)


def test_the_last_stage_begins_with_the_net_of_the_one_before(shared, tmp_path):
    net = mini_unet()
    save_weights(net, tmp_path / "unet")
    recipe = make_recipe("refldm", shared / "faces", start=tmp_path / "unet")
    for a, b in zip(net.parameters(), recipe.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    save_weights(Estimator(), tmp_path / "estimator")
    with pytest.raises(WeightsError, match="holds another net than a UNet: give those that another run left"):
        make_recipe("refldm", shared / "faces", start=tmp_path / "estimator")
    with pytest.raises(WeightsError, match="holds another net than a VQGAN: train one with `limner train vqgan`"):
        make_recipe("ldm", shared / "faces", first_stage=tmp_path / "unet")


@pytest.mark.slow
def test_a_look_with_a_reference_differs_from_one_without(shared):
    """What the recipe measures and draws goes through the references."""
    recipe = make_recipe("refldm", shared / "faces")
    assert isinstance(recipe.validation, Validation)
    (face, *_) = recipe.validation.groups[""]
    one = replace(recipe.validation, cases=lambda: {"": [face]})
    generator = torch.Generator().manual_seed(0)
    for parameter in recipe.model.parameters():
        if parameter.abs().max() == 0:
            torch.nn.init.normal_(parameter, std=0.05, generator=generator)
    report = one(recipe.model.eval())
    assert report.figures["psnr t=999 alone"] != report.figures["psnr t=999 reference"]
    assert report.sheet.shape[1] > 6 * 256


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_recipe_builds_on_is_what_its_function_takes(name):
    module, function = RECIPES[name].split(":")
    taken = inspect.signature(getattr(import_module(f"limner.train.recipes.{module}"), function)).parameters
    assert list(taken)[:3] == ["data", "preset", "seed"]
    assert {parameter: taken[parameter].default for parameter in list(taken)[3:]} == builds_on(name)


def test_a_recipe_goes_on_from_a_name_of_the_catalogue(shared):
    recipe = make_recipe("refldm", shared / "faces", start="mini/refldm")
    for a, b in zip(load_net("mini/refldm").parameters(), recipe.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_messages(shared):
    with pytest.raises(LimnerError, match="The recipe 'vqgan' takes no --start: leave it out"):
        make_recipe("vqgan", shared / "faces", start=shared)
    with pytest.raises(LimnerError, match="There is no recipe 'x': choose one of proposals, alignnet"):
        make_recipe("x", shared / "faces")
    with pytest.raises(LimnerError, match="There is no preset 'x': choose mini or paper"):
        make_recipe("alignnet", shared / "faces", "x")


def test_an_untrained_estimator_is_the_identity():
    image = torch.rand(1, 3, 32, 48)
    net = Estimator(sample_size=32, patch_size=2, widths=(8, 16), depths=(1, 1))
    torch.testing.assert_close(net(image), image)


def test_unet_with_patches_keeps_the_size_and_looks_at_the_timestep():
    torch.manual_seed(0)
    net = UNet(
        out_channels=3,
        width=32,
        multipliers=(1, 2),
        depths=(1, 1),
        attention_levels=(),
        head_channels=32,
        patch_size=4,
        input_skip=True,
    )
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    x = torch.rand(2, 3, 32, 64)
    first, second = net(x, torch.tensor([3, 3])), net(x, torch.tensor([3, 400]))
    assert first.shape == x.shape
    torch.testing.assert_close(first[0], second[0])
    assert (first[1] - second[1]).abs().max() > 1e-3
