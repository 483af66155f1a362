"""A store that speaks S3's language, moto's server, in a thread of the tests' process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


class Bucket:
    """A bucket as its owner sees it, not through limner.

    Args:
        name: of the bucket, which is made.
    """

    def __init__(self, name: str):
        self.name, self._store = name, s3_backends[ACCOUNT]["aws"]
        self._store.create_bucket(name, "us-east-1")

    def put(self, key: str, data: bytes) -> None:
        self._store.put_object(self.name, key, data)

    def put_folder(self, folder: Path, key: str) -> None:
        """Puts all files of a folder below a key."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{key}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def get(self, key: str) -> bytes:
        return self._store.buckets[self.name].keys[key].value

    def delete(self, key: str) -> None:
        self._store.delete_object(self.name, key)

    def all(self, below: str = "") -> dict[str, bytes]:
        """Objects below a key, by what follows it; limner's own notes aside."""
        keys = self._store.buckets[self.name].keys
        return {
            key.removeprefix(below): found.value
            for key, found in keys.items()
            if key.startswith(below) and "/.limner/" not in f"/{key}"
        }

    def notes(self) -> set[str]:
        """Keys of limner's own notes."""
        return {key for key in self._store.buckets[self.name].keys if "/.limner/" in f"/{key}"}


@contextmanager
def served() -> Iterator[str]:
    """The address of a server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
