"""The way of a photograph through limner. Start reading here.

file --> Photo --> faces --> aligned crops --> method --> restored crops --> put back --> file
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from threading import RLock

import numpy as np
import torch

from limner import device
from limner.album.references import AlbumReferences
from limner.background.clean import with_clean_background
from limner.background.enlarge import enlarged, load_enlarger
from limner.errors import LimnerError
from limner.faces.align import crop
from limner.faces.chosen import faces_to_restore
from limner.faces.join import Joiner
from limner.faces.placing import placing_of
from limner.faces.put_back import PutBack
from limner.faces.references import Reference, References, ReferenceSource
from limner.faces.samples import most_like, note_on_blend, note_on_kept, note_on_samples
from limner.faces.seen import SeenFace
from limner.faces.tone import keep_tone
from limner.holes.fill import Filled, Filler, Holes
from limner.holes.mask import FilledHoles, Mask, mask_of
from limner.memory import AtOnce
from limner.methods import find_method, load
from limner.methods.crops import seed_of, stacked
from limner.methods.pipeline import ReadReferences
from limner.nets.enlarge import Enlarger
from limner.photo.photo import Photo, Picture
from limner.photo.provenance import Provenance, digest_of
from limner.progress import Asked, Progress
from limner.restoration import Restoration, RestoredCrop
from limner.settings import Settings
from limner.version import __version__


class Restorer:
    """Restores photographs with one method, one set of weights and one source of references, which are loaded once.

    Several threads may use one: its nets take one thread's faces at a time, for a batch is as large as memory allows,
    while others read, look for faces, put back and write. On a CPU one for each thread does more, see `for_a_thread`.

    Args:
        settings: how to restore.
        max_megapixels: larger files are refused, of photos and of references.

    Raises:
        LimnerError: if method, device or settings don't exist, or a reference can't be used.
        PhotoError: if a reference can't be read.
        WeightsError: if the weights are missing or don't fit.
    """

    def __init__(self, settings: Settings | None = None, max_megapixels: float = 100.0):
        self.settings, self.max_megapixels = settings or Settings(), max_megapixels
        self.compute = device.choose(self.settings.device, self.settings.dtype, self.settings.threads)
        self.method = load(self.settings.method, self.settings.weights, self.settings.scheduler)
        self.options = self.settings.sampling(self.method.options)
        self.options.suit_each_other()
        self.finish = self.method.finish if self.settings.finish is None else self.settings.finish
        self.method.check(self.finish)  # what is impossible is refused at once
        for net in self.method.nets:
            self.compute.place(net)
        self.size = self.method.info.size
        self.at_once = AtOnce(self.compute, self.size)
        self.joiner = Joiner(self.compute)
        self.placing = placing_of(self.settings)
        self.references: ReferenceSource = (
            AlbumReferences(self.settings, self.size, self.compute.device, max_megapixels)
            if self.settings.album
            else References.read(self.settings, self.size, self.compute.device, max_megapixels)
        )
        self._read: tuple[tuple[Reference, ...], ReadReferences] | None = None
        self._one_at_a_time = RLock()  # one that a progress callback may take again

    def for_a_thread(self, sharing: int = 1) -> Restorer:
        """One more with the same method, which waits for no other and computes in one thread of the CPU. What fills
        holes it loads itself, if it is asked to.

        Args:
            sharing: how many there are: the memory must do for all of them.
        """
        other = copy(self)
        other.settings, other.at_once = replace(self.settings, threads=1), AtOnce(self.compute, self.size, sharing)
        other._one_at_a_time = RLock()
        other.__dict__.pop("filler", None)  # each photograph's choice of faces is set on it
        return other

    @cached_property
    def filler(self) -> Filler:
        """What fills holes; its weights are loaded when it is first asked for, a WeightsError if they don't fit."""
        return Filler(self.settings, self.placing, self.compute)

    @cached_property
    def enlarger(self) -> Enlarger:
        """What enlarges photos, likewise."""
        return load_enlarger(self.compute)

    def fill(self, photo: Photo, mask: Mask | None) -> Filled | None:
        """A photo without its holes, as `restore` begins; None where there is no mask. See there."""
        if mask is None:
            return None
        with self._one_at_a_time:
            self.filler.settings = self.settings  # of the page's photographs each has its own choice of faces
            holes = mask_of(mask, photo, self.max_megapixels, self.compute)
            return self.filler.fill(photo, holes, mask)

    def restore(self, photo: Picture, progress: Progress | None = None, mask: Holes | None = None) -> Restoration:
        """Walks the whole way, from a photo to restored photos.

        Args:
            photo: a path, a `Photo`, a picture of Pillow's or an array, as `Photo.of` takes it; it is not changed.
            progress: called with (net evaluations done, of how many), and once more with the last numbers before each
                face is put back. What it raises, as `limner.Cancelled`, ends the restoration.
            mask: the photo's holes, white in a picture of its upright size, or `auto-black`: see
                `limner.holes.mask.mask_of`; or what `fill` made of it. They are filled before all else.

        Raises:
            LimnerError: if a chosen face doesn't exist or a setting lies outside its range, or the mask doesn't fit.
            PhotoError: if it can't be read, or is no photograph.
        """
        started = time.perf_counter()
        device.use_threads(self.settings.threads)
        photo, asked = Photo.of(photo, self.max_megapixels), Asked(progress)
        holes = mask if isinstance(mask, Filled) else self.fill(photo, mask)
        photo = holes.photo if holes else photo
        rgb, settings = photo.srgb(), self.settings
        chosen = faces_to_restore(rgb, self.placing, settings, self.size)
        faces = chosen.restored
        matrices = [self.placing.matrix(rgb, face, self.size) for face in faces]
        crops = [crop(rgb, matrix, self.size) for matrix in matrices]
        references = self.references.of_faces(photo, faces, crops)
        restored = self.restore_crops(crops, [face.number for face in faces], asked, references.each)
        put_back = self.put_back(photo, rgb, faces, crops, restored, asked, holes=holes)
        count = sum(map(len, references.each))
        return Restoration(
            photos=[put_back.photo.replaced(pixels) for pixels in put_back.canvases],
            faces=faces,
            provenance=self.provenance(
                photo.path, len(faces), put_back.share_invented, count, holes and holes.recorded
            ),
            seconds=time.perf_counter() - started,
            invented=put_back.invented,
            referenced=references.owner,
            people=list(references.people),
            aligned=crops,
            crops=restored,
            left_alone=chosen.left_alone,
            below=chosen.below,
            on_holes=holes.notes if holes else [],
            notes=[
                *photo.notes,
                *(holes.notes if holes else []),
                *chosen.notes,
                *([self.method.info.note] if self.method.info.note else []),
                *note_on_blend(matrices, self.method.info, settings),
                *references.told(find_method(settings.method)),
                *note_on_kept([one.numbers for one in restored], settings),
                *note_on_samples(put_back.canvases, put_back.invented, find_method(settings.method).freer),
            ],
        )

    def put_back(
        self,
        photo: Photo,
        rgb: np.ndarray,
        faces: Sequence[SeenFace],
        crops: Sequence[np.ndarray],
        restored: Sequence[RestoredCrop],
        asked: Asked | None = None,
        picks: Sequence[int] | None = None,
        holes: Filled | None = None,
    ) -> PutBack:
        """Puts restored faces back into their photo.

        Args:
            photo, rgb: as it is, and as `Photo.srgb` shows it.
            faces, crops, restored: of the photo, the same aligned, (S, S, 3) uint8, and what became of each.
            asked: is asked again before each face.
            picks: of each face the one sample that goes back; None makes as many photos as there are samples.
            holes: what `fill` gave, where the photo had some.
        """
        settings = self.settings if picks is None else replace(self.settings, samples=1, keep=None)
        clean = settings.background == "clean"
        canvas, enlarge = enlarged(photo, settings.upscale, lambda: self.enlarger, clean and not faces)
        shown, start = rgb if canvas is photo else canvas.srgb(), None
        if clean and canvas is photo:
            start = with_clean_background(photo, rgb, self.joiner)
        elif clean and faces:  # these are joined with what the photo has: a net may take off what is a face's own
            start = enlarged(photo, settings.upscale, lambda: self.enlarger, clean=True)[0].pixels
        filled = holes.at(*shown.shape[1::-1]) if holes else None
        put_back = PutBack(canvas, shown, settings, self.joiner, start, filled)
        for place, (face, before, after) in enumerate(zip(faces, crops, restored, strict=True)):
            if asked:
                asked.again()
            matrix, tint = self.placing.matrix(rgb, face, self.size), self.placing.tone(rgb, face)
            taken = range(len(after.samples)) if picks is None else [picks[place]]
            toned = [keep_tone(before.astype(np.float32) / 255, after.samples[sample], tint) for sample in taken]
            seeds = [seed_of(settings.seed, face.number, after.numbers[sample]) for sample in taken]
            put_back.face(toned, matrix @ enlarge, tint, seeds)
        return put_back

    def restore_crops(
        self,
        crops: Sequence[np.ndarray],
        numbers: Sequence[int] | None = None,
        progress: Progress | None = None,
        references: Sequence[References] = (),
    ) -> list[RestoredCrop]:
        """Restores aligned crops.

        Args:
            crops: (S, S, 3) uint8 each.
            numbers: the faces' places among all that were found: they seed the noise, so that the choice of faces
                doesn't change what becomes of the others. None counts the crops.
            progress: see `restore`.
            references: of each crop, empty ones too; none at all where no crop has any.

        Raises:
            LimnerError: if crops are of another kind, or numbers and crops differ in number.
        """
        if not crops:
            return []
        numbers = range(len(crops)) if numbers is None else numbers
        if len(numbers) != len(crops):
            raise LimnerError(f"{len(crops)} crops need {len(crops)} numbers of faces, not {len(numbers)}.")
        settings = self.settings
        device.use_threads(settings.threads)
        with self._one_at_a_time:
            known = [self.read(one) if one else None for one in references] if any(references) else None
            out = self.at_once(
                lambda at_once: self.method(
                    stacked(crops),
                    finish=self.finish,
                    references=known,
                    samples=settings.samples,
                    generator=[
                        torch.Generator().manual_seed(seed_of(settings.seed, number, sample))
                        for number in numbers
                        for sample in range(settings.samples)
                    ],
                    batch_size=at_once,
                    progress=progress,
                    **asdict(self.options),
                )
            )
        pictures = out.images.permute(0, 2, 3, 1).numpy()
        starts = range(0, len(pictures), settings.samples)
        restored = [RestoredCrop(list(pictures[i : i + settings.samples])) for i in starts]
        for name, stack in out.on_the_way().items():
            for face, picture in zip(restored, stack.permute(0, 2, 3, 1).numpy(), strict=True):
                face.on_the_way[name] = picture
        if settings.keep:
            for face, person in zip(restored, references, strict=True):
                face.numbers = most_like(face.samples, person)[: settings.keep]
                face.samples = [face.samples[number] for number in face.numbers]
        return restored

    def read(self, references: References) -> ReadReferences:
        """Reads references with the method's nets, once for all photographs that they serve.

        Args:
            references: of one person, at least one.

        Returns:
            What the method's `read` gives. That of the references read last is kept.
        """
        with self._one_at_a_time:
            kept = self._read
            if kept is None or kept[0] != references.known:
                read = self.at_once(
                    lambda at_once: self.method.pipeline.read(
                        references.pictures(), batch_size=at_once, **asdict(self.options)
                    )
                )
                kept = self._read = references.known, read  # one set at a time: it is large
            return kept[1]

    def provenance(
        self,
        source: Path | None,
        faces: int,
        invented: float | None,
        references: int | None = None,
        holes: FilledHoles | None = None,
    ) -> Provenance | None:
        """What a saved result says about how it was made; None where nothing was changed.

        Args:
            source: the photo's file; None of a photo that was never one.
            faces: how many were restored.
            invented: see `Provenance`.
            references: of all faces together; None where they count as they were given.
            holes: that were filled; None where there was no mask.
        """
        settings = self.settings
        digest = digest_of(Path(source)) if source and Path(source).is_file() else None
        precision = self.compute.precision
        filled = {"filled": holes.share, "mask": holes.digest} if holes else {}
        if not faces:
            how = settings.recorded()
            made = {"source": digest, "options": how, "precision": precision}
            if settings.background == "clean" or settings.upscale > 1:
                what = "clean" if settings.background == "clean" else "enlarge"
                return Provenance(what, "mini", None, 0, __version__, invented=0.0, **made, **filled)
            return Provenance("fill", "mini", None, 0, __version__, **made, **filled) if filled else None
        count, told = self.references.recorded(source)
        return Provenance(
            settings.method,
            Path(self.method.info.name).resolve().name,  # of a folder not the path, which is the user's own
            settings.seed,
            faces,
            __version__,
            (references if count is None else count) or 0,
            None if invented is None else round(invented, 3),
            source=digest,
            strength=settings.strength if isinstance(settings.strength, str) else f"{settings.strength:g}",
            steps=self.options.steps,
            finish=self.finish,
            scheduler=settings.scheduler or "ddim",
            options=settings.recorded(self.options, told),
            precision=precision,
            **filled,
        )
