"""Results of limner among an archive's photographs, which are no photographs: known when their turn comes, for opening
them all at the start would take as long as reading the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from limner.archive.manifest import manifest_file
from limner.folder.find import OWN_RESULT, provenance_of, same_bytes
from limner.photo.contents import SUFFIXES
from limner.storage.files import HERE, Files


def own_result(path: Path) -> str:
    """The sentence for a photograph that is a result itself."""
    return f"{path}: {OWN_RESULT}."


class OwnResults:
    """Tells results from photographs.

    Args:
        photos: of the run.
        files: where they lie.
    """

    def __init__(self, photos: Sequence[Path], files: Files = HERE):
        self._files = files
        self._named: dict[str, list[Path]] = {}
        first: dict[str, Path] = {}
        for path in photos:
            if (other := first.setdefault(path.name, path)) is not path:
                self._named.setdefault(path.name, [other]).append(path)
        self._folders: dict[Path, bool] = {}

    def told(self, path: Path, opened: bool = True) -> str | None:
        """Why a photograph is left alone, one sentence; None if it is one.

        It is none if it says so itself, or if it lies among results and is a copy of a photograph elsewhere: those
        without a face are copied. Of objects in a store that company isn't looked at: each would have to be fetched.

        Args:
            path: of the photograph.
            opened: whether it is opened here; else whoever restores it sees what it says of itself.
        """
        says = opened and provenance_of(path)
        return own_result(path) if says or (not self._files.stores(path) and self._is_copy(path)) else None

    def _is_copy(self, path: Path) -> bool:
        alike = [one for one in self._named.get(path.name, []) if one.parent != path.parent and same_bytes(path, one)]
        return (
            bool(alike) and self._of_results(path.parent) and not all(map(self._of_results, {p.parent for p in alike}))
        )

    def _of_results(self, folder: Path) -> bool:
        """Whether results lie in a folder: it has a manifest, or one of them says so."""
        if folder not in self._folders:
            self._folders[folder] = any(manifest_file(one).is_file() for one in (folder, *folder.parents)) or any(
                provenance_of(one) for one in sorted(folder.iterdir()) if one.suffix.lower() in SUFFIXES
            )
        return self._folders[folder]
