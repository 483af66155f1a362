"""How far several results of a photo differ, and the note where they hardly do."""

import numpy as np
import torch

from limner.faces.references import Reference, References
from limner.faces.samples import HARDLY, difference, most_like, note_on_kept, note_on_samples
from limner.settings import Settings


def results(*values: int, dtype: type = np.uint8) -> list[np.ndarray]:
    """The first is all zero; the others differ from it in the upper half."""
    stack = np.zeros((len(values), 20, 10, 3), dtype)
    stack[:, :10] = np.array(values)[:, None, None, None]
    return list(stack)


FACE = np.zeros((20, 10), np.uint8)
FACE[:10] = 9


def test_the_difference_is_that_of_what_was_restored():
    assert difference(results(0, 2, 4), FACE) == 3
    assert abs(difference(results(0, 257 * 6, dtype=np.uint16), FACE) - 6) < 1e-4
    assert difference(results(9, 4), np.zeros_like(FACE)) == 0


def test_results_that_look_alike_are_told():
    told = note_on_samples(results(0, 2, 4), FACE, "--start 200")
    assert told == [
        "The 3 results differ by 3.0 of 255 in the faces, which is hardly to be seen: --start 200 makes them freer, "
        "and less true to the photo."
    ]
    assert note_on_samples(results(0, 0), FACE, "")[0].endswith("which is hardly to be seen.")


def test_others_are_not():
    assert note_on_samples(results(0, int(HARDLY + 1)), FACE, "") == []
    assert note_on_samples(results(0), FACE, "") == []
    assert note_on_samples(results(0, 0), np.zeros_like(FACE), "") == [], "nothing was restored"


def test_samples_most_like_the_person_come_first():
    rng = np.random.default_rng(0)
    person, other = (rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(2))
    between = (person // 2 + other // 2).astype(np.uint8)
    known = References([Reference("a", person)], torch.device("cpu"))
    samples = [one.astype(np.float32) / 255 for one in (other, between, person)]
    assert most_like(samples, known) == [2, 1, 0]
    assert most_like(samples, References([], torch.device("cpu"))) == [0, 1, 2], "nobody to be like"


def test_which_were_kept_is_told():
    settings = Settings(method="refldm", references=["a"], samples=8, keep=2)
    assert note_on_kept([[4, 0]], settings) == ["Of 8 samples those most like the person were kept: number 5, 1."]
    assert note_on_kept([[4, 0], [1, 2]], settings) == [
        "Of 8 samples those most like the person were kept: face by face number 5, 1; 2, 3."
    ]
    assert note_on_kept([], settings) == note_on_kept([[0]], Settings()) == []
