"""`limner ui`: others come in with a password alone, and are warned of."""

import pytest

from limner.cli.ui import loopback


@pytest.fixture
def served(monkeypatch):
    """Stands in for the server: what it was given."""
    given = []

    def serve(app, host, port, started):
        given.append((app, host, port))
        started(port)

    monkeypatch.setattr("limner.page.app.serve", serve)
    monkeypatch.setattr("limner.page.app.open_browser", lambda address: given.append(address))
    return given


def test_it_opens_the_browser_on_this_machine_alone(run, served):
    code, _, told = run("ui", "--port", "7999")
    assert code == 0 and "limner is at http://127.0.0.1:7999/ until you press Ctrl-C" in told
    assert served[0][1:] == ("127.0.0.1", 7999) and served[1] == "http://127.0.0.1:7999/"
    assert "Warning" not in told


def test_others_are_warned_of_and_need_a_password(run, served):
    code, _, told = run("ui", "--host", "0.0.0.0")
    assert code == 2 and "At 0.0.0.0 others can come in: give a --password, or leave out --host." in told
    code, _, told = run("ui", "--host", "0.0.0.0", "--password", "short")
    assert code == 2 and "The password is shorter than 8 characters" in told
    assert served == []
    code, _, told = run("ui", "--host", "0.0.0.0", "--password", "long enough")
    assert code == 0 and "Warning: whoever reaches 0.0.0.0 and knows the password" in told
    assert len(served) == 1, "no browser is opened at an address that is none"


def test_a_limit_that_lets_no_photo_pass(run, served):
    code, _, told = run("ui", "--max-megapixels", "0")
    assert code == 2 and "lets no photo pass" in told and served == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_addresses_of_this_machine_alone(host):
    assert loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "photos.example"])
def test_addresses_that_others_reach(host):
    assert not loopback(host)
