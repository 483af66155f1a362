"""LD-BFR against outputs of the authors' code (`../shared/golden/ldbfr`), and what is its own."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from limner.errors import LimnerError
from limner.methods import load
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.options import LDBFROptions
from limner.methods.pipeline import Batch
from limner.methods.schedules import SCHEDULERS, ldbfr_schedule, swap
from limner.nets.injection import Injected

from ..golden.ldbfr import tiny as tiny_nets
from ..golden.on_device import assert_golden, placed
from . import tiny
from .tiny import pictures, seeded


def tolerance(theirs, share=2e-5):
    """So much of the largest value."""
    return share * float(theirs.abs().max())


def close(ours, theirs, share=2e-5):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance(theirs, share))


@pytest.fixture(scope="module")
def golden(shared):
    folder = shared / "golden/ldbfr"
    return {
        name: load_file(folder / f"{name}.safetensors")
        for name in ("tiny_ddim_io", "tiny_target_first_stage_io", "tiny_stage_a_io", "schedule")
    }


@pytest.fixture(scope="module")
def published(shared, golden):
    nets = tiny_nets(shared / "golden/ldbfr", face=golden["tiny_stage_a_io"]["in.lq"].shape[-1])
    return LDBFRPipeline(nets.stage_a, nets.unet, nets.injection, nets.vqgan, ldbfr_schedule())


def walk(pipeline, golden, eta, snap, recorded=None):
    """The chain from the recorded noise under the recorded F: the latent after each step."""
    run = golden["tiny_ddim_io"]
    seen = []
    options = LDBFROptions(steps=4, eta=eta, snap=snap)
    scheduler, times = pipeline.chain(options)
    if recorded is not None:  # the noise of the steps is recorded, not its seed
        step = scheduler.step

        def replayed(predicted, t, x, eta, generator, return_dict):
            return step(predicted, t, x, eta=eta, variance_noise=recorded[len(seen)], return_dict=return_dict)

        scheduler.step = replayed

    def keep(predicted, t, x, **settings):
        out = kept(predicted, t, x, **settings)
        seen.append(out[0])
        return out

    kept, scheduler.step = scheduler.step, keep
    with torch.no_grad():
        z = pipeline.denoise(
            run["ddim.in.x_T"],
            run["ddim.in.F"],
            scheduler,
            times,
            options,
            Batch(run["ddim.in.x_T"], [], [torch.Generator()] * 2, lambda step: None, 2),
        )
    return z, seen


def test_the_chain(golden, published):
    run = golden["tiny_ddim_io"]
    z, steps = walk(published, golden, 0.0, False)
    close(z, run["ddim.s4.eta0.z"])
    for ours, theirs in zip(steps, run["ddim.s4.eta0.x_steps"], strict=True):
        close(ours, theirs)


def test_the_chain_with_snapped_estimates(golden, published):
    z, _ = walk(published, golden, 0.0, True)
    close(z, golden["tiny_ddim_io"]["ddim.s4.eta0.snap.z"])


def test_the_chain_with_noise(golden, published):
    run = golden["tiny_ddim_io"]
    z, steps = walk(published, golden, 1.0, False, run["ddim.s4.eta1.noise_steps"])
    close(z, run["ddim.s4.eta1.z"])
    for ours, theirs in zip(steps, run["ddim.s4.eta1.x_steps"], strict=True):
        close(ours, theirs)


def test_from_a_degraded_face_to_the_picture(golden, published, compute):
    """The whole call: stage A, the chain, the asymmetric decoder."""
    run, pipeline = golden["tiny_ddim_io"], placed(published, compute)
    lq = golden["tiny_stage_a_io"]["in.lq"] / 2 + 0.5
    out = pipeline(lq, steps=4, noise=run["ddim.in.x_T"])
    assert_golden(out.latents, run["ddim.s4.eta0.z"], compute, atol=tolerance(run["ddim.s4.eta0.z"]))
    if compute.dtype == torch.float32:  # a latent that bf16 moved has other codes
        with torch.no_grad():
            decoded = pipeline.vqgan.decode(out.latents[:1].to(compute.device)).cpu()
        expected = golden["tiny_target_first_stage_io"]["ddim_image"]
        assert_golden(decoded, expected, compute, atol=tolerance(expected))
    assert out.images.shape == lq.shape and out.images.min() >= 0 and out.images.max() <= 1


def test_stage_a_alone(golden, published):
    io = golden["tiny_stage_a_io"]
    out = published(io["in.lq"] / 2 + 0.5, steps=0)
    close(out.latents, io["F"])
    close(out.images, (io["image"] / 2 + 0.5).clamp(0, 1))


@pytest.mark.parametrize("steps", [4, 50, 200])
def test_the_schedule(golden, published, steps):
    recorded = golden["schedule"]
    scheduler, times = published.chain(LDBFROptions(steps=steps))
    times = times.flip(0)
    assert times.tolist() == recorded[f"s{steps}.timesteps"].tolist()
    before = torch.cat([scheduler.final_alpha_cumprod[None], scheduler.alphas_cumprod[times[:-1]]])
    for ours, name in ((scheduler.alphas_cumprod, "alphas_cumprod"), (before, f"s{steps}.alphas_prev")):
        torch.testing.assert_close(ours.double(), recorded[name].double(), rtol=5e-6, atol=0)


def test_the_condition_matters():
    """The prediction changes when the features of two faces are swapped."""
    pipeline, faces = tiny.ldbfr(), pictures(2, 5)
    feature = pipeline.feature(faces)
    x, times = torch.randn(2, 4, 8, 8, generator=seeded()), torch.tensor([300, 300])
    shown = [Injected(pipeline.injection, one) for one in (feature, feature.flip(0))]
    with torch.no_grad():
        own, swapped = (pipeline.unet(x, times, after_attention=one) for one in shown)
    assert (own - swapped).abs().max() > 1e-2 * own.abs().max()


def test_the_embedded_condition_matters():
    """With the trained injection too."""
    pipeline = load("ldbfr").pipeline
    faces = torch.rand(2, 3, 8, 8, generator=seeded())
    feature = pipeline.feature(nn.functional.interpolate(faces, size=(256, 256), mode="bicubic").clamp(0, 1))
    x, times = torch.randn(2, *pipeline.latent_shape, generator=seeded()), torch.tensor([300, 300])
    shown = [Injected(pipeline.injection, one) for one in (feature, feature.flip(0))]
    with torch.no_grad():
        own, swapped = (pipeline.unet(x, times, after_attention=one) for one in shown)
    assert (own - swapped).abs().max() > 1e-2 * own.abs().max()


def test_snapped_estimates_are_codes():
    """What a step changes by, taken back to the estimate that it belongs to."""
    pipeline = tiny.ldbfr()
    z0 = torch.randn(1, 4, 8, 8, generator=seeded())
    scheduler, times = pipeline.chain(LDBFROptions(steps=4, snap=True))
    moved = pipeline.snapping(z0, int(times[-1]), scheduler)
    snapped = z0 + moved / scheduler.final_alpha_cumprod.sqrt()
    nearest = pipeline.vqgan.codes(pipeline.vqgan.nearest(z0))
    torch.testing.assert_close(snapped, nearest, rtol=1e-4, atol=1e-5)


def test_fewer_steps_than_asked_for_never_come():
    for steps in (1, 3, 7, 30, 999):
        assert len(tiny.ldbfr().chain(LDBFROptions(steps=steps))[1]) == steps


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_entering_part_way(name, spacing):
    """The chain's end: entered late, little of the noise is left in the result, and stage A's picture shows."""
    pipeline, faces = swap(tiny.ldbfr("sample"), name), pictures(3, 5)
    for start, steps in ((400, 10), (300, 50), (5, 5)):
        times = pipeline.chain(LDBFROptions(start=start, steps=steps, timestep_spacing=spacing))[1]
        assert len(times) == steps and abs(int(times[0]) - start) <= 0.2 * start + start // steps
    pipeline.unet.forward = lambda x, t, after_attention: x / 2  # a net that keeps what it is given
    near, far = (
        [pipeline(faces, start=start, steps=2, timestep_spacing=spacing, generator=seeded(s)).latents for s in (1, 2)]
        for start in (5, 900)
    )
    assert (near[0] - near[1]).abs().mean() < 0.5 * (far[0] - far[1]).abs().mean()


def test_only_ddim_snaps():
    with pytest.raises(LimnerError, match="Only the scheduler ddim can snap"):
        swap(tiny.ldbfr(), "unipc")(pictures(1, 5), steps=2, snap=True)


def test_the_steps_must_fit_below_the_start():
    with pytest.raises(LimnerError, match="30 steps from 20 on can't be made"):
        tiny.ldbfr()(pictures(1, 5), start=20, steps=30)
