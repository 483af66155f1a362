"""The papers' noise schedules by their formulas, other schedulers over them, and chains of any length and entry."""

import json

import numpy as np
import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.methods.schedules import (
    SCHEDULERS,
    clean_estimate,
    clrface_schedule,
    difface_schedule,
    enter,
    from_timestep,
    ldbfr_schedule,
    load_schedule,
    refldm_schedule,
    swap,
    with_steps,
)
from limner.weights.catalogue import find

from . import tiny

BETAS = {
    difface_schedule: np.linspace(1e-4, 0.02, 1000),
    clrface_schedule: np.linspace(1e-4, 0.02, 1000),
    refldm_schedule: np.linspace(0.0015**0.5, 0.0155**0.5, 1000) ** 2,
    ldbfr_schedule: np.linspace(0.0015**0.5, 0.0195**0.5, 1000) ** 2,
}

LATENT = [refldm_schedule, ldbfr_schedule, clrface_schedule]
named = {"ids": lambda one: getattr(one, "__name__", str(one))}


@pytest.mark.parametrize("schedule", BETAS, **named)
def test_the_noise_of_each_timestep(schedule):
    scheduler, abar = schedule(), np.cumprod(1 - BETAS[schedule])
    np.testing.assert_allclose(scheduler.alphas_cumprod, abar, rtol=2e-5)
    behind = 1 if schedule in (difface_schedule, clrface_schedule) else abar[0]
    assert scheduler.final_alpha_cumprod == pytest.approx(behind)
    assert scheduler.config["clip_sample"] == (schedule is difface_schedule)
    assert scheduler.config["prediction_type"] == "epsilon"
    ours = schedule("sample")
    assert ours.config["prediction_type"] == "sample" and ours.final_alpha_cumprod == 1, "it ends at what the net says"


@pytest.mark.parametrize("name", ["refldm", "ldbfr-prior", "ldbfr-injection", "clrface-prior", "difface-prior"])
def test_the_embedded_nets_end_at_what_they_say(name):
    assert load_schedule(find(f"mini/{name}").path()).final_alpha_cumprod == 1


@pytest.mark.parametrize("schedule", LATENT, **named)
@pytest.mark.parametrize("steps", [1, 3, 50, 61, 998])
def test_a_chain_has_as_many_steps_as_asked_for(schedule, steps):
    template = schedule()
    leading, trailing = (with_steps(template, steps, spacing, "").timesteps for spacing in ("leading", "trailing"))
    assert len(leading) == len(trailing) == steps
    assert leading[-1] == 1 and trailing[0] == 999 and trailing[-1] == round(1000 / steps) - 1
    own = {"leading": leading, "trailing": trailing}[template.config["timestep_spacing"]]
    assert torch.equal(with_steps(template, steps, None, "").timesteps, own)
    assert template.num_inference_steps is None, "the pipeline's own stays as it was"


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [60, 61, 103])
def test_a_chain_of_any_length_ends_nearly_without_noise(name, steps):
    """Also where diffusers' own list of trailing timesteps has one more, at -1."""
    scheduler = with_steps(swap(tiny.clrface(), name).scheduler, steps, "trailing", "")
    clean, x = torch.ones(1, 3, 4, 4), torch.randn(1, 3, 4, 4, generator=tiny.seeded())
    for t in scheduler.timesteps:
        x = scheduler.step(clean, int(t), x, return_dict=False)[0]
    assert len(scheduler.timesteps) == steps and scheduler.timesteps.min() >= 0
    left = 0.02 if name == "ddim" else 1e-5  # DDIM may end at abar_0, where .01 of the noise stays
    assert (x - clean).square().mean().sqrt() < left


@pytest.mark.parametrize("steps", [0, -1, 1000])
def test_a_chain_that_cannot_be(steps):
    with pytest.raises(LimnerError, match=f"^{steps} steps can't be made: CLR-Face takes 1 to 999.$"):
        with_steps(clrface_schedule(), steps, None, "CLR-Face takes 1 to 999")


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize(("start", "steps"), [(None, 4), (400, 10), (300, 50), (20, 2), (5, 5)])
def test_a_chain_is_entered_part_way(name, start, steps):
    pipeline = swap(tiny.clrface(), name)
    scheduler, times = from_timestep(pipeline.scheduler, start, steps, "leading", "")
    assert len(times) == steps and times.tolist() == sorted(times.tolist(), reverse=True)
    assert start is None or abs(int(times[0]) - start) <= 0.2 * start + start // steps
    clean, noise = torch.ones(1, 3, 4, 4), torch.randn(1, 3, 4, 4, generator=tiny.seeded())
    x = enter(clean, noise, scheduler, times[0])
    for t in times:
        x = scheduler.step(clean, int(t), x, return_dict=False)[0]
    assert (x - clean).abs().mean() < 0.02, "a net that knows the clean sample finds it"


@pytest.mark.parametrize(("start", "steps"), [(0, 1), (1000, 5), (5, 6), (5, 0)])
def test_an_entry_that_cannot_be(start, steps):
    with pytest.raises(LimnerError, match=f"{steps} steps from {start} on can't be made: the start is 1 to 999, and"):
        from_timestep(ldbfr_schedule(), start, steps, None, "")


def test_entering_and_the_clean_estimate_are_each_other_s_way_back():
    clean, noise = (torch.randn(2, 3, 4, 4, generator=tiny.seeded(seed)) for seed in (1, 2))
    scheduler = refldm_schedule()
    abar = scheduler.alphas_cumprod[300]
    noisy = enter(clean, noise, scheduler, 300)
    torch.testing.assert_close(noisy.var(), torch.tensor(1.0), rtol=0.3, atol=0)
    assert enter(clean, noise, scheduler, 999).sub(noise).abs().mean() < 0.2
    torch.testing.assert_close(clean_estimate(scheduler, noise, noisy, abar), clean)
    assert clean_estimate(refldm_schedule("sample"), clean, noisy, abar) is clean


@pytest.mark.parametrize("name", SCHEDULERS)
def test_another_scheduler_keeps_the_training_schedule(name):
    pipeline = tiny.ldbfr("sample")
    before = pipeline.scheduler
    assert swap(pipeline, name) is pipeline
    assert torch.equal(pipeline.scheduler.alphas_cumprod, before.alphas_cumprod)
    assert pipeline.scheduler.config["prediction_type"] == "sample"
    with pytest.raises(LimnerError, match=r"There is no scheduler 'euler': choose one of ddim, dpmsolver\+\+, unipc."):
        swap(pipeline, "euler")


def test_the_first_folder_that_has_a_schedule_counts(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert load_schedule(first, second, default=ldbfr_schedule).config["beta_end"] == 0.0195
    clrface_schedule("sample").save_pretrained(second)
    assert load_schedule(first, second).config["prediction_type"] == "sample"
    refldm_schedule().save_pretrained(first)
    assert load_schedule(first, second).config["beta_end"] == 0.0155


@pytest.mark.parametrize(
    "change",
    [
        {"num_train_timesteps": 10**12},
        {"num_train_timesteps": 10},
        {"beta_schedule": "none"},
        {"beta_start": "a"},
        {"beta_start": -1},
        {"beta_end": 1e30},
        {"trained_betas": [0.1]},
        {"prediction_type": "v_prediction"},
        {"steps_offset": 10**5},
    ],
)
def test_a_hostile_schedule(tmp_path, change):
    config = {name: value for name, value in difface_schedule().config.items() if name[0] != "_"}
    (tmp_path / "scheduler_config.json").write_text(json.dumps(config))
    assert load_schedule(tmp_path).config["num_train_timesteps"] == 1000
    (tmp_path / "scheduler_config.json").write_text(json.dumps(config | change))
    with pytest.raises(WeightsError, match=r"scheduler_config\.json (describes no noise schedule|gives)"):
        load_schedule(tmp_path)
