"""What a GPU must hold to, beside the golden outputs of `tests/methods`; where the processor can be asked the same, it
is."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner import Photo, Restorer, Settings
from limner.device import Compute, choose
from limner.methods import METHODS

from .golden.on_device import placed
from .methods.tiny import PIPELINES, pictures, seeded


@pytest.fixture(scope="module")
def portrait() -> Photo:
    return Photo(np.ascontiguousarray(astronaut()[:300, 80:380]), "PNG")


def settings(method: str, compute: Compute) -> Settings:
    return Settings(method=method, device=compute.device.type, dtype=compute.precision, threads=1)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_same_seed_gives_the_same_pixels(name, compute):
    pipeline = placed(PIPELINES[name](), compute)
    faces = pictures(2, 5, pipeline.size)
    first, again = (pipeline(faces, steps=3, generator=seeded()).images for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, pipeline(faces, steps=3, generator=seeded(2)).images)


@pytest.mark.cuda
@pytest.mark.parametrize("name", PIPELINES)
def test_in_fp32_it_gives_what_the_processor_gives(name):
    """The noise is the processor's everywhere; only sums are rounded otherwise."""
    pipeline = PIPELINES[name]()
    faces = pictures(2, 5, pipeline.size)
    expected = pipeline(faces, steps=3, generator=seeded())
    found = placed(pipeline, choose("cuda", "fp32"))(faces, steps=3, generator=seeded())
    for part in expected:
        torch.testing.assert_close(found[part], expected[part], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_whole_photograph(method, compute, portrait):
    restorer = Restorer(settings(method, compute))
    first, again = (restorer.restore(portrait) for _ in range(2))
    pixels = first.photos[0].pixels
    assert len(first.faces) == 1 and not np.array_equal(pixels, portrait.pixels)
    assert np.array_equal(pixels, again.photos[0].pixels)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
@pytest.mark.parametrize("method", METHODS)
def test_peak_memory_does_not_grow_over_runs(method, dtype, portrait):
    restorer = Restorer(settings(method, choose("cuda", dtype)))
    peaks = []
    for _ in range(6):
        torch.cuda.reset_peak_memory_stats()
        restorer.restore(portrait)
        peaks.append(torch.cuda.max_memory_allocated())
    assert max(peaks[1:]) <= 1.01 * peaks[0]
