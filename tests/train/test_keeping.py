"""The losses of the cleaner and the fusion, the streams that they learn from, and the baselines."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import nn

from limner.data.faces import FaceSet
from limner.data.restorations import Restorations, Restored, detuned, join_frame
from limner.data.windows import Windows, photographs, window
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.clean import Cleaner
from limner.train.recipes.clean import SLIGHT, relative_error
from limner.train.recipes.fusion import FULLNESS, HARM, FusionLoss, coarse_error, distance
from limner.train.recipes.fusion import SLIGHT as FUSION_SLIGHT
from limner.train.recipes.fusion_baselines import TwoNumbers, by_agreement, two_numbers

FACE = np.ascontiguousarray(astronaut()[:256, 96:352])


def test_errors_count_in_parts_of_what_was_there_before():
    image = torch.rand(2, 3, 16, 16)
    lq = image + torch.tensor([2.0, 40.0])[:, None, None, None] / 255
    halved = lambda x: x - (x - image) / 2  # noqa: E731
    loss = relative_error(halved, {"lq": lq, "image": image}, torch.Generator())  # type: ignore[arg-type]
    assert loss == pytest.approx((1 / (2 + SLIGHT) + 20 / (40 + SLIGHT)) / 2, rel=1e-2)


def test_harm_counts_more_and_contrast_counts():
    truth = torch.rand(1, 3, 64, 64)
    photo = truth + 8 / 255
    # a shift of all pixels changes no octave's contrast
    better, worse = (distance(truth + n / 255, photo, truth) for n in (4, 12))
    assert better == pytest.approx(4 / (8 + FUSION_SLIGHT), rel=1e-2)
    # harm in the window, and in each of its squares
    assert worse == pytest.approx((12 + 2 * HARM * 4) / (8 + FUSION_SLIGHT), rel=1e-2)


def test_of_two_errors_of_one_size_the_one_that_keeps_the_contrast_is_better():
    truth = torch.rand(1, 3, 64, 64)
    centred = truth - truth.mean()
    shifted = float(centred.square().mean().sqrt()) / 2
    kept, faded = (distance(truth + delta, truth + 0.3, truth) for delta in (shifted, -centred / 2))
    assert faded > kept + 0.5 * FULLNESS * 10 / (0.3 * 255 + FUSION_SLIGHT)


class Copies(nn.Module):
    """Stands for a fusion: takes the restoration whole."""

    def forward(self, photo, clean, restored):
        return restored - clean, None


class Judged:
    """Stands for the projected terms: keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def judges(self, pictures):
        return len(pictures) > 0

    def __call__(self, made, truth, step, generator):
        self.shown.append((step, made, truth))
        return made.mean() * 0 + 5


def test_harm_in_a_few_squares_counts_though_grain_went():
    grain = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 12 / 255
    truth = torch.full((1, 3, 128, 128), 0.5)
    drawn_anew = truth.clone()
    drawn_anew[..., 32:64, 32:64] += 20 / 255
    photo = truth + grain
    assert coarse_error(drawn_anew, truth).max() > 10 > 5 > coarse_error(photo, truth).max()
    assert distance(drawn_anew, photo, truth) > 0.4 > distance(truth, photo, truth)


def test_a_faded_photographs_blur_counts_as_anothers():
    sharp = F.interpolate(
        torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), size=128, mode="bicubic"
    )
    blurred = F.avg_pool2d(sharp, 9, 1, 4)
    told, judged = [], []
    for contrast in (1.0, 0.4):
        photo, truth = (0.5 + contrast * (x - 0.5) for x in (blurred, sharp))
        batch = {"photo": photo, "clean": photo, "restored": photo + 0.2 * (truth - photo), "image": truth}
        judged.append(Judged())
        told.append(float(FusionLoss(judged[-1])(Copies(), batch, torch.Generator())) - 5)  # type: ignore[arg-type]
    assert told[1] == pytest.approx(told[0], rel=0.1)
    assert [len(one.shown) for one in judged] == [1, 1]


def test_only_windows_of_spoilt_photographs_are_judged_by_their_looks():
    truth = torch.rand(2, 3, 64, 64)
    photo = truth + torch.tensor([4.0, 30.0])[:, None, None, None] / 255
    batch = {"photo": photo, "clean": photo, "restored": (truth + 1 / 255), "image": truth}
    judged = Judged()
    loss = FusionLoss(judged)  # type: ignore[arg-type]
    told = loss(Copies(), batch, torch.Generator())  # type: ignore[arg-type]
    assert told == pytest.approx(float(distance(batch["restored"], photo, truth)) + 5)
    ((step, made, seen),) = judged.shown
    assert step == 0 and loss.step == 1
    torch.testing.assert_close(made, batch["restored"][1:] * 2 - 1)
    torch.testing.assert_close(seen, truth[1:] * 2 - 1)
    loss(Copies(), batch | {"photo": truth}, torch.Generator())  # type: ignore[arg-type]
    assert len(judged.shown) == 1


def test_windows_are_spoilt_alike_each_time_and_the_clean_one_is_of_the_photo():
    clean, spoilt = window(FACE, 128, np.random.default_rng(3))
    again = window(FACE, 128, np.random.default_rng(3))
    assert clean.shape == spoilt.shape == (128, 128, 3)
    np.testing.assert_array_equal(spoilt, again[1])
    distances = [psnr(*window(FACE, 128, np.random.default_rng(n))) for n in range(60)]
    assert any(np.isinf(distances)) and 20 < np.median(distances) < 45


def test_photographs_are_large_faces_and_all_others(collection):
    faces = FaceSet.open(collection / "faces", "val")
    files = photographs(faces, collection / "nofaces")
    assert 0 < len([f for f in files if f.parent.name == "faces"]) == sum(side >= 384 for side in faces.sides)
    assert sum(f.parent.name == "nofaces" for f in files) == 483
    stream = Windows(files[:4], 64, 0, window)
    assert torch.equal(stream[7]["lq"], Windows(files[:4], 64, 0, window)[7]["lq"])


@pytest.fixture(scope="module")
def stream(shared):
    made = Restorations(FaceSet.open(shared / "faces", "val").first(8), Cleaner(), 4, 256, 0)
    made.faces.sides = [512] * 8  # so that small faces stand in for large ones
    return made


def test_restorations_come_in_one_frame_and_are_made_once(stream):
    sample = stream[1]
    assert {name: tuple(picture.shape) for name, picture in sample.items()} == {
        name: (3, 256, 256) for name in ("photo", "clean", "restored", "image")
    }
    one = stream.made[1]
    assert one.restored.shape == (256, 256, 3) and one.photo.shape == one.truth.shape == one.cleaned.shape
    assert (stream.make(1).restored == one.restored).all()


@pytest.mark.slow
def test_a_sample_is_the_same_whatever_was_made_before(stream, monkeypatch):
    monkeypatch.setattr("limner.data.restorations.DETUNED", 1.0)
    monkeypatch.setattr("limner.data.restorations.detuned", lambda restored, wrong, generator: wrong)
    late = [stream[n] for n in range(8)]
    for n in (6, 5):
        fresh = Restorations(stream.faces, stream.cleaner, 4, 256, 0)
        assert all(torch.equal(picture, late[n][name]) for name, picture in fresh[n].items())


def test_detuned_restorations_are_worse():
    worse = [psnr(detuned(FACE, FACE[::-1], np.random.default_rng(n)), FACE) for n in range(30)]
    assert max(worse) < 60 and min(worse) < 15 and np.std(worse) > 3


def restorations(count: int) -> list[Restored]:
    """Blurred photographs of one face with better restorations, and noisy ones with worse."""
    made = []
    for n in range(count):
        generator = np.random.default_rng(n)
        if n % 2:
            photo, restored = cv2.GaussianBlur(FACE, (0, 0), 3 + n / 10), cv2.GaussianBlur(FACE, (0, 0), 1)
        else:
            photo = np.clip(FACE + generator.normal(0, 2 + n / 10, FACE.shape), 0, 255).astype(np.uint8)
            restored = cv2.GaussianBlur(FACE, (0, 0), 4)
        made.append(join_frame(photo, FACE, restored, photo))
    return made


def test_two_numbers_tell_noise_from_blur():
    blurred, noisy = (two_numbers(p) for p in (cv2.GaussianBlur(FACE, (0, 0), 3), FACE // 2 + 60))
    assert blurred[2] > noisy[2] + 0.5
    shaken = np.clip(FACE + np.random.default_rng(0).normal(0, 10, FACE.shape), 0, 255).astype(np.uint8)
    assert two_numbers(shaken)[1] > 2 * two_numbers(FACE)[1]


def test_the_baselines_take_the_better_of_the_two():
    made = restorations(12)
    fitted = TwoNumbers.fit(made)
    for one in made[:4]:
        best = max(psnr(one.photo, FACE), psnr(one.grown(), FACE))
        assert psnr(fitted.mix(one), FACE) > best - 1.5
    same = join_frame(FACE, FACE, FACE, FACE)
    np.testing.assert_array_equal(by_agreement(same), FACE)
