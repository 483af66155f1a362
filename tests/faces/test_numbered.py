import numpy as np

from limner.faces.find import Face
from limner.faces.numbered import YELLOW, numbered


def test_each_face_has_its_box_and_number():
    grey = np.full((200, 300, 3), 128, np.uint8)
    points = np.zeros((5, 2), np.float32)
    faces = [Face((20.0, 30.0, 120.0, 130.0), points, 1.0, 0), Face((-40.0, 150.0, 60.0, 250.0), points, 1.0, 1)]
    drawn = numbered(grey, faces)
    yellow = (drawn == YELLOW).all(axis=2)
    assert (grey == 128).all() and yellow[30, 20:121].all() and yellow[30:131, 120].all() and yellow[150, :61].all()
    assert yellow[32:60, 22:50].sum() > 10, "a number in the corner"
    assert yellow[152:180, 0:30].sum() > 10, "also where the corner lies beyond the edge"
    assert (drawn[:, 200:] == 128).all()
