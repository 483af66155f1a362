"""The program: page and HTTP in one, guarded alike, closed together."""

from fastapi.testclient import TestClient

from limner.page.app import app_of
from limner.page.service import Service
from limner.settings import Settings


def test_page_and_http_are_one_guarded_program_that_leaves_nothing():
    service = Service.open(Settings(threads=1))
    with TestClient(app_of(service, "long enough"), base_url="http://localhost") as client:
        for address in ("/", "/health", "/docs", "/config", "/gradio_api/info", "/photos/x/0/before"):
            assert client.get(address).status_code == 401, address
        client.auth = ("anybody", "long enough")
        page = client.get("/")
        assert page.status_code == 200 and "<gradio-app" in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/health").json()["status"] == "ok"
        config = client.get("/config").json()
        assert config["analytics_enabled"] is False and config["stylesheets"] == []
    assert not service.folder.exists(), "what is uploaded lay there"


def test_a_page_that_others_reach_answers_to_any_name():
    service = Service.open(Settings(threads=1))
    for anywhere, status in ((True, 200), (False, 403)):
        client = TestClient(app_of(service, "long enough", anywhere), base_url="http://photos.example")
        assert client.get("/health", auth=("me", "long enough")).status_code == status
    service.close()


def test_names_of_the_album_need_a_password_where_others_come_in(known):
    """The page itself says nothing of them, and without a password not even that there is an album."""
    for password, shown in (("long enough", True), (None, False)):
        service = Service.open(Settings(threads=1))
        client = TestClient(app_of(service, password, anywhere=True), base_url="http://photos.example")
        client.auth = ("me", password) if password else None
        config = client.get("/config").json()
        tabs = {one["props"]["label"]: one["props"] for one in config["components"] if one["type"] == "tabitem"}
        assert tabs["People"]["visible"] is shown
        folder = next(one for one in config["components"] if one["props"].get("elem_id") == "indexing")
        assert folder["props"]["visible"] is False
        service.close()
