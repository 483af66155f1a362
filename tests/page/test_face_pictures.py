"""Pictures of the album's faces: read from their photographs, kept in memory, gone with the face."""

import io

import numpy as np
import pytest
from PIL import Image

from limner.album.people import forget_person
from limner.errors import LimnerError
from limner.page import face_pictures
from limner.page.face_pictures import SIDE, FacePictures


def test_a_face_is_drawn_once_and_gone_when_it_is_forgotten(known, monkeypatch):
    drawn, made = FacePictures(most=2), []
    draw = face_pictures.face_picture
    monkeypatch.setattr(face_pictures, "face_picture", lambda *given: made.append(given) or draw(*given))
    first, second, third, *_ = known.faces()
    picture = Image.open(io.BytesIO(drawn.of(first.id)))
    assert picture.format == "JPEG" and picture.size == (SIDE, SIDE) and np.asarray(picture).std() > 10
    assert drawn.of(first.id) == drawn.of(first.id) and len(made) == 1
    drawn.of(second.id), drawn.of(third.id), drawn.of(first.id)
    assert len(made) == 4, "the first had to make room"
    forget_person(known, first.person or 0)
    with pytest.raises(LimnerError, match="^There is no such face.$"):
        drawn.of(first.id)
