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
from limner.methods.schedules import SCHEDULERS, swap
from limner.nets.guidance_mask import StaticMask
from limner.nets.unet import UNet
from limner.pixels import to_tensor

from . import tiny


@pytest.fixture(scope="module")
def pipeline():
    return tiny.clrface()


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
def test_with_the_mask_at_zero_it_is_plain_conditional_diffusion(crops, prediction, scheduler):
    pipeline = swap(tiny.clrface(prediction), scheduler)
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


def test_both_predictions_are_guided_by_the_same_shift(crops):
    """Of a U-Net that predicts the noise which leads to the same clean latent."""
    sampled = tiny.clrface("sample")
    noised = tiny.clrface("epsilon")
    clean = sampled.unet

    class Noise(UNet):
        def forward(self, x, timesteps):
            abar = noised.scheduler.alphas_cumprod[timesteps[0]]
            return (x[:, :3] - abar.sqrt() * clean(x, timesteps)) / (1 - abar).sqrt()

    noised.unet.__class__ = Noise
    options = {"steps": 4, "guidance": 0.1, "start": 400}
    assert torch.allclose(sampled(crops, **options).latents, noised(crops, **options).latents, atol=1e-3)


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


def test_a_static_mask_is_the_same_for_all(crops):
    mask = StaticMask(3, 16)
    out = tiny.clrface(mask=mask)(crops, steps=4, guidance=0.1)
    assert torch.allclose(out.masks, torch.sigmoid(torch.tensor(-2.0)).expand_as(out.masks), atol=1e-5)
    picture = mask_picture(out.masks[0], 64)
    assert picture.shape == (3, 64, 64) and picture.std() < 1e-5


def test_a_person_is_read_once_for_many_faces(pipeline):
    person = pipeline.read(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)), batch_size=1)
    assert isinstance(person, PersonRead) and person.wanted.norm() == pytest.approx(1)


@pytest.mark.slow
def test_the_embedded_weights_load_and_their_guidance_reaches_the_recogniser(portrait_crop):
    loaded = load("clrface")
    assert (loaded.info.name, loaded.info.size, loaded.options) == ("mini", 256, CLRFACE.mini)
    pipeline = loaded.pipeline
    options = asdict(loaded.options)
    held, free = (loaded(portrait_crop, **options | {"guidance": s}).images for s in (options["guidance"], 0))
    wanted = pipeline.identity(pipeline.recover(portrait_crop))
    assert (distance(pipeline, held, wanted) < distance(pipeline, free, wanted)).all()


def test_large_faces_are_guided_in_little_memory_and_alike(pipeline, crops, monkeypatch):
    monkeypatch.setattr(sys.modules[CLRFacePipeline.__module__], "CHECKPOINTED_ABOVE", 32)
    careful = tiny.clrface()
    assert careful.vqgan.decoder.gradient_checkpointing and not pipeline.vqgan.decoder.gradient_checkpointing
    options = {"steps": 3, "guidance": 0.1}
    assert torch.equal(careful(crops, **options).images, pipeline(crops, **options).images)


def test_another_net_in_the_place_of_the_mask_is_refused(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path)
    shutil.copytree(tmp_path / "unet", tmp_path / "mask", dirs_exist_ok=True)
    with pytest.raises(WeightsError, match="holds another net than a PredictedMask or StaticMask"):
        load("clrface", str(tmp_path))


def test_the_steps_must_fit_below_the_start(pipeline, crops):
    with pytest.raises(LimnerError, match="9 steps from 5 on can't be made"):
        pipeline(crops, start=5, steps=9)
