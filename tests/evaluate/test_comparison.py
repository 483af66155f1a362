"""Faces beside their truths: who resembles whom, told by a recogniser of colours."""

import numpy as np
from torch import nn

from limner.evaluate.comparison import Gallery

RED, GREEN, BLUE = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


def face(colour):
    return np.full((8, 8, 3), colour, np.uint8)


def colour(crops):
    return nn.functional.normalize(crops.mean(dim=(2, 3)) - 0.3, dim=1)


def test_each_face_is_held_to_its_own_truth_and_looked_for_among_all():
    gallery = Gallery([face(RED), face(GREEN), face(BLUE)], {"colour": colour})
    inputs = [face(BLUE)] * 3
    seen = gallery.compare([face(RED), face(BLUE), face(BLUE)], inputs)
    likeness = seen.likeness["colour"]
    assert likeness.own.round(6)[[0, 2]].tolist() == [1, 1] and likeness.own[1] < 0
    assert likeness.nearest.tolist() == [True, False, True]
    assert seen.inputs is inputs and len(seen.truths) == 3


def test_some_of_the_gallery_with_others_left_out():
    gallery = Gallery([face(RED), face(GREEN), face(RED)], {"colour": colour})
    pictures = [face(RED)]
    assert gallery.compare(pictures, pictures, [2]).likeness["colour"].nearest.tolist() == [False]  # the first of two
    seen = gallery.compare(pictures, pictures, [2], [[0]])
    assert seen.likeness["colour"].nearest.tolist() == [True] and (seen.truths[0] == face(RED)).all()
