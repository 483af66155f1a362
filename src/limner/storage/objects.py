"""Objects of a store as files of this machine: a folder, the mirror, in which each address has its path.

Whoever restores photographs works on those paths: an object is fetched whole when its turn comes, a result stored whole
when it is written, and this machine's copies go when the photograph is done with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.extras import needed
from limner.photo.read import check_bytes
from limner.storage.address import PACKAGES, Address, address_of
from limner.storage.failures import failure
from limner.storage.files import Facts, Files
from limner.storage.held import Held

LONGEST_NAME = 255
"""Bytes that file systems allow in the name of a file."""
FEW = 3  # keys that a sentence names


class Objects(Files):
    """Objects by the paths that stand for them; all other paths are files of this machine.

    Args:
        mirror: an empty folder, in which they stand and, for a while, lie.
        max_megapixels: objects that are too large for such a photograph aren't fetched.
    """

    def __init__(self, mirror: Path, max_megapixels: float = float("inf")):
        self.mirror, self.max_megapixels = mirror.resolve(), max_megapixels
        self._systems: dict[str, Any] = {}
        self._known: dict[str, Facts | None] = {}
        self._listed = list[Path]()
        self._held: Held | None = None

    def source(self, address: Address) -> Path:
        """The path of photographs that a run is given: an object, or all those below a folder.

        Raises:
            LimnerError: there is none, its store can't be asked, or the package for it is missing.
        """
        path = self.path_of(address)
        if self.facts(path) is None:
            if not self._is_folder(path):
                raise failure(FileNotFoundError(), path)
            path.mkdir(parents=True, exist_ok=True)
        return path

    def output(self, address: Address, folder: bool) -> Path:
        """The path of what a run writes.

        Args:
            address: of it.
            folder: whether it is one, which needn't exist.

        Raises:
            LimnerError: its bucket can't be reached, or the package for it is missing.
        """
        path = self.path_of(address)
        system, key = self._object(path)
        try:
            system.info(key.partition("/")[0])
        except Exception as error:
            raise failure(error, path) from error
        if folder:
            path.mkdir(parents=True, exist_ok=True)
        return path

    def path_of(self, address: Address) -> Path:
        """The path that stands for an address.

        Raises:
            LimnerError: no path can.
        """
        if not address.key or not _has_path(address.key):
            raise LimnerError(f"{address} names no bucket, or what no path can bear: check the address.")
        return self.mirror / address.scheme / address.key

    def stores(self, path: Path) -> bool:
        return str(path).startswith(f"{self.mirror}{os.sep}")

    def facts(self, path: Path) -> Facts | None:
        if not self.stores(path):
            return super().facts(path)
        text = str(path)
        if text not in self._known and not self._is_listed(path):
            system, key = self._object(path)
            try:
                found = system.info(key)
                self._known[text] = _facts(found) if found["type"] == "file" else None
            except FileNotFoundError:
                self._known[text] = None
            except Exception as error:
                raise failure(error, path) from error
        return self._known.get(text)

    def listing(self, folder: Path, passed_over: list[str]) -> list[str] | None:
        if not self.stores(folder):
            return None
        system, root = self._object(folder)
        try:
            found = system.find(root, detail=True)
        except Exception as error:
            raise failure(error, folder) from error
        below = {key[len(root) + 1 :]: told for key, told in found.items() if told["type"] == "file" and key != root}
        strange = sorted(key for key in below if not key.endswith("/") and not _has_path(key))
        if strange:
            named = ", ".join(repr(key) for key in strange[:FEW])
            passed_over.append(f"{len(strange)} objects have names that no path can bear ({named}): left alone.")
        base = os.path.join(folder, "")
        there = {base + key: _facts(told) for key, told in below.items() if _has_path(key)}
        self._known = {path: told for path, told in self._known.items() if not path.startswith(base)} | there
        self._listed.append(folder)
        return list(there)

    def bring(self, *paths: Path) -> None:
        for path in paths:
            if self.stores(path) and not path.is_file() and (facts := self.facts(path)):
                check_bytes(path, facts.size, self.max_megapixels)
                self._fetch(path, facts)

    def _fetch(self, path: Path, facts: Facts) -> None:
        system, key = self._object(path)
        part = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            system.get_file(key, str(part))
            os.utime(part, ns=(facts.modified, facts.modified))
            os.replace(part, path)
        except Exception as error:
            raise failure(error, path) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def keep(self, path: Path) -> None:
        if not self.stores(path):
            return
        system, key = self._object(path)
        try:
            system.put_file(str(path), key)
        except Exception as error:
            raise failure(error, path) from error
        self._known[str(path)] = super().facts(path)

    def drop(self, *paths: Path) -> None:
        for path in paths:
            if self.stores(path):
                path.unlink(missing_ok=True)

    def digest(self, path: Path) -> str:
        if not self.stores(path) or path.is_file():
            return super().digest(path)
        self.bring(path)
        try:
            return super().digest(path)
        finally:
            self.drop(path)

    def has_gone(self, out: Path, source: str) -> bool:
        if (address := address_of(source)) is None:
            return super().has_gone(out, source)
        path = self.path_of(address)
        return self._is_listed(path) and str(path) not in self._known

    def named(self, text: str) -> str:
        for scheme in PACKAGES:
            text = text.replace(f"{self.mirror}{os.sep}{scheme}{os.sep}", f"{scheme}://")
        return text

    @contextmanager
    def held(self, out: Path) -> Iterator[None]:
        if not self.stores(out):
            yield
            return
        system, key = self._object(out)
        with Held(system, key, out) as self._held:
            self.listing(out, [])
            yield
        self._held = None

    def check(self) -> None:
        if self._held:
            self._held.check()

    def __getstate__(self) -> dict[str, Any]:
        """For processes that help: what is held is the first one's to hold, and of 100,000 objects each asks for its
        own."""
        return vars(self) | {"_held": None, "_known": {}, "_listed": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """On another machine the mirror is made anew, for nobody else to look into."""
        vars(self).update(state)
        self.mirror.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _object(self, path: Path) -> tuple[Any, str]:
        """The store and the key in it that a path stands for."""
        scheme, *parts = path.relative_to(self.mirror).parts
        if scheme not in self._systems:
            with needed("fsspec", f"{scheme}://"):
                import fsspec
            with needed(PACKAGES[scheme], f"{scheme}://"):
                import_module(PACKAGES[scheme])
            # a listing of 100,000 objects isn't kept a second time
            self._systems[scheme] = fsspec.filesystem(scheme, use_listings_cache=False)
        return self._systems[scheme], "/".join(parts)

    def _is_folder(self, path: Path) -> bool:
        system, key = self._object(path)
        try:
            return system.info(key)["type"] == "directory"
        except Exception as error:
            raise failure(error, path) from error

    def _is_listed(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._listed)


def _facts(told: dict[str, Any]) -> Facts:
    """Of an object, as its store tells."""
    time = told.get("LastModified") or told.get("mtime")
    modified = int(time.timestamp() * 1e9) if time else 0
    tag = next((str(told[name]) for name in ("ETag", "md5Hash", "etag") if told.get(name)), str(modified))
    version = int.from_bytes(hashlib.sha256(tag.encode()).digest()[:7])
    return Facts(int(told["size"]), version, modified)


def _has_path(key: str) -> bool:
    """Whether a key can be a path of this machine, below the mirror and nowhere else."""
    return "\0" not in key and all(
        part not in ("", ".", "..") and len(part.encode()) <= LONGEST_NAME for part in key.split("/")
    )
