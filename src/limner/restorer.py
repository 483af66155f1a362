"""The way of a photograph through limner. Start reading here.

file --> Photo --> faces --> aligned crops --> method --> restored crops --> put back --> file
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import torch
from torch import nn

from limner import device, weights
from limner.errors import LimnerError
from limner.faces.align import crop, similarity, stretch
from limner.faces.find import Face, choose_faces, find_faces
from limner.faces.join import Joiner
from limner.faces.put_back import PutBack
from limner.faces.references import Reference, read_references, resemblance
from limner.faces.tone import keep_tone, tone
from limner.methods import find_method, load
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance
from limner.pixels import to_tensor
from limner.settings import Settings
from limner.template import template
from limner.version import __version__

if TYPE_CHECKING:
    from limner.methods.clrface import CLRFacePipeline, PersonRead
    from limner.methods.refldm import ReadReferences, RefLDMPipeline
    from limner.nets.identity import IdentityNet

Progress = Callable[[int, int], None]


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
        invented: (H, W) uint8, over the restored photo: 0 where all that is seen is the photo's own, 255 where it is
            made up, by the share of the restoration and, of several samples, by how far they differ.
    """

    photos: list[Photo]
    faces: list[Face]
    provenance: Provenance | None
    seconds: float
    invented: np.ndarray
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
        self.joiner = Joiner(self.compute)
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
        numbers = [next(i for i, one in enumerate(found) if one is face) for face in faces]
        others = self.others(photo)
        person = self.person(crops, others)
        restored: list[RestoredCrop] = []
        if faces:
            references = None
            if person is not None:
                references = [self.read(others) if i == person else None for i in range(len(faces))]
            restored = self.restore_crops(crops, numbers, progress, references)
        shown = rgb if canvas is photo else canvas.srgb()
        put_back = PutBack(canvas, shown, self.settings, self.joiner)
        for face, matrix, number, before, after in zip(faces, matrices, numbers, crops, restored, strict=True):
            tint = tone(rgb, None if self.settings.aligned else face.box)
            toned = [keep_tone(before.astype(np.float32) / 255, one, tint) for one in after.samples]
            seeds = [seed_of(self.settings.seed, number, sample) for sample in range(len(toned))]
            put_back.face(toned, matrix @ enlarge, tint, seeds)
        return Restoration(
            photos=[canvas.replaced(pixels) for pixels in put_back.canvases],
            faces=faces,
            provenance=self.provenance(len(faces), len(others), put_back.share_invented),
            seconds=time.perf_counter() - started,
            invented=put_back.invented,
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

    def provenance(self, faces: int, references: int, invented: float) -> Provenance | None:
        """What a saved result says about how it was made; None where nothing was changed."""
        wish = self.settings
        if faces:
            name = self.method.info.name
            return Provenance(wish.method, name, wish.seed, faces, __version__, references, round(invented, 3))
        if wish.background == "clean":
            return Provenance("clean", "mini", None, 0, __version__, invented=0.0)
        return None

    def notes(self, matrices: Sequence[np.ndarray]) -> list[str]:
        """Warns where a plain blend takes more from a face than the weights give."""
        if self.settings.strength == "auto":
            return []
        scales = [float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) for matrix in matrices]
        larger = sum(scale < 0.75 for scale in scales)
        if not larger:
            return []
        return [
            f"{larger} of {len(scales)} faces are larger in the photo than the {self.size} px of the weights "
            f"'{self.method.info.name}', so the restored face can be softer than a sharp original: leave --strength "
            "at auto, or use weights of a larger size."
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
