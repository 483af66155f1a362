"""Addresses of pictures: those of the session's folder alone, and results by their names."""

import zipfile
from io import BytesIO

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from limner.album.people import people
from limner.page.album import Access
from limner.page.marks import Stroke
from limner.page.pictures import add_pictures, address_of, address_of_faces, zipped
from limner.page.routes import add_routes
from limner.page.service import Service
from limner.page.session import OnePhoto, Result, Sessions
from limner.restoration import Restoration
from limner.settings import Settings


@pytest.fixture
def sessions():
    service = Service.open()
    yield Sessions(service)
    service.close()


def restored(sessions: Sessions, name: str = "anna_restored.jpg") -> OnePhoto:
    session = sessions.of("one")
    folder = session.folder / f"{len(session.photos)}"
    (folder / "result").mkdir(parents=True)
    (folder / "before.jpg").write_bytes(b"before")
    file = folder / "result" / name
    file.write_bytes(b"result")
    done = Restoration([], [], None, 1, np.zeros((0, 0), np.uint8))
    one = OnePhoto(folder / "photo" / "anna.jpg", folder, result=Result(file, done, Settings(), [], []))
    session.photos.append(one)
    return one


def test_pictures_and_results_are_served_to_whom_knows_where(sessions):
    app = FastAPI()
    add_routes(app, sessions.service)
    add_pictures(app, sessions, Access())
    client, one = TestClient(app), restored(sessions)
    address = address_of(sessions.of("one"), one)
    assert "anna" not in address
    assert client.get(f"/{address}/before").content == b"before"
    answer = client.get(f"/{address}/result")
    assert answer.content == b"result" and 'filename="anna_restored.jpg"' in answer.headers["content-disposition"]
    for wrong in (f"{address}/after", f"{address}/passwd", f"{address[:-1]}7/before", f"{address[:-1]}-1/before"):
        assert client.get(f"/{wrong}").json() == {"error": "There is no such picture."}
    assert client.get("/photos/unknown/0/before").json()["error"].startswith("These photos are here no longer")
    assert client.get(f"/{address.rsplit('/', 1)[0]}/all.zip").status_code == 200


def test_a_mask_is_served_in_the_photos_size_and_what_it_marks_in_that_of_the_page(sessions):
    app, one = FastAPI(), restored(sessions)
    add_routes(app, sessions.service)
    add_pictures(app, sessions, Access())
    client, address = TestClient(app), address_of(sessions.of("one"), one)
    one.size = (3200, 2000)
    for what in ("mask", "marks"):
        assert client.get(f"/{address}/{what}").json() == {"error": "There is no such picture."}
    one.marks.add(Stroke(np.array([[0.5, 0.5]]), 0.1, False, 0))
    mask = Image.open(BytesIO(client.get(f"/{address}/mask").content))
    assert mask.format == "PNG" and mask.mode == "L"
    np.testing.assert_array_equal(np.asarray(mask), one.marks.mask(one.size))
    marks = Image.open(BytesIO(client.get(f"/{address}/marks").content))
    assert marks.size == (1600, 1000) and marks.getpixel((800, 500)) == (224, 0, 0, 255)
    assert marks.getpixel((0, 0)) == (0, 0, 0, 0)


def test_of_two_with_one_name_the_second_is_numbered(sessions):
    for name in ("a.jpg", "a.jpg", "b.jpg"):
        restored(sessions, name)
    assert zipfile.ZipFile(zipped(sessions.of("one"))).namelist() == ["a.jpg", "a_2.jpg", "b.jpg"]


@pytest.mark.parametrize("shown", [True, False])
def test_faces_are_served_to_the_windows_that_may_see_them(sessions, known, shown):
    app = FastAPI()
    add_routes(app, sessions.service)
    add_pictures(app, sessions, Access(shown=shown))
    client, face = TestClient(app), known.faces("person = ?", people(known)[0].id)[0].id
    answer = client.get(f"/{address_of_faces(sessions.of('one'))}/{face}")
    if shown:
        assert answer.headers["content-type"] == "image/jpeg" and answer.content[:2] == b"\xff\xd8"
        assert client.get(f"/{address_of_faces(sessions.of('one'))}/999").json() == {"error": "There is no such face."}
    else:
        assert answer.json() == {"error": "The album isn't shown here."}
    assert client.get(f"/people/guessed/{face}").json()["error"].startswith("These photos are here no longer")
