"""A window's photographs: taken from where they were uploaded, gone when it is closed."""

from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.page.service import Service
from limner.page.session import Sessions


@pytest.fixture
def sessions():
    service = Service.open()
    yield Sessions(service, most=2)
    service.close()


def uploaded(sessions: Sessions, name: str = "a.jpg") -> Path:
    file = sessions.service.new_folder() / name
    file.write_bytes(b"photo")
    return file


def test_each_window_has_its_own_until_it_is_closed(sessions):
    one = sessions.of("one")
    assert sessions.of("one") is one and sessions.of("two") is not one
    assert sessions.with_token(one.folder.name) is one
    with pytest.raises(LimnerError, match="^2 windows are open here, which is as many as may: close one.$"):
        sessions.of("three")
    file = uploaded(sessions)
    taken = one.taken(file)
    assert taken.path.read_bytes() == b"photo" and not file.parent.exists()
    job = one.jobs["here"] = sessions.service.work.place()
    sessions.end("one")
    assert not one.folder.exists() and job.future.cancelled() and sessions.with_token(one.folder.name) is None
    sessions.end("one")
    sessions.end(None)


def test_photos_of_the_same_name_lie_apart(sessions):
    session = sessions.of("one")
    first, second = (session.taken(uploaded(sessions)) for _ in range(2))
    assert first.path != second.path and first.path.name == second.path.name == "a.jpg"


def test_what_did_not_arrive_is_told(sessions, tmp_path):
    with pytest.raises(LimnerError, match="^a.jpg didn't arrive whole: drop it again.$"):
        sessions.of("one").taken(tmp_path / "a.jpg")
