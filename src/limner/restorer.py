"""The way of a photograph through limner. Start reading here.

file --> Photo --> faces --> aligned crops --> method --> restored crops --> pasted back --> file
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch

from limner import __version__, device
from limner.errors import LimnerError
from limner.faces.align import crop, similarity, template
from limner.faces.find import Face, choose_faces, find_faces
from limner.faces.paste import paste
from limner.methods import load
from limner.photo import Photo
from limner.pixels import to_tensor
from limner.provenance import Provenance
from limner.tone import keep_tone, tone

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """How to restore.

    Attributes:
        method: see `limner.methods()`.
        weights: `mini` (embedded), `official` (the authors', fetched before) or a folder.
        start, steps, eta: of the sampling; None takes what suits the weights. `steps=0` is the estimator alone.
        scheduler: `ddim`, `dpmsolver++` or `unipc`; None is the paper's.
        samples: results wanted for each photo.
        seed: of all noise.
        faces: `all`, `largest`, or indices (0 is the largest).
        min_face: faces smaller than this, in pixels of the photo, are left alone.
        min_score: faces the finder is less sure of (0 to 1) are left alone.
        detector: `haar` (embedded) or `yunet`, with `yunet` the path of its ONNX file.
        aligned: the photo is itself an aligned face crop.
        strength: 0 leaves the face as it was, 1 takes the restored one.
        upscale: enlarges the photo by this whole factor, background by Lanczos.
        device, dtype, threads: see `limner.device.choose`.
    """

    method: str = "difface"
    weights: str = "mini"
    start: int | None = None
    steps: int | None = None
    eta: float | None = None
    scheduler: str | None = None
    samples: int = 1
    seed: int = 0
    faces: Literal["all", "largest"] | Sequence[int] = "all"
    min_face: float = 0
    min_score: float = 0
    detector: str = "haar"
    yunet: Path | None = None
    aligned: bool = False
    strength: float = 1.0
    upscale: int = 1
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise LimnerError(f"The strength must lie between 0 (original) and 1 (restored), not {self.strength}.")
        if not 1 <= self.samples <= 64:
            raise LimnerError(f"{self.samples} samples can't be made: ask for 1 to 64.")
        if not 1 <= self.upscale <= 8:
            raise LimnerError(f"A photo can be enlarged 1 to 8 times, not {self.upscale} times.")


@dataclass
class Restoration:
    """What became of one photograph.

    Attributes:
        photos: the restored photographs, one for each sample.
        faces: the faces that were restored, in the photo's own pixels.
        provenance: what the saved file says about itself; None where nothing was changed.
        notes: what the user should know, one sentence each.
        seconds: spent.
    """

    photos: list[Photo]
    faces: list[Face]
    provenance: Provenance | None
    seconds: float
    notes: list[str] = field(default_factory=list)


class Restorer:
    """Restores photographs with one method and one set of weights, which are loaded once.

    Raises:
        LimnerError: if method, device or settings don't exist.
        WeightsError: if the weights are missing or don't fit.
    """

    def __init__(self, settings: Settings | None = None):
        self.settings = settings or Settings()
        self.compute = device.choose(self.settings.device, self.settings.dtype, self.settings.threads)
        self.method = load(self.settings.method, self.settings.weights, self.settings.scheduler)
        for net in (self.method.pipeline.estimator, self.method.pipeline.unet):
            self.compute.place(net)
        self.size = self.method.info.size

    def restore(self, photo: Photo, progress: Progress | None = None) -> Restoration:
        """Walks the whole way, from a photo to restored photos.

        Args:
            photo: as `Photo.open` reads it; it is not changed.
            progress: called with (net evaluations done, of how many).

        Raises:
            LimnerError: if a chosen face doesn't exist or a setting lies outside its range.
        """
        started = time.perf_counter()
        rgb = photo.srgb()
        found = self.find(rgb)
        faces = self.choose(found)
        matrices = [self.matrix(rgb, face) for face in faces]
        crops = [crop(rgb, matrix, self.size) for matrix in matrices]
        canvas, enlarge = enlarged(photo, self.settings.upscale)
        canvases = [canvas.pixels] * self.settings.samples
        if faces:
            numbers = [next(i for i, one in enumerate(found) if one is face) for face in faces]
            restored = self.restore_crops(crops, numbers, progress)
            for face, matrix, before, results in zip(faces, matrices, crops, restored, strict=True):
                tint = tone(rgb, None if self.settings.aligned else face.box)
                for sample, result in enumerate(results):
                    result = keep_tone(before.astype(np.float32) / 255, result, tint)
                    native = photo.from_srgb(result)
                    canvases[sample] = self.put_back(canvases[sample], native, matrix @ enlarge)
        return Restoration(
            photos=[canvas.replaced(pixels) for pixels in canvases],
            faces=faces,
            provenance=self.provenance(len(faces)) if faces else None,
            seconds=time.perf_counter() - started,
            notes=self.notes(matrices),
        )

    def find(self, rgb: np.ndarray) -> list[Face]:
        """All faces of a picture, (H, W, 3) uint8, largest first; an aligned picture is one face."""
        if self.settings.aligned:
            height, width = rgb.shape[:2]
            points = (template(1) * (width, height)).astype(np.float32)
            return [Face((0.0, 0.0, float(width), float(height)), points, 1.0)]
        return find_faces(rgb, self.settings.detector, self.settings.yunet)

    def choose(self, found: list[Face]) -> list[Face]:
        """Those faces that the settings ask for."""
        wish = self.settings
        return choose_faces(found, wish.faces, wish.min_face, wish.min_score)

    def matrix(self, rgb: np.ndarray, face: Face) -> np.ndarray:
        """From the picture to the crop, 2x3. An aligned picture is only resized."""
        if not self.settings.aligned:
            return similarity(face.landmarks, self.size)
        height, width = rgb.shape[:2]
        across, down = self.size / width, self.size / height
        return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])

    def restore_crops(
        self, crops: Sequence[np.ndarray], numbers: Sequence[int], progress: Progress | None = None
    ) -> list[list[np.ndarray]]:
        """Restores aligned crops: (S, S, 3) uint8 each to one (S, S, 3) float32 in [0, 1] for each sample.

        `numbers` are the faces' places among all that were found: they seed the noise, so that the choice of faces
        doesn't change what becomes of the others.
        """
        wish = self.settings
        out = self.method.pipeline(
            torch.stack([to_tensor(one) for one in crops]),
            **self.sampling(),
            samples=wish.samples,
            generator=[
                torch.Generator().manual_seed(seed_of(wish.seed, face, sample))
                for face in numbers
                for sample in range(wish.samples)
            ],
            batch_size=self.compute.batch_size(self.size),
            progress=progress,
        )
        pictures = out.images.permute(0, 2, 3, 1).numpy()
        return [list(pictures[i : i + wish.samples]) for i in range(0, len(pictures), wish.samples)]

    def sampling(self) -> dict[str, Any]:
        """The arguments of the sampling: the user's, else what suits the weights."""
        wish = asdict(self.settings)
        suited = asdict(self.method.sampling)
        return {name: value if wish[name] is None else wish[name] for name, value in suited.items()}

    def put_back(self, pixels: np.ndarray, restored: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Pastes a restored crop; an aligned picture is restored out to its edges."""
        if not self.settings.aligned:
            return paste(pixels, restored, matrix, self.settings.strength)
        height, width = pixels.shape[:2]
        grown = np.clip(cv2.resize(restored, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
        white = np.iinfo(pixels.dtype).max
        blended = pixels + self.settings.strength * (grown * white - pixels)
        return np.clip(np.rint(blended), 0, white).astype(pixels.dtype)

    def provenance(self, faces: int) -> Provenance:
        """What a saved result says about how it was made."""
        return Provenance(self.settings.method, self.method.info.name, self.settings.seed, faces, __version__)

    def notes(self, matrices: Sequence[np.ndarray]) -> list[str]:
        """Warns where the photo holds more of a face than the weights can give back."""
        scales = [float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) for matrix in matrices]
        larger = sum(scale < 0.75 for scale in scales)
        if not larger:
            return []
        return [
            f"{larger} of {len(scales)} faces are larger in the photo than the {self.size} px of the weights "
            f"'{self.method.info.name}', so the restored face can be softer than a sharp original: lower --strength "
            "or use weights of a larger size."
        ]


def restore(
    source: Path | str,
    target: Path | str,
    settings: Settings | None = None,
    *,
    max_megapixels: float = 100.0,
    quality: int | None = None,
) -> Restoration:
    """Restores the faces of one photograph file into another.

    Args:
        source: JPEG, PNG, WebP, AVIF, TIFF or BMP.
        target: the file to write; its suffix decides the format.
        settings: how to restore.
        max_megapixels: larger photos are refused.
        quality: of lossy formats, 1 to 100.

    Raises:
        PhotoError: if the file can't be read or written.
        LimnerError: if a setting can't be met.
    """
    photo = Photo.open(source, max_megapixels)
    restoration = Restorer(settings).restore(photo)
    restoration.photos[0].save(target, quality=quality, provenance=restoration.provenance)
    return restoration


def enlarged(photo: Photo, factor: int) -> tuple[Photo, np.ndarray]:
    """The photo grown by a whole factor, and the 3x3 matrix from the grown picture to the original one."""
    if factor == 1:
        return photo, np.eye(3)
    height, width = photo.pixels.shape[:2]
    target = (width * factor, height * factor)
    pixels = cv2.resize(photo.pixels, target, interpolation=cv2.INTER_LANCZOS4)
    alpha = None if photo.alpha is None else cv2.resize(photo.alpha, target, interpolation=cv2.INTER_LANCZOS4)
    shift = 0.5 / factor - 0.5  # pixel centres
    back = np.array([[1 / factor, 0, shift], [0, 1 / factor, shift], [0, 0, 1]])
    return replace(photo, pixels=pixels, alpha=alpha), back


def seed_of(seed: int, face: int, sample: int) -> int:
    """A seed of its own for each face and sample."""
    return int(np.random.SeedSequence((seed, face, sample)).generate_state(1, np.uint64)[0] >> 1)
