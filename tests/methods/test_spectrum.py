"""The spectrum of restored faces: a lattice goes, a gain counts where it should, and all else stays."""

import pytest
import torch

from limner.evaluate.metrics.lattice import lattice
from limner.methods.difface import DIFFACE, refine
from limner.methods.loaded import load_method
from limner.methods.options import DifFaceOptions
from limner.methods.spectrum import STEP, evened, frequencies, gain_of
from limner.pixels import to_picture

ALIKE = [1.0] * 24


def noise(*shape: int) -> torch.Tensor:
    """Grey noise around a half, the same in every run."""
    batch, channels, *size = shape
    grey = torch.randn(batch, 1, *size, generator=torch.Generator().manual_seed(3))
    return 0.5 + 0.04 * grey.repeat(1, channels, 1, 1)


def barred(pictures: torch.Tensor) -> torch.Tensor:
    """With a lattice: one column and one row in four, of changing strength along them."""
    pictures, generator = pictures.clone(), torch.Generator().manual_seed(5)
    height, width = pictures.shape[-2:]
    pictures[..., ::4] += 0.03 * torch.randn(height, 1, generator=generator)
    pictures[..., ::4, :] += 0.03 * torch.randn(width, generator=generator)
    return pictures


@pytest.mark.parametrize("shape", [(256, 256), (192, 128)])
def test_a_lattice_is_taken_off(shape):
    clean = noise(1, 3, *shape)
    before, after = barred(clean), evened(barred(clean), ALIKE)
    assert after.dtype == torch.float32 and after.shape == clean.shape
    assert lattice(to_picture(before[0]))[0] > 3 > 1.5 > lattice(to_picture(after[0]))[0] > 0.9
    assert (after - clean).std() < 0.8 * (before - clean).std(), "what isn't periodic of it can't be told"


def test_what_every_block_repeats_is_taken_off_too():
    blocks = 0.02 * torch.randn(4, 4, generator=torch.Generator().manual_seed(9))
    clean = noise(1, 3, 256, 256)
    after = evened(clean + (blocks - blocks.mean()).repeat(64, 64), ALIKE)
    left = (after - evened(clean, ALIKE))[0, 0].reshape(64, 4, 64, 4).mean(dim=(0, 2))
    assert left.std() < 0.2 * blocks.std()


def test_a_picture_without_a_lattice_hardly_changes():
    picture = noise(1, 3, 256, 256)
    assert (evened(picture, ALIKE) - picture).square().mean().sqrt() < 0.1 * 0.04
    flat = torch.full((1, 3, 64, 64), 0.25)
    torch.testing.assert_close(evened(flat, ALIKE), flat)


def test_where_there_is_no_lattice_its_lines_are_as_strong_as_others_still():
    pictures = 0.5 + 0.04 * torch.randn(24, 3, 128, 128, generator=torch.Generator().manual_seed(6))
    lines = [[lattice(to_picture(one))[0] for one in some] for some in (pictures, evened(pictures, ALIKE))]
    before, after = (sum(one) / len(one) for one in lines)
    assert 0.95 * before < after < 1.02 * before


def test_each_frequency_has_its_gain_and_the_light_stays():
    gains = [1.0] * 8 + [0.5] * 16
    gain, place = gain_of(128, 128, gains), frequencies(128, 128) / STEP
    assert (gain[place <= 7] == 1).all() and (gain[place >= 8] == 0.5).all()
    assert gain[(place > 7) & (place < 8)].min() > 0.5
    picture = noise(1, 3, 128, 128)
    power, was = (torch.fft.fft2(one[0, 0]).abs().square() for one in (evened(picture, gains), evened(picture, ALIKE)))
    assert (power / was)[place >= 8].median() == pytest.approx(0.25, rel=0.01)
    assert (power / was)[(place > 0) & (place <= 7)].median() == pytest.approx(1, rel=0.01)
    assert power[0, 0] == pytest.approx(float(was[0, 0]))


def test_faces_of_a_batch_know_nothing_of_each_other():
    some = torch.cat([barred(noise(1, 3, 64, 64)), noise(1, 3, 64, 64).flip(-1)])
    both = evened(some, ALIKE[:2] + [0.8] * 22)
    alone = torch.cat([evened(one[None], ALIKE[:2] + [0.8] * 22) for one in some])
    torch.testing.assert_close(both, alone)
    assert both.min() >= 0 and both.max() <= 1


@pytest.mark.slow
def test_the_embedded_prior_has_gains_and_one_without_is_left_alone():
    method = load_method(DIFFACE)
    prior, scheduler = method.pipeline.components["unet"], method.pipeline.components["scheduler"]
    own = prior.config["spectrum"]
    assert len(own) == 24 and own[:2] == [1, 1]
    estimate, drawn = noise(1, 3, 256, 256), torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(4))

    def refined() -> torch.Tensor:
        with torch.no_grad():
            generator = [torch.Generator().manual_seed(1)]
            return refine(prior, scheduler, estimate, drawn, DifFaceOptions(start=20, steps=1), generator)

    with_gains = refined()
    prior.register_to_config(spectrum=[])
    bare = refined()
    assert not torch.equal(with_gains, bare)
    torch.testing.assert_close(with_gains, evened(bare, own))
