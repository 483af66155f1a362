"""HTTP: what is sent comes back restored, whatever is wrong is a sentence, and a crowd is neither lost nor a burden."""

from __future__ import annotations

import io
import json
import resource
import socket
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from skimage.data import astronaut

from limner.page.app import app_of
from limner.page.leftovers import LOCK
from limner.page.restoring import Limits
from limner.page.service import Service
from limner.photo.provenance import read
from limner.settings import Settings

from .quick import quickly, served

LIMITS = Limits(megapixels=1, megabytes=2, references=2, samples=3)


def picture(width: int = 60, height: int = 40, format: str = "JPEG", **how) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 40)).save(data, format, **how)
    return data.getvalue()


def portrait(format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "Anna, 1962"
    data = io.BytesIO()
    Image.fromarray(astronaut()[:320, 60:380]).save(data, format, exif=exif, quality=90)
    return data.getvalue()


def kept(service):
    """What lies in the folder of a service beside the file that says that it is in use."""
    return [path.name for path in service.folder.iterdir() if path.name != LOCK]


@pytest.fixture
def service():
    opened = Service.open(Settings(threads=1, dtype="fp32"), LIMITS, most=10)
    yield opened
    opened.close()


@pytest.fixture
def client(service):
    with TestClient(app_of(service), base_url="http://localhost") as client:
        yield client


def sent(client, route: str = "/restore", file: bytes | None = None, name: str = "anna.jpg", **fields):
    return client.post(route, files={"photo": (name, file or picture())}, data=fields)


def test_a_photo_comes_back_in_its_format_with_its_metadata(client, service, tmp_path):
    answer = sent(client, file=portrait(), name="Großmutter.jpg", seed="7")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert "Gro%C3%9Fmutter_restored.jpg" in answer.headers["content-disposition"]
    report = json.loads(answer.headers["limner-report"])
    assert report["faces"] == 1 and report["seconds"] > 0
    (tmp_path / "a.jpg").write_bytes(answer.content)
    with Image.open(tmp_path / "a.jpg") as done:
        assert done.size == (320, 320) and done.getexif()[0x010E] == "Anna, 1962"
    made = read(tmp_path / "a.jpg")
    assert made and made.faces == 1 and made.seed == 7
    assert kept(service) == [], "nothing of it stays"


def test_faces_are_found(client, service):
    answer = sent(client, "/detect", portrait("PNG"), "a.png").json()
    assert (answer["photo"], answer["width"], answer["height"], len(answer["faces"])) == ("a.png", 320, 320, 1)
    assert answer["faces"][0]["number"] == 0 and len(answer["faces"][0]["landmarks"]) == 5
    assert kept(service) == []


def test_several_samples_are_a_zip_and_fields_are_settings(client, service, monkeypatch):
    quick = quickly(service, monkeypatch)
    answer = sent(client, samples="2", method="refldm", steps="3", strength="0.5", grain="no", faces="0,2")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["anna_restored_1.jpg", "anna_restored_2.jpg"]
    asked = quick.settings
    assert (asked.method, asked.samples, asked.options, asked.strength) == ("refldm", 2, {"steps": 3}, 0.5)
    assert (asked.grain, asked.faces) == (False, [0, 2])
    assert json.loads(answer.headers["limner-report"])["notes"] == ["anna.jpg is a negative now."]


def test_references_are_given_along(client, service, monkeypatch):
    quick = quickly(service, monkeypatch)
    files = [("photo", ("a.jpg", picture())), *(("reference", (f"{n}.jpg", picture())) for n in range(2))]
    assert client.post("/restore", files=files, data={"method": "refldm"}).status_code == 200
    assert [path.name for path in quick.settings.references] == ["0.jpg", "1.jpg"]
    answer = client.post("/restore", files=[*files, files[1]], data={"method": "refldm"})
    assert answer.status_code == 400 and answer.json()["error"] == "3 references are too many: give 2 at most."


def test_a_mask_of_holes_is_given_along(client):
    white = io.BytesIO()
    Image.fromarray(np.pad(np.full((8, 12), 255, np.uint8), 8)).save(white, "PNG")
    files = [("photo", ("a.png", picture(28, 24, "PNG"))), ("holes", ("m.png", white.getvalue()))]
    answer = client.post("/restore", files=files)
    assert answer.status_code == 200
    notes = json.loads(answer.headers["limner-report"])["notes"]
    assert any("Holes of 14 % of the photo were filled" in note for note in notes)
    files[1] = ("holes", ("m.png", picture(20, 20, "PNG")))
    answer = client.post("/restore", files=files)
    assert answer.status_code == 400 and "m.png is 20 x 20 pixels, but its photo" in answer.json()["error"]


@pytest.mark.parametrize(
    ("fields", "file", "status", "sentence"),
    [
        ({"method": "magic"}, None, 400, "There is no method 'magic': choose one of"),
        ({"samples": "4"}, None, 400, "4 samples are too many here: ask for 3 at most."),
        ({"samples": "many"}, None, 400, "'many' is no number: give a whole number for samples."),
        ({"steps": "0", "method": "refldm"}, None, 400, "refldm takes 1 to 999 for steps, not 0."),
        ({"guidance": "1"}, None, 400, "There is no option 'guidance' with the method 'difface': it takes method,"),
        ({"weights": "/etc"}, None, 400, "There is no option 'weights' with the method 'difface'"),
        ({"grain": "perhaps"}, None, 400, "'perhaps' is neither true nor false: give one of them for grain."),
        ({"faces": "3"}, portrait(), 400, "There is no face 3: the photo has 1, face 0."),
        ({}, b"no picture", 422, "anna.jpg is not a picture, whatever its name says: choose a photo."),
        ({}, picture(1200, 1000), 413, "anna.jpg has 1 megapixels, and 1 are the most that are taken here"),
        ({}, bytes(2_100_000), 413, "More than 2 MB are not taken at once: send smaller files."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(client, service, fields, file, status, sentence):
    answer = sent(client, file=file, **fields)
    assert answer.status_code == status and answer.json()["error"].startswith(sentence)
    assert len(service.work) == 0 and kept(service) == []


def test_a_request_that_is_no_form_or_has_no_photo(client, service):
    for answer in (client.post("/restore", content=picture()), client.post("/restore", data={"seed": "1"})):
        assert answer.status_code == 400 and answer.json()["error"].startswith("There is no photo in the request")
    answer = client.post("/restore", files={"picture": ("a.jpg", picture())})
    assert answer.json()["error"] == (
        "There is no file 'picture': send photo, for a person reference, and a mask as holes."
    )
    assert len(service.work) == 0


def test_an_error_of_limner_s_own_says_no_more_than_its_kind(client, service, monkeypatch):
    quick = quickly(service, monkeypatch)
    monkeypatch.setattr(quick, "restore", lambda photo, progress, mask: {}[str(photo.path)])
    answer = sent(client)
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("limner failed at this photo (KeyError)")


def test_what_is_sent_in_pieces_is_limited_too(service):
    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        for _ in range(100):
            yield bytes(100_000)

    head = {"content-type": "multipart/form-data; boundary=x"}
    with TestClient(app_of(service), base_url="http://localhost") as client:
        answer = client.post("/restore", content=endless(), headers=head)
    assert answer.status_code == 413


def test_fifty_at_once_none_is_lost(service, monkeypatch):
    quick = quickly(service, monkeypatch, seconds=0.02)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    photo = picture(700, 600, "BMP")  # 1.3 MB each
    with served(app_of(service)) as address, ThreadPoolExecutor(50) as crowd:

        def ask(number: int) -> httpx.Response:
            files = {"photo": (f"{number}.bmp", photo)}
            return httpx.post(f"{address}/restore", files=files, data={"seed": str(number)}, timeout=60)

        answers = list(crowd.map(ask, range(50)))
        assert httpx.get(f"{address}/health").json()["waiting"] == 0
        assert kept(service) == []
    done = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    full = [answer for answer in answers if answer.status_code == 503]
    assert len(done) + len(full) == 50 and len(done) == quick.ended >= 10 and full
    negative = 255 - np.asarray(Image.open(io.BytesIO(photo)))
    for number in done:
        assert f"{number}_restored.bmp" in answers[number].headers["content-disposition"]
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(answers[number].content))), negative)
    for answer in full:
        assert answer.json()["error"] == "10 photos wait already, which is as many as may: try again in a minute."
        assert answer.headers["retry-after"] == "60"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 300, f"{grown:.0f} MB"  # 50 answers of 1.3 MB lie here, too


def test_who_goes_away_frees_the_place(service, monkeypatch):
    quick = quickly(service, monkeypatch, steps=1000, seconds=0.02)
    with served(app_of(service)) as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{address}/restore", files={"photo": ("a.jpg", picture())}, timeout=0.5)
        for _ in range(100):
            if len(service.work) == 0 and not kept(service):
                break
            time.sleep(0.05)
        assert len(service.work) == 0 and quick.begun == 1 and quick.ended == 0
        assert kept(service) == []


def test_who_goes_away_while_sending_frees_the_place(service):
    with served(app_of(service)) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            head = f"POST /restore HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n"
            half.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
            for _ in range(100):
                if len(service.work) == 1:
                    break
                time.sleep(0.02)
            assert len(service.work) == 1
        for _ in range(100):
            if len(service.work) == 0 and not kept(service):
                break
            time.sleep(0.05)
        assert len(service.work) == 0 and kept(service) == []


def test_the_interface_describes_itself_and_needs_nothing_from_elsewhere(client):
    known = client.get("/openapi.json").json()
    assert {"/restore", "/detect", "/health"} <= known["paths"].keys()
    form = known["paths"]["/restore"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["samples"]["minimum"] == 1 and form["properties"]["steps"]["type"] == "integer"
    page = client.get("/docs")
    assert "<code>POST /restore</code>" in page.text and "guidance" in page.text
    assert "https://" not in page.text and "<script" not in page.text
    health = client.get("/health").json()
    assert (health["status"], health["waiting"], health["most"]) == ("ok", 0, 10)


def test_a_closed_service_leaves_nothing(service):
    service.new_folder()
    service.close()
    assert not service.folder.exists()
