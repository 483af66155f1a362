"""A pipeline called as diffusers' users call one, and saved and loaded as they save and load."""

import json
from dataclasses import asdict
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import LimnerError
from limner.methods import load
from limner.methods.schedules import swap
from limner.pixels import to_picture

from .tiny import PIPELINES, pictures, seeded

each = pytest.mark.parametrize("name", PIPELINES)
made = cache(lambda name: PIPELINES[name]())
"""A pipeline that no test changes."""


def suited(name):
    """A pipeline whose weights want other options than the paper's."""
    pipeline = PIPELINES[name]()
    start = {"start": 20} if name == "difface" else {}
    pipeline.register_to_config(defaults=asdict(pipeline.paper.but({"steps": 2, "eta": 0.25, **start})))
    return pipeline


@each
def test_the_defaults_are_saved_with_the_weights_and_hold_where_nothing_is_given(name, tmp_path):
    pipeline = suited(name)
    assert (pipeline.options.steps, pipeline.options.eta) == (2, 0.25) != (pipeline.paper.steps, pipeline.paper.eta)
    pipeline.save_pretrained(tmp_path)
    faces, told = pictures(1, 5, pipeline.size), []
    expected = pipeline(faces, generator=seeded()).images
    for loaded in (type(pipeline).from_pretrained(tmp_path), load(name, str(tmp_path)).pipeline):
        assert loaded.options == pipeline.options
        images = loaded(faces, generator=seeded(), progress=lambda *done: told.append(done)).images
        torch.testing.assert_close(images, expected, rtol=1e-4, atol=1e-4)
    assert {total for _, total in told} == {2} and load(name, str(tmp_path)).options == pipeline.options
    assert pipeline(faces, steps=3, progress=lambda *done: told.append(done)) and told[-1] == (3, 3)


@pytest.mark.slow
@each
def test_the_embedded_weights_are_saved_with_theirs(name, tmp_path):
    pipeline = load(name).pipeline
    pipeline.save_config(tmp_path)
    saved = json.loads((tmp_path / "model_index.json").read_text())["defaults"]
    assert pipeline.paper.but(saved) == pipeline.options != pipeline.paper


def test_defaults_that_cannot_be_are_told(tmp_path):
    pipeline = suited("difface")
    pipeline.save_pretrained(tmp_path)
    index = tmp_path / "model_index.json"
    good = json.loads(index.read_text())
    for defaults, told in (
        ({"steps": 0.5}, "difface takes 0 to 999 for steps, not 0.5."),
        ({"glow": 1}, "The method 'difface' has no option 'glow': it takes "),
    ):
        index.write_text(json.dumps(good | {"defaults": defaults}))
        with pytest.raises(LimnerError, match=told):
            _ = load("difface", str(tmp_path)).options
    for text, told in (
        (json.dumps(good | {"defaults": [1]}), r"model_index\.json is of another layout than a pipeline's"),
        ("[]", r"model_index\.json should hold one JSON object"),
    ):
        index.write_text(text)
        with pytest.raises(LimnerError, match=told):
            load("difface", str(tmp_path))


@each
def test_diffusers_names_mean_the_same(name):
    pipeline = made(name)
    faces = pictures(2, 5, pipeline.size)
    ours = pipeline.restore(faces, steps=3, generator=seeded(4))
    theirs = pipeline(image=faces, num_inference_steps=3, generator=seeded(4), guidance_scale=None)
    assert torch.equal(ours.images, theirs.images)
    listed = pipeline(faces, num_inference_steps=3, generator=[seeded(1), seeded(2)])
    assert torch.equal(listed.images, pipeline.restore(faces, steps=3, generator=[seeded(1), seeded(2)]).images)
    images, *_ = pipeline(faces, steps=3, generator=seeded(4), return_dict=False)
    assert torch.equal(images, ours.images)
    with pytest.raises(LimnerError, match="^steps is given twice, by limner's name and by diffusers': leave out one.$"):
        pipeline(faces, num_inference_steps=3, steps=2)
    with pytest.raises(LimnerError, match=f"The method '{name}' has no option 'prompt': it takes"):
        pipeline(faces, prompt="a face")


def test_noise_and_guidance_by_their_names():
    pipeline = made("refldm")
    faces, people = pictures(2, 5, pipeline.size), [pictures(2, 6, pipeline.size)] * 2
    noise = torch.randn(2, 4, 8, 8, generator=seeded())
    ours = pipeline.restore(faces, references=people, steps=2, guidance=3.0, noise=noise)
    theirs = pipeline(faces, references=people, num_inference_steps=2, guidance_scale=3.0, latents=noise)
    assert torch.equal(ours.images, theirs.images)


def test_pictures_of_every_kind_come_in_and_go_out():
    pipeline = made("difface")
    eight = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3), np.uint8)
    floats = eight.astype(np.float32) / 255
    tensor = torch.from_numpy(floats).permute(0, 3, 1, 2)
    wanted = pipeline.restore(tensor, steps=2).images
    both = [Image.fromarray(one) for one in eight]
    for given in (both, [*eight], eight, floats, [*floats], tensor, [*tensor], tensor.double()):
        out = pipeline(given, steps=2, output_type="pt").images
        torch.testing.assert_close(out, wanted, rtol=0, atol=1e-6)
    assert isinstance(pipeline(eight, steps=2).images, torch.Tensor)
    out = pipeline(both, steps=2).images
    assert [np.asarray(one).tolist() for one in out] == [to_picture(one).tolist() for one in wanted]
    assert len(pipeline(both[0].convert("RGBA"), steps=2).images) == 1
    out = pipeline(tensor, steps=2, output_type="np").images
    np.testing.assert_array_equal(out, wanted.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize(
    ("image", "given", "told"),
    [
        ([], {}, "one or several, all of one size"),
        ([Image.new("RGB", (8, 8)), Image.new("RGB", (9, 8))], {}, "one or several, all of one size"),
        (torch.full((1, 3, 32, 32), 255.0), {}, r"must lie in \[0, 1\]"),
        (torch.full((1, 3, 32, 32), -1.0), {}, r"must lie in \[0, 1\]"),
        (torch.full((1, 3, 32, 32), torch.nan), {}, r"must lie in \[0, 1\]"),
        (torch.zeros(1, 4, 32, 32), {}, "A face must be a picture of Pillow's"),
        (torch.zeros(3, 32, 32, dtype=torch.uint8), {}, "A face must be a picture of Pillow's"),
        (np.zeros((32, 32)), {}, "A face must be a picture of Pillow's"),
        ("anna.jpg", {}, "A face must be a picture of Pillow's"),
        (
            Image.new("I;16", (32, 32)),
            {},
            "A picture of mode I;16 has no plain 8-bit colours: convert it to RGB first.",
        ),
        (torch.zeros(1, 3, 32, 32), {"output_type": "latent"}, "no output type 'latent': choose pil, pt, np."),
        (
            torch.zeros(1, 3, 32, 32),
            {"callback_on_step_end": print, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]},
            "A callback can have the tensors latents, not prompt_embeds.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # what two processes call alike
)
def test_what_cannot_be_gets_one_sentence(image, given, told):
    with pytest.raises(LimnerError, match=told):
        made("difface")(image, **given)


@each
@pytest.mark.parametrize("scheduler", ["ddim", "dpmsolver++"])
def test_the_callback_sees_every_step_and_may_change_it(name, scheduler):
    pipeline = swap(PIPELINES[name](), scheduler)
    faces, seen = pictures(2, 5, pipeline.size), []

    def look(pipe, step, timestep, tensors):
        assert pipe is pipeline and list(tensors) == ["latents"] and tensors["latents"].shape[0] == 2
        seen.append((step, timestep))
        return tensors

    plain = pipeline(faces, steps=3, generator=seeded()).images
    watched = pipeline(faces, steps=3, generator=seeded(), callback_on_step_end=look).images
    assert torch.equal(plain, watched) and [step for step, _ in seen] == [0, 1, 2]
    assert seen == sorted(seen, key=lambda one: -one[1])

    def still(pipe, step, timestep, tensors):
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else {}

    first, second = (pipeline(faces, steps=3, generator=seeded(s), callback_on_step_end=still).images for s in (1, 2))
    torch.testing.assert_close(first, second)
    without = pipeline(
        faces, steps=1, callback_on_step_end=lambda *given: seen.append(given[3]), callback_on_step_end_tensor_inputs=[]
    )
    assert seen[-1] == {} and len(without.images) == 2
