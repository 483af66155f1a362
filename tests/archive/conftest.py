"""Archives without nets: photographs are files of any bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from limner.archive.asked import Asked
from limner.archive.claims import Claims
from limner.archive.manifest import DONE, Manifest, put_outputs
from limner.archive.plan import Plan, Wish, plan
from limner.folder.find import find_photos
from limner.folder.targets import Target, targets_of
from limner.photo.provenance import digest_of

ASKED = Asked('{"seed": 0}', "weights", "1", "100 megapixels")


class Archive:
    """A folder of photographs and one of results.

    Args:
        folder: of both.
        count: of photographs.
    """

    def __init__(self, folder: Path, count: int = 0):
        self.photos, self.out = folder / "photos", folder / "out"
        for number in range(count):
            self.photo(f"{number % 2}/{number}.jpg")

    def photo(self, name: str, data: bytes | None = None) -> Path:
        path = self.photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() if data is None else data)
        return path

    def targets(self, samples: int = 1) -> list[Target]:
        return targets_of(find_photos([self.photos], [self.out], opened=False), self.out, samples)

    def plan(self, manifest: Manifest | None, **wish) -> Plan:
        return plan(manifest, self.targets(), replace(Wish(ASKED), **wish))

    def finish(self, claims: Claims, target: Target, photo: int, state: str = DONE) -> None:
        """As if a photograph had been restored."""
        for output in target.outputs:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(b"result of " + target.source.path.read_bytes())
        stat = target.source.path.stat()
        with claims.manifest.change() as rows:
            rows.execute(
                "UPDATE photos SET worker = NULL, state = ?, size = ?, mtime_ns = ?, sha256 = ?, asked = ?, "
                "limits = ?, faces = 1, seconds = 1, ended = strftime('%s') + 0 WHERE id = ? AND worker = ?",
                (
                    *(state, stat.st_size, stat.st_mtime_ns, digest_of(target.source.path), claims.asked),
                    *(ASKED.limits, photo, claims.id),
                ),
            )
            facts = [(one.relative_to(self.out), one.stat().st_size, digest_of(one)) for one in target.outputs]
            put_outputs(rows, photo, facts)

    def restore(self, manifest: Manifest, asked: Asked = ASKED, **wish) -> int:
        """Does all that is to be done, and tells how many photographs that were."""
        with Claims(manifest, asked) as claims:
            planned = self.plan(manifest, asked=asked, since=claims.since, **wish)
            claims.prepare(planned)
            each = list(claims.each([place for place, _ in planned.todo]))
            for place, photo in each:
                self.finish(claims, planned.todo[place][1], photo)
            return len(each)


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive(tmp_path, 6)


@pytest.fixture
def manifest(archive):
    with Manifest(archive.out, create=True) as opened:
        yield opened
