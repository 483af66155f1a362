"""DifFace on faces with holes against outputs of the authors' code (`../shared/golden/difface`); what is its own."""

import pytest
import torch
from safetensors.torch import load_file

from limner.errors import LimnerError
from limner.methods.difface_inpainting import DIFFACE_INPAINTING, DifFaceInpaintPipeline, guided, touched
from limner.methods.loaded import load_method
from limner.methods.options import DifFaceInpaintOptions
from limner.methods.pipeline import Batch
from limner.methods.schedules import difface_schedule, swap
from limner.nets.hole_estimator import HoleEstimator
from limner.nets.lama import LaMa
from limner.weights import convert
from limner.weights.formats import adm, lama

from ..golden.on_device import assert_golden, placed
from . import tiny

IMAGE_TOLERANCE = 1e-4  # absolute, on images in [0, 1], as the golden README suggests
CASES = [(0.0, 0.25), (0.0, 0.5), (1.0, 0.5)]  # eta and gamma


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden/difface/tiny_io_inpainting.safetensors")


@pytest.fixture(scope="module")
def pipeline(shared, golden):
    folder, side = shared / "golden/difface", golden["in.y0_masked"].shape[-1]
    unet = adm.load(folder / "tiny_unet.safetensors", head_channels=16)
    unet.register_to_config(sample_size=side)
    return DifFaceInpaintPipeline(lama.load(folder / "tiny_lama.safetensors", side), unet, difface_schedule()).to("cpu")


def seeded(golden, eta, guidance) -> torch.Generator:
    return torch.Generator().manual_seed(int(golden[f"inpaint.ddim10.s4.eta{eta}.g{guidance}.seed"]))


def small(estimator=None) -> DifFaceInpaintPipeline:
    """For faces of 32 px."""
    torch.manual_seed(0)
    estimator = estimator or HoleEstimator(32, (32, 32), (1, 1))
    return DifFaceInpaintPipeline(estimator.eval(), tiny.difface().unet, difface_schedule())


def holes(count: int, height: int = 32, width: int | None = None) -> torch.Tensor:
    masks = torch.zeros(count, 1, height, width or height)
    masks[..., 4:17, 8:20] = 1
    return masks


@pytest.mark.parametrize(("eta", "guidance"), CASES)
def test_golden_runs(golden, pipeline, compute, eta, guidance):
    """The chain's own picture, and with what is known laid over it."""
    face, mask, case = golden["in.y0_masked"], golden["inpaint.mask"], f"inpaint.ddim10.s4.eta{eta}.g{guidance}"
    moved = placed(pipeline, compute)
    how = {"start": 400, "steps": 4, "eta": eta, "guidance": guidance}
    out = moved(face, masks=mask, generator=seeded(golden, eta, guidance), **how)
    assert_golden(out.images, golden[f"{case}.mask_back"], compute, atol=IMAGE_TOLERANCE)
    generator = seeded(golden, eta, guidance)
    batch = Batch(torch.cat([face, mask], dim=1), [], [generator], lambda done: None, 1)
    with torch.no_grad():
        sample = moved.sample(batch, DifFaceInpaintOptions(**how)).images.cpu()
    assert_golden(sample, golden[f"{case}.sample"], compute, atol=IMAGE_TOLERANCE)


def test_the_masks_are_the_authors_black_pixels(golden):
    black = golden["in.y0_masked"].sum(dim=1, keepdim=True) == 0
    torch.testing.assert_close(black.float(), golden["inpaint.mask"], rtol=0, atol=0)


def test_no_steps_give_the_estimate(golden, pipeline):
    face, mask = golden["in.y0_masked"], golden["inpaint.mask"]
    filled = pipeline(face, masks=mask, steps=0).images
    torch.testing.assert_close(filled, golden["lama.out"] * mask + face * (1 - mask), rtol=0, atol=1e-5)


def test_the_papers_options():
    options = DifFaceInpaintPipeline.paper
    assert (options.start, options.steps, options.eta, options.guidance, options.updates) == (480, 120, 1.0, 0.5, 1)


def test_guidance_is_the_gradient_of_the_known_pixels_error():
    x0, known = tiny.pictures(1, 3) * 2 - 1, tiny.pictures(1, 4) * 2 - 1
    mask = holes(1)
    asked = x0.clone().requires_grad_()
    ((asked - known).square() * (1 - mask)).sum().backward()
    stepped = (x0 - 0.1 * asked.grad).clamp(-1, 1)
    torch.testing.assert_close(guided(x0, known, mask, 0.1), stepped)
    held = guided(x0, known, mask, 0.5)
    torch.testing.assert_close(held, torch.where(mask > 0, x0, known))
    assert torch.equal(guided(x0, known, mask, 0), x0)


def test_two_updates_are_two_steps():
    """With gamma 0.25 each halves what is left of the error, so that two leave a quarter."""
    x0, known, mask = tiny.pictures(1, 3) * 2 - 1, tiny.pictures(1, 4) * 2 - 1, holes(1)
    twice = guided(guided(x0, known, mask, 0.25), known, mask, 0.25)
    assert torch.equal(guided(x0, known, mask, 0.25, 2), twice)
    torch.testing.assert_close(twice - known, torch.where(mask > 0, 1.0, 0.25) * (x0 - known))


def test_two_updates_in_a_run(golden, pipeline):
    """By hand: two updates with gamma 0.25 take the known pixels three quarters of the way, as one with 0.375 does."""
    face, mask = golden["in.y0_masked"], golden["inpaint.mask"]

    def run(**how):
        generator = seeded(golden, 1.0, 0.5)
        return pipeline(face, masks=mask, start=400, steps=4, generator=generator, **how).images

    torch.testing.assert_close(run(guidance=0.25, updates=2), run(guidance=0.375), rtol=0, atol=1e-5)
    assert (run(guidance=0.25, updates=2) - run(guidance=0.25)).abs().max() > 1e-3


@pytest.mark.parametrize(("height", "width"), [(32, 32), (45, 27), (100, 116)])
def test_known_pixels_stay_bit_for_bit_at_any_size(height, width):
    faces, masks = tiny.pictures(2, 5, height, width), holes(2, height, width)
    out = small()(faces, masks=masks, steps=2, samples=2, start=20)
    assert out.images.shape == (4, 3, height, width) and out.estimates.shape == faces.shape
    known = (masks == 0).expand_as(faces).repeat_interleave(2, dim=0)
    assert torch.equal(out.images[known], faces.repeat_interleave(2, dim=0)[known])
    assert not torch.equal(out.images, faces.repeat_interleave(2, dim=0))


@pytest.mark.parametrize("estimator", [None, LaMa(32, 8, 2, 1)])
@pytest.mark.parametrize("side", [32, 40])
def test_what_lies_in_a_hole_plays_no_part(estimator, side):
    faces, masks, pipeline = tiny.pictures(1, 5, side), holes(1, side), small(estimator)
    both = [
        pipeline(lit, masks=masks, steps=2, start=20).images
        for lit in (faces * (1 - masks), faces * (1 - masks) + masks)
    ]
    if side == 32:
        assert torch.equal(*(torch.where(masks > 0, one, 0) for one in both))
    else:  # resizing mixes a hole's edge into what is near, which then counts as a hole too
        inside = masks.expand_as(faces) > 0
        torch.testing.assert_close(both[0][inside], both[1][inside], rtol=0, atol=1e-3)


def test_a_prior_with_a_spectrum_ends_no_farther_from_the_estimate_than_the_noise_could_hide():
    faces, masks, off = tiny.pictures(1, 5), holes(1), {}
    for start, gains in ((10, [1.0]), (400, [1.0]), (10, [])):
        pipeline = small()
        pipeline.unet.register_to_config(spectrum=gains)
        out = pipeline(faces, masks=masks, steps=1, start=start, generator=torch.Generator().manual_seed(1))
        off[start, *gains] = (out.images - out.estimates)[masks.expand_as(faces) > 0].abs().max()
    assert off[10, 1.0] < 0.05 < off[400, 1.0]  # twice the deviation at timestep 10 is 0.047 of full scale
    assert off[(10,)] > 0.05


def test_a_resized_hole_covers_all_that_it_touches():
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 31, 31] = 1
    assert touched(mask, 32).sum() > 1
    assert torch.equal(touched(mask, 64), mask)


def test_bad_masks_are_refused():
    faces, pipeline = tiny.pictures(2, 5), small()
    for masks in (None, holes(1), holes(2, 31), 0.5 * holes(2)):
        with pytest.raises(
            LimnerError, match=r"need masks \(B, 1, H, W\) of their own size, 1 in holes and 0 elsewhere"
        ):
            pipeline(faces, masks=masks, steps=1)


def test_solvers_without_an_x0_are_refused():
    with pytest.raises(LimnerError, match="with the scheduler ddim alone"):
        swap(small(), "unipc")(tiny.pictures(1, 5), masks=holes(1), steps=2, start=20)


def test_converted_files_of_the_authors_load(shared, golden, tmp_path):
    folder = shared / "golden/difface"
    convert(folder / "tiny_lama.safetensors", tmp_path / "estimator")
    pipeline = small(lama.load(folder / "tiny_lama.safetensors", 32))
    pipeline.unet.save_pretrained(tmp_path / "unet")
    loaded = load_method(DIFFACE_INPAINTING, str(tmp_path))
    assert isinstance(loaded.pipeline, DifFaceInpaintPipeline) and loaded.options.start == 480
    faces, masks = tiny.pictures(1, 5), holes(1)
    filled = loaded(faces, masks=masks, steps=2, start=20)
    assert torch.equal(filled.images, pipeline(faces, masks=masks, steps=2, start=20, generator=None).images)
