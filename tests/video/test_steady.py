"""What neighbouring frames agree on is averaged, and what they don't is left."""

import numpy as np
import torch

from limner.faces.join import Framed
from limner.faces.paste import Place
from limner.video import steady
from limner.video.steady import Moment, averaged, join, steadied

RANDOM = np.random.default_rng(0)


def picture(noise: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[:64, :64] / 64
    return (np.stack([x, y, 1 - x], -1) * 0.6 + 0.2 + noise * RANDOM.standard_normal((64, 64, 3))).astype(np.float32)


def test_noise_goes_where_all_agree():
    noisy = [picture(0.02) for _ in range(9)]
    mean = averaged(noisy[4], noisy, [1] * 9)
    assert np.abs(mean - picture()).mean() < 0.45 * np.abs(noisy[4] - picture()).mean()


def test_what_moves_is_not_smeared():
    still, moved = picture(), picture()
    moved[20:40, 20:40] = 0
    mean = averaged(moved, [still] * 4 + [moved] + [still] * 4, [1] * 9)
    assert np.abs(mean[25:35, 25:35]).max() < 0.06
    assert np.allclose(mean[:5, :5], still[:5, :5], atol=1e-3)


class Plain:
    """Stands where the joiner is: it takes of the restoration what the shares say."""

    def taken(self, framed, restored, shares):
        share = shares[0].numpy()[0, 0]
        return share[..., None] * (restored - framed.clean_picture), share


def moments(count: int, share=lambda number: 0.5) -> dict[int, Moment]:
    matrix, made = np.array([[1.0, 0, 0], [0, 1, 0]]), {}
    place = Place.of(matrix, 64, 64, 64)
    assert place is not None
    for number in range(count):
        seen = picture(0.03)
        tensor = torch.from_numpy(seen.transpose(2, 0, 1))[None]
        shares = [torch.full((1, 2, 64, 64), float(share(number)))]
        made[number] = Moment(seen, place, Framed(seen, tensor, tensor), picture(0.03), shares)
    return made


def test_shares_are_smoothed_in_time():
    made = moments(9, share=lambda number: number % 2)
    for number in made:
        join(Plain(), made, number)
    taken = [float(one.origin.mean()) for one in made.values()]
    assert np.abs(np.diff(taken[2:-2])).max() < 0.3


def test_a_steadied_face_flickers_less_and_lies_nearer():
    made = moments(13)
    for number in made:
        join(Plain(), made, number)
    steadied_ones = [steadied(made, number).pictures[0] for number in range(5, 8)]
    alone = [made[number].joined for number in range(5, 8)]
    assert np.abs(np.diff(steadied_ones, axis=0)).mean() < 0.4 * np.abs(np.diff(alone, axis=0)).mean()
    assert np.abs(steadied_ones[1] - picture()).mean() < 0.7 * np.abs(alone[1] - picture()).mean()


def test_a_face_that_is_hardly_there_is_hardly_changed():
    made = moments(3)
    for number in made:
        made[number].presence = 0.0
        join(Plain(), made, number)
    result = steadied(made, 1)
    assert np.array_equal(result.pictures[0], np.clip(made[1].part, 0, 1)) and not result.invented.any()


def test_the_frames_that_decide_are_counted():
    assert steady.WITHIN == steady.SHARES_WITHIN + steady.PICTURES_WITHIN
