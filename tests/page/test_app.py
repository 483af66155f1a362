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
