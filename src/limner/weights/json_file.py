"""JSON files that others may have written: read with every way in which they can be wrong as one sentence."""

from __future__ import annotations

import json
from pathlib import Path

from limner.errors import WeightsError

MOST_BYTES = 2**20
"""A configuration has a few hundred."""


def read_object(path: Path) -> dict[str, object]:
    """The JSON object in a file.

    Raises:
        WeightsError: the file can't be read, is over 1 MiB, or holds no JSON object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        found = json.loads(raw) if len(raw) <= MOST_BYTES else None
    except OSError as error:
        raise WeightsError(f"{path} can't be read ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} can't be read as JSON: get a whole copy of the file.") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} should hold one JSON object, of names and values: get a whole copy of the file.")
    return found
