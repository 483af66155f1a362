"""The finish, and how a loaded method lays it over its restorations."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.data import astronaut

from limner import Restorer, Settings
from limner.errors import LimnerError
from limner.evaluate.metrics.detail import laplacian_variance
from limner.methods import load
from limner.methods.difface import refine
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.options import DifFaceOptions
from limner.methods.schedules import ldbfr_schedule
from limner.pixels import to_picture, to_tensor
from limner.weights.load import WeightsInfo


@pytest.fixture(scope="module")
def ldbfr():
    return load("ldbfr")


@pytest.fixture(scope="module")
def face():
    return to_tensor(astronaut()[:256, 96:352].copy())[None]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def entered(estimate):
    """Noise, options and generators of the finish over one estimate."""
    noise = torch.randn(estimate.shape[1:], generator=(generator := seeded()))[None]
    return noise, DifFaceOptions(start=20, steps=2, eta=0.5), [generator]


@pytest.mark.slow
def test_it_is_difface_s_chain_over_another_estimate(ldbfr, face):
    bare, finished = (ldbfr(face, steps=0, finish=steps, generator=seeded()).images for steps in (0, 2))
    assert torch.equal(bare, ldbfr.pipeline(face, steps=0, generator=seeded()).images)
    difface = load("difface").pipeline
    with torch.no_grad():
        wanted = refine(difface.unet, difface.scheduler, bare, *entered(bare))
    torch.testing.assert_close(finished, wanted)


def test_it_sharpens_what_is_soft_and_keeps_the_face(face):
    difface, soft = load("difface").pipeline, F.avg_pool2d(face, 5, 1, 2, count_include_pad=False)
    with torch.no_grad():
        finished = refine(difface.unet, difface.scheduler, soft, *entered(soft))
    assert laplacian_variance(to_picture(finished[0])) > 1.5 * laplacian_variance(to_picture(soft[0]))
    assert (finished - soft).square().mean() < 0.002


@pytest.mark.slow
def test_each_face_and_sample_has_its_own_noise_whatever_shares_its_batch(ldbfr, face):
    seeds = [seeded(n) for n in range(4)]
    other = face.flip(-1)
    both = ldbfr(torch.cat([face, other]), steps=0, finish=2, samples=2, generator=seeds, batch_size=3).images
    for number, crop in enumerate((face, face, other, other)):
        alone = ldbfr(crop, steps=0, finish=2, generator=seeded(number)).images
        assert (both[number] - alone[0]).abs().max() < 1e-5
    assert (both[2] - both[3]).abs().max() > 0.01


def test_crops_of_another_size_keep_it(ldbfr, face):
    assert ldbfr(face[..., :200], steps=0, finish=1, generator=seeded()).images.shape == (1, 3, 256, 200)


@pytest.mark.slow
def test_progress_goes_on_to_the_end(ldbfr, face):
    told = []
    faces = face.repeat(3, 1, 1, 1)
    ldbfr(faces, steps=0, finish=2, batch_size=2, progress=lambda done, total: told.append((done, total)))
    done, total = told[-1]
    assert done == total and told == sorted(told) and {total for _, total in told} == {total}


@pytest.mark.parametrize("steps", [-1, 21])
def test_steps_out_of_range(ldbfr, face, steps):
    with pytest.raises(LimnerError, match=f"The finish takes 0 to 20 steps, not {steps}."):
        ldbfr(face, steps=0, finish=steps)
    with pytest.raises(LimnerError, match=f"takes 0 .* not {steps}."):
        Restorer(Settings(method="ldbfr", finish=steps))  # before any photograph is looked at


def test_weights_without_a_finish(face, tiny_ldbfr):
    nets = tiny_ldbfr
    pipeline = LDBFRPipeline(nets.stage_a, nets.unet, nets.injection, nets.vqgan, ldbfr_schedule())
    bare = LoadedMethod(pipeline, WeightsInfo("my/folder", "none", "here", 64))
    with pytest.raises(LimnerError, match="The weights my/folder have no finish: leave it out, or give 0."):
        bare(face, steps=0, finish=2)


@pytest.mark.parametrize("method", ["refldm", "ldbfr", "clrface"])
@pytest.mark.slow
def test_a_restorer_finishes_unless_told_not_to(method, face):
    restorers = [Restorer(Settings(method=method, threads=1, **wish)) for wish in ({}, {"finish": 0})]
    crop = to_picture(face[0])
    finished, bare = (one.restore_crops([crop], [0])[0].samples[0] for one in restorers)
    assert not np.array_equal(finished, bare)
    prior = restorers[0].method.finisher
    assert prior is not None and any(net is prior.prior for net in restorers[0].method.nets)


def test_a_method_that_has_none_takes_0():
    assert Restorer(Settings(finish=0)).finish == 0
