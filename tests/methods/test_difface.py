"""DifFace against outputs of the authors' code (`../shared/golden/difface`), and what is its own."""

import json

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from safetensors.torch import load_file

from limner.errors import LimnerError
from limner.methods.difface import DifFacePipeline, chain
from limner.methods.schedules import difface_schedule, enter, swap
from limner.weights.formats import adm, swinir

from ..golden.on_device import assert_golden, placed
from . import tiny

IMAGE_TOLERANCE = 1e-4  # absolute, on images in [0, 1], as the golden README suggests


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden/difface/tiny_io_restoration.safetensors")


@pytest.fixture(scope="module")
def pipeline(shared, golden):
    folder = shared / "golden/difface"
    unet = adm.load(folder / "tiny_unet.safetensors", head_channels=16)
    unet.register_to_config(sample_size=golden["in.y0"].shape[-1])
    return DifFacePipeline(swinir.load(folder / "tiny_swinir.safetensors"), unet, difface_schedule()).to("cpu")


def seeded(seed: torch.Tensor) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))


def test_estimate(golden, pipeline, compute):
    estimate = placed(pipeline, compute).estimate(golden["in.y0"]).cpu()
    assert_golden(estimate, golden["restore.ddim10.s4.eta0.5.im_hq"].clamp(0, 1), compute, atol=1e-5)


@pytest.mark.parametrize(
    ("case", "start", "steps", "eta", "seed"),
    [
        ("ddim10.s4.eta0.5", 400, 4, 0.5, "ddim10.s4.eta0.0"),
        ("ddim10.s4.eta0.0", 400, 4, 0.0, "ddim10.s4.eta0.0"),
        pytest.param("ddim250.s100.eta0.5", 400, 100, 0.5, "ddim250.s100.eta0.5", marks=pytest.mark.slow),
        pytest.param("ddim250.s100.eta0.0", 400, 100, 0.0, "ddim250.s100.eta0.0", marks=pytest.mark.slow),
    ],
)
def test_restoration(golden, pipeline, compute, case, start, steps, eta, seed):
    generator = seeded(golden[f"restore.{seed}.seed"])
    out = placed(pipeline, compute)(golden["in.y0"], start=start, steps=steps, eta=eta, generator=generator)
    assert_golden(out.images, golden[f"restore.{case}.sample"], compute, atol=IMAGE_TOLERANCE)


def test_recorded_noise_is_the_generators(golden):
    generator = seeded(golden["restore.ddim10.s4.eta0.0.seed"])
    noise = [torch.randn(golden["in.x_t"].shape, generator=generator) for _ in range(5)]
    torch.testing.assert_close(noise[0], golden["restore.ddim10.s4.eta0.5.x_N_noise"], rtol=0, atol=0)
    torch.testing.assert_close(torch.stack(noise[1:]), golden["restore.ddim10.s4.eta0.5.step_noise"], rtol=0, atol=0)


def test_other_sizes_are_resized_and_back(golden, pipeline):
    case = "restore.ddim10.s4.eta0.0.odd"
    out = pipeline(golden["in.y0_odd_100x116"], start=400, steps=4, eta=0, generator=seeded(golden[f"{case}.seed"]))
    torch.testing.assert_close(out.images, golden[f"{case}.sample"], rtol=0, atol=IMAGE_TOLERANCE)


@pytest.mark.parametrize("index", [0, 9])
def test_one_look_at_the_prior(golden, pipeline, index):
    """Noise and clipped x0 of the respaced chain at its first and last index (t = 0 and 900)."""
    t = index * 100
    predicted = pipeline.unet(golden["in.x_t"], torch.tensor([t]))[:, :3]
    torch.testing.assert_close(predicted, golden[f"pmv.ddim10.i{index}.pred_noise"], rtol=1e-4, atol=1e-4)
    scheduler = difface_schedule()
    scheduler.set_timesteps(10)
    x0 = scheduler.step(predicted, t, golden["in.x_t"]).pred_original_sample
    true = golden[f"pmv.ddim10.i{index}.pred_xstart"]
    # both lie in [-1, 1]. At t = 900 an error of the noise is 61 times as large in x0: 1.2e-4 on one processor
    torch.testing.assert_close(x0 / 2, true / 2, rtol=0, atol=2 * IMAGE_TOLERANCE)


def test_ancestral_loop_with_the_learned_variance(golden, pipeline, shared):
    spaced = json.loads((shared / "golden/difface/space_timesteps.json").read_text())["10"]
    scheduler = DDPMScheduler.from_config(difface_schedule().config, variance_type="learned_range")
    scheduler.set_timesteps(timesteps=spaced[::-1])
    x = golden["ddpm.10.s4.x_N"]
    for step, t in enumerate(spaced[3::-1]):
        out = pipeline.unet(x, torch.tensor([t]))
        calm = scheduler.step(out, t, x, generator=seeded(torch.tensor(0))).pred_original_sample
        x = posterior_sample(scheduler, out, calm, x, t, spaced, golden["ddpm.10.s4.step_noise"][step])
    torch.testing.assert_close(
        (x / 2 + 0.5).clamp(0, 1),
        (golden["ddpm.10.s4.sample"] / 2 + 0.5).clamp(0, 1),
        rtol=0,
        atol=IMAGE_TOLERANCE,
    )


def posterior_sample(scheduler, out, x0, x, t, spaced, noise):
    """q(x_prev | x, x0) with the scheduler's learned-range variance and recorded noise."""
    place = spaced.index(t)
    abar = scheduler.alphas_cumprod[t]
    before = scheduler.alphas_cumprod[spaced[place - 1]] if place else torch.tensor(1.0)
    beta = 1 - abar / before
    mean = before.sqrt() * beta / (1 - abar) * x0 + (abar / before).sqrt() * (1 - before) / (1 - abar) * x
    if not place:
        return mean
    return mean + (0.5 * scheduler._get_variance(t, out[:, 3:])).exp() * noise


def test_timesteps(shared):
    table = np.load(shared / "golden/difface/schedule_ddim250.npz")
    spaced = json.loads((shared / "golden/difface/space_timesteps.json").read_text())
    scheduler = difface_schedule()
    for stride in (250, 100, 50, 25, 20, 10, 5, 4, 2):
        scheduler.set_timesteps(stride)
        assert scheduler.timesteps.tolist()[::-1] == spaced[f"ddim{stride}"]
    kept = scheduler.alphas_cumprod[torch.from_numpy(table["timestep_map"])]
    np.testing.assert_allclose(kept, table["alphas_cumprod"], rtol=2e-5)


def test_the_papers_timesteps():
    _, entry, timesteps = chain(difface_schedule(), 400, 100)
    assert entry == 400 and timesteps.tolist() == list(range(396, -1, -4))


@pytest.mark.parametrize("solver", ["dpmsolver++", "unipc"])
@pytest.mark.parametrize(("start", "steps"), [(400, 100), (20, 20), (20, 10), (20, 3), (20, 1), (999, 999)])
def test_multistep_solvers_enter_where_ddim_does(solver, start, steps):
    """diffusers' own timesteps of so many steps would begin lower, and those of 1000 are all 0."""
    scheduler, entry, timesteps = chain(swap(tiny.difface("sample"), solver).scheduler, start, steps)
    assert entry == timesteps[0] == start and len(timesteps) == steps and timesteps.diff().lt(0).all()
    clean, noise = torch.full((1, 3, 4, 4), 0.5), torch.randn(1, 3, 4, 4, generator=tiny.seeded())
    x = enter(clean, noise, scheduler, entry)
    for t in timesteps:
        x = scheduler.step(clean, int(t), x, return_dict=False)[0]
    torch.testing.assert_close(x, clean, rtol=0, atol=1e-4)  # a net that knows the clean sample finds it


def test_no_steps_give_the_estimate():
    pipeline, faces = tiny.difface(), tiny.pictures(3, 5)
    torch.testing.assert_close(pipeline(faces, steps=0).images, pipeline.estimate(faces), rtol=0, atol=0)


def test_samples_lie_near_the_estimate_of_their_face():
    out = tiny.difface()(tiny.pictures(3, 5), steps=2, eta=1, samples=2, batch_size=4)
    nearest = torch.cdist(out.images.flatten(1), out.estimates.flatten(1)).argmin(dim=1)
    assert nearest.tolist() == [0, 0, 1, 1, 2, 2]


def test_the_steps_must_fit_below_the_start():
    with pytest.raises(LimnerError, match="60 steps don't fit below the start step 50: choose 1 to 50."):
        tiny.difface()(tiny.pictures(1, 5), start=50, steps=60)
