"""How far several results of a photo differ, and the note where they hardly do."""

import numpy as np

from limner.faces.samples import HARDLY, difference, note_on_samples


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
