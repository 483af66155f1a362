"""What every method promises, over all of them, by small random nets."""

from functools import cache

import pytest
import torch

from limner.device import choose
from limner.errors import LimnerError
from limner.methods import METHODS, load
from limner.methods.pipeline import FacePipeline, LatentPipeline
from limner.methods.schedules import SCHEDULERS, swap

from .tiny import PIPELINES, pictures, seeded

BRANCHES = {
    "difface": [{"eta": 0.0}, {"eta": 1.0}],
    "refldm": [{"eta": 0.0}, {"eta": 0.5, "guidance": 1.0}, {"encoding": "wide"}],
    "ldbfr": [{"eta": 0.0}, {"eta": 0.7}, {"snap": True}, {"timestep_spacing": "trailing"}, {"start": 400}],
    "clrface": [{"guidance": 0.1}, {"eta": 0.5, "guidance": 0.1}, {"guidance": 0}, {"start": 400}],
}
"""Options that go another way through a method each."""

NEAR = {"difface": 0.005, "refldm": 0.04, "ldbfr": 0.07, "clrface": 0.015}
"""Of the result's size, how far bf16 may lie from fp32; of LD-BFR most: a codebook entry may be another."""

each = pytest.mark.parametrize("name", PIPELINES)
each_branch = pytest.mark.parametrize(
    ("name", "options"), [(name, branch) for name, branches in BRANCHES.items() for branch in branches]
)
made = cache(lambda name: PIPELINES[name]())
"""A pipeline that no test changes."""


def faces_for(pipeline, count=4):
    return pictures(count, 5, pipeline.size)


def people_for(pipeline):
    """References of four faces, of which one has none; nobody has any where the method can't use them."""
    if not pipeline.paper.info.references:
        return None
    return [pictures(count, seed, pipeline.size) for count, seed in ((2, 10), (0, 0), (3, 12), (1, 13))]


def sampled(out):
    """Where the chain ended: what quantising hides nothing of."""
    return out.get("latents", out.images)


def test_every_method_is_held_to_them():
    assert PIPELINES.keys() == METHODS.keys()
    assert all(made(name).paper == METHODS[name]() for name in PIPELINES)


@each_branch
def test_the_same_seed_gives_the_same_pixels(name, options):
    pipeline = made(name)
    first, second, other = (
        pipeline(faces_for(pipeline), references=people_for(pipeline), steps=4, **options, generator=seeded(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first.images, second.images) and torch.equal(sampled(first), sampled(second))
    assert (sampled(first) - sampled(other)).abs().amax(dim=(1, 2, 3)).min() > 0.01


@each_branch
def test_a_result_does_not_depend_on_its_batch(name, options):
    pipeline = made(name)
    how = {"references": people_for(pipeline), "samples": 2, "steps": 4, **options}
    together, some, alone = (
        sampled(pipeline(faces_for(pipeline), **how, generator=seeded(), batch_size=size)) for size in (8, 3, 1)
    )
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(some, alone, rtol=1e-4, atol=1e-4)


@each
def test_samples_of_a_face_lie_together_and_differ(name):
    pipeline = made(name)
    faces, people = faces_for(pipeline), people_for(pipeline)
    generators = [seeded(seed) for seed in range(8)]
    out = pipeline(faces, references=people, steps=4, samples=2, batch_size=3, generator=generators)
    assert out.images.shape == (8, *faces.shape[1:]) and out.images.dtype == torch.float32
    assert all(len(out[field]) == (4 if field in out.PER_FACE else 8) for field in out)
    pairs = sampled(out).unflatten(0, (4, 2))
    assert (pairs[:, 0] - pairs[:, 1]).abs().amax(dim=(1, 2, 3)).min() > 0.01
    third = pipeline(faces[2:3], references=people and people[2:3], steps=4, generator=[seeded(5)])
    torch.testing.assert_close(sampled(out)[5:6], sampled(third), rtol=1e-4, atol=1e-4)
    for field in out.PER_FACE:
        torch.testing.assert_close(out[field][2:3], third[field], rtol=1e-4, atol=1e-4)


@each
def test_given_noise_replaces_the_generators(name):
    pipeline = made(name)
    faces, people = faces_for(pipeline), people_for(pipeline)
    how = {"references": people, "steps": 2, "eta": 0.0}
    generators = [seeded(seed) for seed in range(4)]
    drawn = sampled(pipeline(faces, **how, generator=generators))
    noise = torch.stack([torch.randn(drawn.shape[1:], generator=seeded(seed)) for seed in range(4)])
    assert torch.equal(sampled(pipeline(faces, **how, noise=noise)), drawn)
    by_threes = sampled(pipeline(faces, **how, noise=noise, batch_size=3))
    torch.testing.assert_close(by_threes, drawn, rtol=1e-4, atol=1e-4)
    one_for_all = sampled(pipeline(faces, **how, noise=noise[:1]))
    torch.testing.assert_close(one_for_all[:1], drawn[:1], rtol=1e-4, atol=1e-4)
    assert (one_for_all[1:] - drawn[1:]).abs().amax(dim=(1, 2, 3)).min() > 0.01


@each
def test_other_sizes_are_resized_and_back(name):
    pipeline = made(name)
    people = people_for(pipeline) and [pictures(2, 1, 70), *people_for(pipeline)[1:]]
    out = pipeline(pictures(4, 3, 50, 44), references=people, steps=1)
    for field in out.PICTURES:
        assert out[field].shape == (4, 3, 50, 44) and out[field].min() >= 0 and out[field].max() <= 1
    for picture in out.on_the_way().values():
        assert picture.shape[0] == 4 and picture.shape[1] == 3


@each
def test_progress_counts_every_evaluation_to_its_end(name):
    pipeline, told = made(name), []
    how = {"references": people_for(pipeline), "samples": 2, "steps": 3, "batch_size": 3}
    pipeline(faces_for(pipeline), **how, progress=lambda *done: told.append(done))
    assert told == sorted(told) and told[0][0] <= 3 and told[-1] == (24, 24)
    assert {total for _, total in told} == {24} and len(set(told)) >= 9


@each
def test_no_steps_give_the_picture_of_the_net_that_is_named_for_it(name):
    pipeline, told = made(name), []
    faces = faces_for(pipeline)
    if pipeline.without_diffusion is None:
        with pytest.raises(LimnerError, match=f"{name} takes 1 to 999 for steps, not 0."):
            pipeline(faces, steps=0)
        return
    one, other = (
        pipeline(faces, steps=0, generator=seeded(seed), progress=lambda *done: told.append(done)) for seed in (1, 2)
    )
    assert torch.equal(one.images, other.images) and one.images.shape == faces.shape
    assert told == [(4, 4)] * 2
    assert (pipeline(faces, steps=1, generator=seeded()).images - one.images).abs().max() > 0.01


@each
def test_each_face_has_references_of_its_own(name):
    """They change their face alone, and what was read before counts like the pictures."""
    pipeline = made(name)
    faces, people = faces_for(pipeline), people_for(pipeline)
    how = {"steps": 4, "generator": None, **({"guidance": 0.1} if name == "clrface" else {})}
    if people is None:
        with pytest.raises(LimnerError, match=f"The method '{name}' can't use references: leave them out."):
            pipeline.read(faces)
        return
    without, shown = (sampled(pipeline(faces, references=some, **how)) for some in (None, people))
    changed = (without - shown).abs().amax(dim=(1, 2, 3))
    assert changed[[0, 2, 3]].min() > 1e-2 and changed[1] < 1e-3
    known = [pipeline.read(some) if len(some) else None for some in people]
    assert [one.count for one in known if one] == [2, 3, 1]
    torch.testing.assert_close(sampled(pipeline(faces, references=known, **how)), shown, rtol=1e-4, atol=1e-4)


@each
def test_as_many_references_and_generators_are_needed(name):
    pipeline = made(name)
    faces = faces_for(pipeline)
    with pytest.raises(LimnerError, match=r"4 faces need 4 sets of references \(empty ones too\), not 1."):
        pipeline(faces, references=[None])
    with pytest.raises(LimnerError, match="8 results need 8 generators, not 1."):
        pipeline(faces, samples=2, generator=[seeded()])


@each
def test_options_that_it_does_not_take_are_refused(name):
    pipeline = made(name)
    faces = faces_for(pipeline)
    for options, told in (
        ({"steps": 1000}, f"^{name} takes [01] to 999 for steps, not 1000.$"),
        ({"eta": 1.5}, f"^{name} takes 0 to 1 for eta, not 1.5.$"),
        ({"nonsense": 1}, rf"^The method '{name}' has no option 'nonsense': it takes [\w, ]*steps[\w, ]*\.$"),
    ):
        with pytest.raises(LimnerError, match=told):
            pipeline(faces, **options)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("difface", {"start": 400}),
        *(
            (name, {"timestep_spacing": spacing, **others})
            for name, others in (("refldm", {}), ("ldbfr", {}), ("clrface", {"guidance": 0.0}))
            for spacing in ("leading", "trailing")
        ),
    ],
)
def test_every_scheduler_finds_back_from_a_perfect_net(name, options, scheduler, prediction):
    """A net that knows the clean sample must give it back whatever scheduler asks it."""
    pipeline = swap(PIPELINES[name](prediction), scheduler)
    faces = faces_for(pipeline)
    latent = isinstance(pipeline, LatentPipeline)
    truth = pipeline.encode(faces).detach() if latent else faces * 2 - 1
    abar = pipeline.scheduler.alphas_cumprod

    def knowing(x, timesteps, *_, **__):
        alpha, sigma = (a.sqrt()[:, None, None, None] for a in (abar[timesteps], 1 - abar[timesteps]))
        return (x[:, : truth.shape[1]] - alpha * truth) / sigma if prediction == "epsilon" else truth

    pipeline.unet.forward = knowing
    # DifFace's estimate is of other faces, so that the net alone can know them
    out = pipeline(faces if latent else faces.flip(0), steps=20, eta=0.0, batch_size=4, **options)
    found = out.latents if latent else out.images * 2 - 1
    left = (1 - pipeline.scheduler.final_alpha_cumprod).sqrt() if scheduler == "ddim" else 0  # where abar_0 is no 1
    assert (found - truth).square().mean().sqrt() < left + 1e-3


@each
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_walks_with_any_net(name, scheduler):
    pipeline = swap(PIPELINES[name](), scheduler)
    assert pipeline(faces_for(pipeline), steps=4).images.isfinite().all()


@each
def test_a_saved_pipeline_is_the_same(name, tmp_path):
    pipeline = PIPELINES[name]("sample")
    pipeline.save_pretrained(tmp_path)
    faces, people = faces_for(pipeline), people_for(pipeline)
    expected = pipeline(faces, references=people, steps=3, generator=seeded())
    loaded = load(name, str(tmp_path))
    assert (loaded.info.size, loaded.options, loaded.finisher) == (pipeline.size, pipeline.paper, None)
    for other in (type(pipeline).from_pretrained(tmp_path), loaded.pipeline):
        assert isinstance(other, type(pipeline)) and other.scheduler.config["prediction_type"] == "sample"
        for part, net in pipeline.components.items():
            if isinstance(net, torch.nn.Module):
                theirs = other.components[part].state_dict()
                assert all(torch.equal(tensor, theirs[key]) for key, tensor in net.state_dict().items())
        # the same weights elsewhere in memory: on some processors the last bits of a sum depend on that
        out = other(faces, references=people, steps=3, generator=seeded())
        torch.testing.assert_close(sampled(out), sampled(expected), rtol=1e-4, atol=1e-4)


@each
def test_bf16_stays_near_fp32(name):
    exact, fast = PIPELINES[name]("sample"), PIPELINES[name]("sample")
    for part in fast.components.values():
        if isinstance(part, torch.nn.Module):
            choose("cpu", "bf16").place(part)
    a, b = (one(faces_for(one), references=people_for(one), steps=3, generator=seeded()) for one in (exact, fast))
    assert all(part.dtype == torch.float32 for part in b.values())
    assert (sampled(b) - sampled(a)).square().mean().sqrt() < NEAR[name] * sampled(a).square().mean().sqrt()


@each
def test_a_ceiling_is_the_way_through_the_autoencoder(name):
    pipeline: FacePipeline = made(name)
    faces = faces_for(pipeline)
    ceilings = {called: through(faces) for called, through in pipeline.ceilings().items()}
    names = {"difface": [], "clrface": ["ceiling clrface"]}.get(name, ["ceiling"])
    assert list(ceilings) == names, "those that share an autoencoder share the name"
    for seen in ceilings.values():
        with torch.no_grad():
            wanted = (pipeline.vqgan.decode(pipeline.vqgan.encode(faces * 2 - 1).float()).float() / 2 + 0.5).clamp(0, 1)
        torch.testing.assert_close(seen, wanted)
