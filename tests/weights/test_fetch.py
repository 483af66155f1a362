"""Fetching against a real server on this machine: resuming, verifying, and every way to fail."""

import hashlib
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from limner.errors import WeightsError
from limner.weights import Published, fetch, find


class Server(ThreadingHTTPServer):
    """One file, with the virtues and vices that a test asks for."""

    content = b""
    ranges = True
    cut_after: int | None = None  # bytes of a body after which the line drops
    sizes = True
    asked: list[str | None]

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        size = len(server.content)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if self.path != "/file":
            return self.send_error(404)
        if wanted and server.ranges and start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            return self.end_headers()
        self.send_response(206 if wanted and server.ranges else 200)
        if server.sizes:
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        self.wfile.write(server.content[start:][: server.cut_after])

    def log_message(self, format: str, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def entry(server, shared) -> Published:
    """The published regressor, served by this machine in its tiny form."""
    server.content = (shared / "golden/difface/tiny_swinir.safetensors").read_bytes()
    weights = find("official/difface-estimator")
    assert isinstance(weights, Published)
    return replace(weights, url=f"http://127.0.0.1:{server.server_port}/file")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_verified_and_recorded(server, entry, tmp_path):
    steps = []
    models = tmp_path / "new/models"
    path = fetch(entry, models, lambda received, total: steps.append((received, total)))
    assert path == models / entry.file
    assert path.read_bytes() == server.content
    assert names(models) == [entry.file, entry.file + ".sha256"]
    digest = hashlib.sha256(server.content).hexdigest()
    assert entry.record(models).read_text() == f"{digest}  {entry.file}\n"
    assert steps[-1] == (len(server.content), len(server.content))


def test_a_file_that_is_there_is_not_fetched_again(server, entry, tmp_path):
    entry.path(tmp_path).write_bytes(server.content)
    fetch(entry, tmp_path)
    assert server.asked == []
    assert entry.record(tmp_path).is_file()


def test_an_interrupted_transfer_goes_on_where_it_stopped(server, entry, tmp_path):
    server.cut_after = 300_000
    with pytest.raises(WeightsError, match=r"stopped after 300 kB of 754 kB; the next attempt goes on there"):
        fetch(entry, tmp_path)
    assert names(tmp_path) == [entry.file + ".part"]
    server.cut_after = None
    assert fetch(entry, tmp_path).read_bytes() == server.content
    assert server.asked == [None, "bytes=300000-"]


def test_a_whole_part_is_only_verified(server, entry, tmp_path):
    (tmp_path / (entry.file + ".part")).write_bytes(server.content)
    assert fetch(entry, tmp_path).read_bytes() == server.content
    assert server.asked == [f"bytes={len(server.content)}-"]


def test_a_part_that_is_too_long_is_begun_again(server, entry, tmp_path):
    (tmp_path / (entry.file + ".part")).write_bytes(server.content + b"more")
    assert fetch(entry, tmp_path).read_bytes() == server.content


def test_a_server_without_ranges_sends_all_again(server, entry, tmp_path):
    server.ranges = False
    (tmp_path / (entry.file + ".part")).write_bytes(b"half of it")
    assert fetch(entry, tmp_path).read_bytes() == server.content


def test_a_server_that_does_not_tell_the_size(server, entry, tmp_path):
    server.sizes = False
    steps = []
    fetch(entry, tmp_path, lambda received, total: steps.append((received, total)))
    assert steps[-1] == (len(server.content), None)


def test_a_folder_that_takes_no_record_is_good_enough(server, entry, tmp_path):
    entry.path(tmp_path).write_bytes(server.content)
    entry.record(tmp_path).mkdir()
    assert fetch(entry, tmp_path) == entry.path(tmp_path)


def test_another_sha256_is_refused(server, entry, tmp_path):
    with pytest.raises(WeightsError, match=r"not the file it should be: its sha256 is [0-9a-f]{64}, not 00ff"):
        fetch(replace(entry, sha256="00ff"), tmp_path)
    assert names(tmp_path) == []


def test_the_first_sha256_is_trusted_afterwards(server, entry, tmp_path):
    path = fetch(entry, tmp_path)
    path.write_bytes(server.content[:-1] + b"x")
    with pytest.raises(WeightsError, match="not the file it should be"):
        fetch(entry, tmp_path)
    assert path.exists(), "a file that stands in its place is the user's to delete"


def test_a_file_that_does_not_load_strictly_is_refused(server, entry, tmp_path, shared):
    server.content = (shared / "golden/difface/tiny_unet.safetensors").read_bytes()
    with pytest.raises(WeightsError, match=r"conv_first\.1\.weight is missing"):
        fetch(entry, tmp_path)
    assert names(tmp_path) == []


def test_a_detector_that_is_none_is_refused(server, entry, tmp_path):
    yunet = find("official/yunet")
    assert isinstance(yunet, Published)
    with pytest.raises(WeightsError, match="is not the YuNet face detector"):
        fetch(replace(yunet, url=entry.url), tmp_path)


def test_no_such_file_on_the_server(entry, tmp_path):
    with pytest.raises(
        WeightsError,
        match=rf"couldn't be fetched from \S+/gone \(the server says 404 Not Found\).* put it at {tmp_path}",
    ):
        fetch(replace(entry, url=entry.url.replace("file", "gone")), tmp_path)


def test_no_network(entry, tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        entry = replace(entry, url=f"http://127.0.0.1:{nobody.getsockname()[1]}/file")
    with pytest.raises(WeightsError, match=rf"\(Connection refused\): try again.*put it at {tmp_path}/{entry.file}\."):
        fetch(entry, tmp_path)


def test_a_folder_that_cannot_be_written(entry, tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(WeightsError, match="couldn't be fetched"):
        fetch(entry, tmp_path / "models")


def test_embedded_weights_need_no_fetching(tmp_path):
    weights = find("mini/alignnet")
    assert fetch(weights, tmp_path) == weights.path()
    assert names(tmp_path) == []
