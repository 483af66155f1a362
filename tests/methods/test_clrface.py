"""CLR-Face: what its guidance promises. There is no code of its authors to compare with."""

import itertools
import shutil
import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.degrade.degrade import degrade
from limner.errors import LimnerError, WeightsError
from limner.faces.align import crop, similarity
from limner.faces.find import find_faces
from limner.methods import load
from limner.methods.clrface import CLRFACE, CLRFacePipeline, PersonRead, guided_timesteps, mask_picture
from limner.methods.identity_guidance import IdentityGuidance
from limner.methods.options import CLRFaceOptions
from limner.methods.schedules import SCHEDULERS, swap
from limner.nets.guidance_mask import StaticMask
from limner.nets.unet import UNet
from limner.pixels import to_tensor


@pytest.fixture(scope="module")
def pipeline(tiny_clrface):
    return tiny_clrface()


@pytest.fixture(scope="module")
def crops():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def portrait_crop():
    """A public-domain portrait, spoiled: (1, 3, 256, 256)."""
    from skimage.data import astronaut

    photo = np.ascontiguousarray(astronaut()[:288, 72:360])
    face = crop(photo, similarity(find_faces(photo)[0].landmarks, 256), 256)
    return to_tensor(degrade(face, "ffhq-ref-severe", np.random.default_rng(0)))[None]


def distance(pipeline, pictures, wanted):
    return 1 - (pipeline.identity(pictures) * wanted).sum(dim=1)


@pytest.mark.parametrize("prediction", ["sample", "epsilon"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_with_the_mask_at_zero_it_is_plain_conditional_diffusion(tiny_clrface, crops, prediction, scheduler):
    pipeline = swap(tiny_clrface(prediction), scheduler)
    plain = pipeline(crops, steps=4, guidance=0)
    assert torch.equal(pipeline(crops, steps=4, guidance=0.5, mask="zero").latents, plain.latents)
    assert not torch.equal(pipeline(crops, steps=4, guidance=0.5, mask="one").latents, plain.latents)
    assert not torch.equal(pipeline(crops, steps=4, guidance=0.5).latents, plain.latents)
    assert plain.masks.abs().max() == 0
    assert plain.recovered is None and plain.on_the_way() == {}, "nobody asked for whom the IRN saw"


def test_more_guidance_is_more_like_whom_the_irn_saw(pipeline, crops):
    wanted = pipeline.identity(pipeline.recover(crops))
    far = [
        distance(pipeline, pipeline(crops, steps=10, guidance=scale, mask="one").images, wanted).mean()
        for scale in (0, 0.01, 0.02, 0.04, 0.08)
    ]
    assert all(more < less for less, more in itertools.pairwise(far))
    assert far[-1] < 0.7 * far[0]


def test_both_predictions_are_guided_by_the_same_shift(tiny_clrface, crops):
    """Of a U-Net that predicts the noise which leads to the same clean latent."""
    sampled = tiny_clrface("sample")
    noised = tiny_clrface("epsilon")
    clean = sampled.unet

    class Noise(UNet):
        def forward(self, x, timesteps):
            abar = noised.scheduler.alphas_cumprod[timesteps[0]]
            return (x[:, :3] - abar.sqrt() * clean(x, timesteps)) / (1 - abar).sqrt()

    noised.unet.__class__ = Noise
    options = {"steps": 4, "guidance": 0.1, "start": 400}
    assert torch.allclose(sampled(crops, **options).latents, noised(crops, **options).latents, atol=1e-3)


def exact(net):
    """The recogniser without its way into float32."""

    class Exact(nn.Module):
        def forward(self, crops):
            return F.normalize(net.embed(net.prepare(crops)), dim=1)

    return Exact()


def test_the_gradient_agrees_with_finite_differences(tiny_clrface):
    """In float64, at codes: the gradient passes the quantiser as if it weren't there."""
    parts = tiny_clrface()
    vqgan, identity = parts.vqgan.double(), exact(parts.identity.double())
    generator = torch.Generator().manual_seed(0)
    wanted = F.normalize(torch.randn(2, 16, generator=generator, dtype=torch.float64), dim=1)
    guide = IdentityGuidance(vqgan, identity, wanted, 1.0, lambda z0, t: torch.ones_like(z0))
    z0 = vqgan.codes(torch.randint(64, (2, 16, 16), generator=generator)).double() / vqgan.scale

    def unlike(z):
        picture = vqgan.decode(z, quantise=False) / 2 + 0.5
        return 1 - (identity(picture) * wanted).sum(dim=1)

    assert torch.allclose(guide.distance(z0), unlike(z0))
    direction = guide.direction(z0)
    assert direction.square().mean(dim=(1, 2, 3)).sqrt() == pytest.approx([1, 1])
    slopes = []
    for _ in range(6):
        way, step = torch.randn(z0.shape, generator=generator, dtype=torch.float64), 1e-7
        slope = (unlike(z0 + step * way) - unlike(z0 - step * way)) / (2 * step)
        slopes.append(slope / (way * direction).sum(dim=(1, 2, 3)))
    # direction is the gradient times one positive number for each face
    ratios = torch.stack(slopes)
    assert (ratios > 0).all()
    assert torch.allclose(ratios, ratios[:1].expand_as(ratios), rtol=1e-5)


def test_nothing_leaks_into_the_unet(pipeline, crops):
    seen = []
    hook = pipeline.unet.register_forward_pre_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    pipeline.unet.requires_grad_(True)
    out = pipeline(crops, steps=4, guidance=0.1, guide_below=1000)
    hook.remove()
    assert len(seen) == 4 and not any(seen)
    assert not out.latents.requires_grad
    nets = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    assert all(parameter.grad is None for net in nets for parameter in net.parameters())


def test_the_step_is_scaled_and_masked(pipeline):
    vqgan, identity = pipeline.vqgan, pipeline.identity
    wanted = F.normalize(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    half = torch.zeros(1, 3, 16, 16)
    half[..., :8] = 1
    guide = IdentityGuidance(vqgan, identity, wanted, 0.2, lambda z0, t: half)
    z0 = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    shift, mask = guide.shift(z0, torch.tensor([100]), torch.tensor(0.25))
    assert torch.equal(mask, half) and shift[..., 8:].abs().max() == 0
    assert torch.allclose(shift[..., :8], 0.2 * 0.5 * guide.direction(z0)[..., :8])


def test_which_steps_are_guided():
    times = torch.tensor([999, 799, 599, 399, 199])
    assert guided_timesteps(times, 600, 1) == {599, 399, 199}
    assert guided_timesteps(times, 600, 2) == {599, 199}
    assert guided_timesteps(times, 1000, 3) == {799, 199}
    assert guided_timesteps(times, 0, 1) == set()


def test_guidance_every_other_step_asks_the_recogniser_half_as_often(pipeline, crops):
    asked = []
    hook = pipeline.identity.register_forward_hook(lambda *_: asked.append(1))
    counts = []
    for every in (1, 2):
        asked.clear()
        pipeline(crops, steps=10, guidance=0.1, guide_every=every)
        counts.append(len(asked) - 1)  # once for whom the IRN saw
    hook.remove()
    assert counts == [6, 3]


def test_references_say_who_it_is(pipeline, crops):
    generator = torch.Generator().manual_seed(5)
    others = torch.rand(3, 3, 64, 64, generator=generator)
    vectors = pipeline.identity(others)
    person = pipeline.read(others)
    assert torch.allclose(person.wanted, F.normalize(vectors.mean(dim=0), dim=0), atol=1e-6)
    options = {"steps": 6, "guidance": 0.1, "mask": "one"}
    alone = pipeline(crops, **options)
    held = pipeline(crops, references=[person, None], **options)
    assert distance(pipeline, held.images[:1], person.wanted) < distance(pipeline, alone.images[:1], person.wanted)
    assert torch.equal(held.images[1], alone.images[1])
    assert torch.equal(pipeline(crops, references=[others, others[:0]], **options).images, held.images)


def test_no_steps_are_the_recovered_faces(pipeline, crops):
    out = pipeline(crops, steps=0)
    assert torch.equal(out.images, pipeline.recover(crops)) and torch.equal(out.images, out.recovered)


def test_entered_part_way_it_begins_with_the_degraded_latent(pipeline, crops):
    """At a timestep that is hardly noisy, hardly anything but z_d is seen."""
    seen = []
    hook = pipeline.unet.register_forward_pre_hook(lambda net, given: seen.append(given[0]))
    pipeline(crops, start=1, steps=1, guidance=0)
    pipeline(crops, steps=1, guidance=0)
    hook.remove()
    part_way, from_noise = seen
    assert (part_way[:, :3] - part_way[:, 3:]).abs().mean() < 0.05
    assert (from_noise[:, :3] - from_noise[:, 3:]).abs().mean() > 0.5


def test_a_face_does_not_depend_on_its_company(pipeline, crops):
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    together = pipeline(crops, steps=4, guidance=0.1, generator=generators)
    alone = pipeline(crops[1:], steps=4, guidance=0.1, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(together.images[1], alone.images[0], atol=1e-4)
    assert torch.allclose(together.recovered[1], alone.recovered[0], atol=1e-5)


def test_the_same_seed_gives_the_same_pixels(pipeline, crops):
    runs = [
        pipeline(crops, steps=4, guidance=0.1, eta=0.5, samples=2, generator=torch.Generator().manual_seed(7))
        for _ in range(2)
    ]
    assert torch.equal(runs[0].images, runs[1].images)
    assert not torch.equal(runs[0].images[0], runs[0].images[1])
    assert runs[0].recovered.shape[0] == 2 and runs[0].images.shape[0] == 4


def test_a_static_mask_is_the_same_for_all(tiny_clrface, crops):
    mask = StaticMask(3, 16)
    out = tiny_clrface(mask=mask)(crops, steps=4, guidance=0.1)
    assert torch.allclose(out.masks, torch.sigmoid(torch.tensor(-2.0)).expand_as(out.masks), atol=1e-5)
    picture = mask_picture(out.masks[0], 64)
    assert picture.shape == (3, 64, 64) and picture.std() < 1e-5


def test_a_saved_pipeline_is_the_same(pipeline, crops, tmp_path):
    pipeline.save_pretrained(tmp_path)
    again = CLRFacePipeline.from_pretrained(tmp_path)
    options = {"steps": 3, "guidance": 0.1}
    assert torch.equal(again(crops, **options).images, pipeline(crops, **options).images)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"eta": 2}, "clrface takes 0 to 1 for eta, not 2."),
        ({"guidance": -1}, "clrface takes 0 or more for guidance, not -1."),
        ({"mask": "half"}, "There is no mask 'half': choose learned, one or zero."),
        ({"guide_below": 1001}, "clrface takes 0 to 1000 for guide below, not 1001."),
        ({"guide_every": 0}, "clrface takes 1 or more for guide every, not 0."),
        ({"references": [None]}, "2 faces need 2 sets of references (empty ones too), not 1."),
        ({"steps": 1000}, "clrface takes 0 to 999 for steps, not 1000."),
        ({"start": 5, "steps": 9}, "9 steps from 5 on can't be made"),
    ],
)
def test_settings_out_of_range_are_refused(pipeline, crops, options, told):
    with pytest.raises(LimnerError) as error:
        pipeline(crops, **options)
    assert told in str(error.value)


def test_a_person_is_read_once_for_many_faces(pipeline):
    person = pipeline.read(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)), batch_size=1)
    assert isinstance(person, PersonRead) and person.wanted.norm() == pytest.approx(1)


def test_it_loads_from_a_folder(pipeline, crops, tmp_path):
    pipeline.save_pretrained(tmp_path)
    loaded = load("clrface", str(tmp_path))
    assert (loaded.info.size, loaded.options) == (64, CLRFaceOptions())
    assert loaded.finisher is None
    options = {"steps": 3, "guidance": 0.1}
    assert torch.equal(loaded.pipeline(crops, **options).images, pipeline(crops, **options).images)
    shutil.copytree(tmp_path / "unet", tmp_path / "mask", dirs_exist_ok=True)
    with pytest.raises(WeightsError, match="holds another net than a PredictedMask or StaticMask"):
        load("clrface", str(tmp_path))
    with pytest.raises(
        WeightsError,
        match="published no weights: give mini, a folder.",
    ):
        load("clrface", "official")


@pytest.mark.slow
def test_the_embedded_weights_load_and_their_guidance_reaches_the_recogniser(portrait_crop):
    loaded = load("clrface")
    assert (loaded.info.name, loaded.info.size, loaded.options) == ("mini", 256, CLRFACE.mini)
    pipeline = loaded.pipeline
    options = asdict(loaded.options)
    held, free = (loaded(portrait_crop, **options | {"guidance": s}).images for s in (options["guidance"], 0))
    wanted = pipeline.identity(pipeline.recover(portrait_crop))
    assert (distance(pipeline, held, wanted) < distance(pipeline, free, wanted)).all()


def test_large_faces_are_guided_in_little_memory_and_alike(tiny_clrface, pipeline, crops, monkeypatch):
    monkeypatch.setattr(sys.modules[CLRFacePipeline.__module__], "CHECKPOINTED_ABOVE", 32)
    careful = tiny_clrface()
    assert careful.vqgan.decoder.gradient_checkpointing and not pipeline.vqgan.decoder.gradient_checkpointing
    options = {"steps": 3, "guidance": 0.1}
    assert torch.equal(careful(crops, **options).images, pipeline(crops, **options).images)
