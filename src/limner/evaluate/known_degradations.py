"""What pictures were degraded with, where that is known: a preset drawn anew by the seed that belongs to each file, or
parameters from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.data.pairs import named_generator
from limner.degrade.degrade import Degradation, draw, grid_point, low_resolution, preset_names
from limner.errors import LimnerError
from limner.photo.write import write_atomically

DEGRADATION = "degradation.json"
"""The file that benchmarks leave beside the inputs that they made."""
PARAMETERS = ("sigma_x", "sigma_y", "rotation", "downsample", "noise_sigma", "jpeg_quality")
"""Of a degradation that a file tells; units as of `Degradation`. Its noise can't be told, so there is none."""


@dataclass(frozen=True)
class KnownDegradations:
    """How to come by the degradation of each picture.

    Attributes:
        preset: from which each was drawn; empty where `parameters` tell.
        files: the file whose name seeded the draw, by the picture's name, where it is another than the true one's.
        points: of DifFace's grid, by the picture's name, where the preset is the grid and they weren't drawn.
        parameters: of each picture by name, or of all under "".
    """

    preset: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, word: str) -> KnownDegradations:
        """From a word of the command line.

        Args:
            word: a preset's name; or a JSON file with {"preset": NAME, "files": {picture: file}, "points": {picture:
                point}}, as `save` writes it, with `PARAMETERS`, or with {picture: PARAMETERS}.

        Raises:
            LimnerError: it is neither, or the file holds something else.
        """
        if word in preset_names():
            return cls(word)
        path = Path(word)
        if path.suffix.lower() != ".json":
            raise LimnerError(f"There is no degradation '{word}': give {', '.join(preset_names())} or a JSON file.")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if "preset" in found:
                if found["preset"] not in preset_names():
                    raise ValueError(found["preset"])
                files = {str(name): str(file) for name, file in found["files"].items()}
                return cls(found["preset"], files, {str(name): int(point) for name, point in found["points"].items()})
            several = found if all(isinstance(one, dict) for one in found.values()) else {"": found}
            return cls(parameters={name: _checked(one) for name, one in several.items()})
        except OSError as error:
            raise LimnerError(f"The degradation {path} can't be read: check the path.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LimnerError(
                f"{path} tells no degradation: give a preset with its files, or {', '.join(PARAMETERS)}."
            ) from error

    def of(self, name: str, file: str, width: int, height: int) -> Degradation:
        """The degradation of one picture.

        Args:
            name: of the picture.
            file: of the true one, with its suffix, whose name seeded the draw.
            width, height: in px.

        Raises:
            LimnerError: if the file of parameters doesn't have it.
        """
        if self.preset:
            generator = named_generator(self.files.get(name, file), self.preset)
            if name in self.points:
                return grid_point(self.points[name], generator, width, height)
            return draw(self.preset, generator, width, height)
        if name not in self.parameters and "" not in self.parameters:
            raise LimnerError(f"The degradation of {name} isn't told: add it to the file.")
        told = self.parameters[name if name in self.parameters else ""]
        low_width, low_height = low_resolution(width, height, told["downsample"])
        blur = told["sigma_x"], told["sigma_y"], told["rotation"]
        noise = np.zeros((low_height, low_width, 3))
        return Degradation(*blur, told["downsample"], noise, 0.0, int(told["jpeg_quality"]))

    def save(self, path: Path) -> None:
        """Writes what `read` reads, of draws from a preset."""
        told = {"preset": self.preset, "files": dict(self.files), "points": dict(self.points)}
        write_atomically(path, json.dumps(told, indent=1).encode())


def _checked(told: Mapping[str, object]) -> dict[str, float]:
    """Numbers for all parameters and nothing else.

    Raises:
        ValueError: one is missing, of another name or out of range.
    """
    if set(told) != set(PARAMETERS):
        raise ValueError("names")
    numbers = {key: float(str(value)) for key, value in told.items()}
    if not all(map(np.isfinite, numbers.values())) or numbers["downsample"] <= 0:
        raise ValueError("numbers")
    if min(numbers["sigma_x"], numbers["sigma_y"]) < 0 or not 1 <= numbers["jpeg_quality"] <= 100:
        raise ValueError("range")
    return numbers
