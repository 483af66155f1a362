"""The way of a photograph through limner. Start reading here.

file --> Photo --> faces --> aligned crops --> method --> restored crops --> pasted back --> file
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import cv2
import numpy as np
import torch
from torch import nn

from limner import __version__, device, weights
from limner.errors import LimnerError
from limner.faces.align import crop, similarity, stretch, template
from limner.faces.find import Face, choose_faces, find_faces
from limner.faces.paste import paste
from limner.faces.references import Reference, read_references, resemblance
from limner.methods import METHODS, find_method, load
from limner.photo import Photo
from limner.pixels import to_tensor
from limner.provenance import Provenance
from limner.tone import keep_tone, tone

if TYPE_CHECKING:
    from limner.methods.clrface import CLRFacePipeline, PersonRead
    from limner.methods.refldm import ReadReferences, RefLDMPipeline
    from limner.nets.identity import IdentityNet

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """How to restore.

    Attributes:
        method: see `limner.methods()`.
        weights: `mini` (embedded), `official` (the authors', fetched before) or a folder.
        references: other photographs of the person, for a method that can use them: files, folders of files or
            photographs. The largest face of each counts.
        start, steps, eta, guidance, timetable, encoding, snap, mask, guide_below, guide_every, finish: of the
            sampling; None takes what suits the weights. A method knows some of them, see `limner.methods.loaded`.
        scheduler: `ddim`, `dpmsolver++` or `unipc`; None is the paper's.
        samples: results wanted for each photo.
        seed: of all noise.
        faces: `all`, `largest`, or indices (0 is the largest).
        min_face: faces smaller than this, in pixels of the photo, are left alone.
        min_score: faces the finder is less sure of (0 to 1) are left alone.
        detector: `haar` (embedded) or `yunet`, with `yunet` the path of its ONNX file.
        aligned: the photo is itself an aligned face crop, and so are the references.
        strength: 0 leaves the face as it was, 1 takes the restored one.
        upscale: enlarges the photo by this whole factor, background by Lanczos.
        device, dtype, threads: see `limner.device.choose`.
    """

    method: str = "difface"
    weights: str = "mini"
    references: Sequence[str | PathLike[str] | Photo] = ()
    start: int | None = None
    steps: int | None = None
    eta: float | None = None
    guidance: float | None = None
    timetable: str | None = None
    encoding: str | None = None
    snap: bool | None = None
    mask: str | None = None
    guide_below: int | None = None
    guide_every: int | None = None
    finish: int | None = None
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
        if isinstance(self.references, str | PathLike | Photo):
            raise LimnerError("The references must be a list, also where there is one: [reference].")
        if self.references and not find_method(self.method).references:
            able = " or ".join(name for name, method in METHODS.items() if method.references)
            raise LimnerError(f"The method '{self.method}' can't use references: choose {able}, or leave them out.")


@dataclass
class RestoredCrop:
    """What became of one aligned crop; pictures are (S, S, 3) float32 in [0, 1].

    Attributes:
        samples: the results.
        on_the_way: by their names, what the method made before them; see `MethodInfo.on_the_way`.
    """

    samples: list[np.ndarray]
    on_the_way: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Restoration:
    """What became of one photograph.

    Attributes:
        photos: the restored photographs, one for each sample.
        faces: the faces that were restored, in the photo's own pixels.
        crops: the same as aligned crops.
        referenced: the place in `faces` of the one that was restored with the references; None without any.
        provenance: what the saved file says about itself; None where nothing was changed.
        notes: what the user should know, one sentence each.
        seconds: spent.
    """

    photos: list[Photo]
    faces: list[Face]
    provenance: Provenance | None
    seconds: float
    referenced: int | None = None
    crops: list[RestoredCrop] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Restorer:
    """Restores photographs with one method, one set of weights and one person's references, which are loaded once.

    Args:
        settings: how to restore.
        max_megapixels: larger references are refused.

    Raises:
        LimnerError: if method, device or settings don't exist, or a reference can't be used.
        PhotoError: if a reference can't be read.
        WeightsError: if the weights are missing or don't fit.
    """

    def __init__(self, settings: Settings | None = None, max_megapixels: float = 100.0):
        self.settings = settings or Settings()
        self.compute = device.choose(self.settings.device, self.settings.dtype, self.settings.threads)
        self.method = load(self.settings.method, self.settings.weights, self.settings.scheduler)
        self.method.check(self.sampling().get("finish", 0))  # what can't be is told at once
        for net in self.method.nets:
            self.compute.place(net)
        self.size = self.method.info.size
        wish = self.settings
        self.references: list[Reference] = read_references(
            wish.references,
            self.size,
            aligned=wish.aligned,
            detector=wish.detector,
            yunet=wish.yunet,
            max_megapixels=max_megapixels,
        )
        self.known: dict[tuple[Reference, ...], ReadReferences | PersonRead] = {}

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
        numbers = [next(i for i, one in enumerate(found) if one is face) for face in faces]
        others = self.others(photo)
        person = self.person(crops, others)
        restored: list[RestoredCrop] = []
        if faces:
            references = None
            if person is not None:
                references = [self.read(others) if i == person else None for i in range(len(faces))]
            restored = self.restore_crops(crops, numbers, progress, references)
            for face, matrix, before, after in zip(faces, matrices, crops, restored, strict=True):
                tint = tone(rgb, None if self.settings.aligned else face.box)
                for sample, result in enumerate(after.samples):
                    result = keep_tone(before.astype(np.float32) / 255, result, tint)
                    native = photo.from_srgb(result)
                    canvases[sample] = self.put_back(canvases[sample], native, matrix @ enlarge)
        return Restoration(
            photos=[canvas.replaced(pixels) for pixels in canvases],
            faces=faces,
            provenance=self.provenance(len(faces), len(others)) if faces else None,
            seconds=time.perf_counter() - started,
            referenced=person,
            crops=restored,
            notes=self.notes(matrices) + self.notes_on_references(numbers, person),
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
        return stretch(width, height, self.size)

    def person(self, crops: Sequence[np.ndarray], references: Sequence[Reference]) -> int | None:
        """Which of a photo's crops the references belong to: the one that resembles them most; None without any."""
        if not references or not crops:
            return None
        if len(crops) == 1:
            return 0
        return int(resemblance(self.identity, [one.crop for one in references], crops).argmax())

    @cached_property
    def identity(self) -> IdentityNet:
        """The recogniser that tells people in a group apart."""
        net = weights.load_identity("mini")
        nn.Module.to(net, self.compute.device)
        return net

    def others(self, photo: Photo) -> tuple[Reference, ...]:
        """The references but for the photo itself, which may well lie among them in a folder."""
        own = None if photo.path is None else Path(photo.path).resolve()
        return tuple(one for one in self.references if own is None or one.path != own)

    def read(self, references: tuple[Reference, ...]) -> ReadReferences | PersonRead:
        """What the method's nets make of references, once for all photographs that they serve."""
        if references not in self.known:
            pipeline = cast("RefLDMPipeline | CLRFacePipeline", self.method.pipeline)
            pictures = torch.stack([to_tensor(one.crop) for one in references])
            wish = {name: value for name, value in self.sampling().items() if name == "encoding"}
            read = pipeline.read(pictures, batch_size=self.compute.batch_size(self.size), **wish)
            self.known = {references: read}  # one set at a time: it is large
        return self.known[references]

    def restore_crops(
        self,
        crops: Sequence[np.ndarray],
        numbers: Sequence[int],
        progress: Progress | None = None,
        references: Sequence[torch.Tensor | ReadReferences | PersonRead | None] | None = None,
    ) -> list[RestoredCrop]:
        """Restores aligned crops, (S, S, 3) uint8 each.

        `numbers` are the faces' places among all that were found: they seed the noise, so that the choice of faces
        doesn't change what becomes of the others. `references` are those of each crop, see `RefLDMPipeline`.
        """
        wish = self.settings
        known: dict[str, Any] = {} if references is None else {"references": references}
        out = self.method(
            torch.stack([to_tensor(one) for one in crops]),
            **self.sampling(),
            **known,
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
        restored = [RestoredCrop(list(pictures[i : i + wish.samples])) for i in range(0, len(pictures), wish.samples)]
        for name, stack in out.on_the_way().items():
            for face, picture in zip(restored, stack.permute(0, 2, 3, 1).numpy(), strict=True):
                face.on_the_way[name] = picture
        return restored

    def sampling(self) -> dict[str, Any]:
        """The arguments of the sampling: the user's, else what suits the weights.

        Raises:
            LimnerError: if the user set one that the method doesn't know.
        """
        from limner.methods.loaded import KNOBS  # torch and diffusers take seconds to import

        suited = {one.name: getattr(self.method.sampling, one.name) for one in fields(self.method.sampling)}
        given = {name: value for name in KNOBS if (value := getattr(self.settings, name)) is not None}
        # any method can go without a finish
        if unknown := [name for name in given if name not in suited and (name, given[name]) != ("finish", 0)]:
            raise LimnerError(
                f"The method '{self.settings.method}' has no setting '{unknown[0]}': it takes {', '.join(suited)}."
            )
        return suited | given

    def put_back(self, pixels: np.ndarray, restored: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Pastes a restored crop; an aligned picture is restored out to its edges."""
        if not self.settings.aligned:
            return paste(pixels, restored, matrix, self.settings.strength)
        height, width = pixels.shape[:2]
        grown = np.clip(cv2.resize(restored, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
        white = np.iinfo(pixels.dtype).max
        blended = pixels + self.settings.strength * (grown * white - pixels)
        return np.clip(np.rint(blended), 0, white).astype(pixels.dtype)

    def provenance(self, faces: int, references: int) -> Provenance:
        """What a saved result says about how it was made."""
        wish = self.settings
        return Provenance(wish.method, self.method.info.name, wish.seed, faces, __version__, references)

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

    def notes_on_references(self, numbers: Sequence[int], person: int | None) -> list[str]:
        """Says where the references went, or that there were none although the method lives on them."""
        if not numbers or not find_method(self.settings.method).references:
            return []
        if person is None:
            return [
                f"There are no references, so the method '{self.settings.method}' restored from the photo alone: other "
                "photos of the same person (--reference) would make the result truer to the person."
            ]
        if len(numbers) == 1:
            return []
        return [
            f"The references went to face {numbers[person]} (0 is the largest), which resembles them most, and the "
            "others were restored without: --faces chooses."
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
    restoration = Restorer(settings, max_megapixels).restore(photo)
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
