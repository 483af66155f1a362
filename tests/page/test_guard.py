"""Who may come in: this machine's own names, pages of its own, and whoever knows the password."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from limner.page.guard import Guard


def client(**how) -> TestClient:
    app = FastAPI()
    app.get("/")(lambda: "in")
    app.add_middleware(Guard, **how)
    return TestClient(app, base_url="http://localhost:7860")


def test_everything_may_come_from_here_alone():
    policy = client().get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:7860", "[::1]:7860"])
def test_this_machine_s_names_lead_in(host):
    assert client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_another_name_that_leads_here_does_not(host):
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json() == {"error": "This limner answers to localhost, 127.0.0.1 alone."}
    assert client(hosts=None).get("/", headers={"host": host or "x"}).status_code == 200


def test_pages_of_other_sites_stay_out():
    for origin, status in (("http://localhost:7860", 200), ("http://evil.example", 403), ("null", 403)):
        assert client().get("/", headers={"origin": origin}).status_code == status


def test_the_password_is_asked_for():
    guarded = client(password="grün & Co")
    answer = guarded.get("/")
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic")
    assert answer.json() == {"error": "Give the password that limner ui was started with."}
    for given, status in (("grün & Co", 200), ("gruen", 401), ("", 401)):
        assert guarded.get("/", auth=("anybody", given)).status_code == status
    for broken in ("Basic", "Basic ***", "Bearer abc"):
        assert guarded.get("/", headers={"authorization": broken}).status_code == 401
