"""What happens to a photograph of a session in the queue: it is looked at, its damage is found, it is restored, or
gets another sample of a face; each leaves the pictures that the page shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from limner.album.index import overlap
from limner.album.references import AlbumReferences
from limner.device import choose
from limner.faces.chosen import Chosen, faces_to_restore
from limner.faces.damage import SIDE as SIDE_JUDGED
from limner.faces.placing import placing_of
from limner.faces.recogniser import SIDE as SIDE_SEEN
from limner.folder.pictures import invented_picture
from limner.holes.fill import Filled
from limner.holes.mask import OwnDamage, mask_of
from limner.methods import find_method
from limner.page import restoring
from limner.page.controls import WITH_REFERENCES
from limner.page.marks import as_png
from limner.page.restoring import Restorers, fill, look_at, opened, save, with_picks, without_folder
from limner.page.session import OnePhoto, Result
from limner.page.words import notes_for_people, of_person
from limner.page.work import Job
from limner.photo.photo import Photo
from limner.restoration import Restoration
from limner.settings import Settings

SIDE = 1600
"""Most pixels of a side of what the page shows."""
SAME = 0.3
"""Overlap from which a face that was found again is the same."""


def look(job: Job, one: OnePhoto, settings: Settings, restorers: Restorers) -> None:
    """Finds the faces, and chooses those that are no profiles.

    Raises:
        LimnerError: it can't be read or is too large.
    """
    photo, found = look_at(job, one.path, settings, restorers.limits)
    one.size = (photo.pixels.shape[1], photo.pixels.shape[0])
    one.faces = found.all
    one.chosen = {face.number for face in found.restored}
    one.notes = [without_folder(note, one.folder) for note in photo.notes]
    show(photo.srgb(), one.picture("before"))


def with_album(settings: Settings, one: OnePhoto) -> Settings:
    """Settings that ask the album for the references of a photograph, whatever the method is that they name."""
    able = find_method(settings.method).references
    method = {} if able else {"method": WITH_REFERENCES, "options": {}}
    return replace(settings, **method, album=True, person=one.person)


def recognise(job: Job, one: OnePhoto, settings: Settings, restorers: Restorers) -> None:
    """Has the album say who the faces are, and which references each would get.

    Raises:
        LimnerError: there is no album, another recogniser made it, or it doesn't know whom it should look for.
    """
    job.tell(f"{one.path.name}: looking who is in it")
    compute = choose(settings.device, settings.dtype, settings.threads)
    source = AlbumReferences(settings, SIDE_SEEN, compute.device, restorers.limits.megapixels)
    photo = opened(one.path, restorers.limits)
    one.people = source.of_photo(photo, one.faces, placing_of(settings)).people


def find_damage(job: Job, one: OnePhoto, sensitivity: float, settings: Settings, restorers: Restorers) -> None:
    """Marks the damage that is found.

    Raises:
        LimnerError: the photograph can't be read, or there is no such sensitivity.
    """
    job.tell(f"{one.path.name}: looking for damage")
    limits = restorers.limits
    compute = choose(settings.device, settings.dtype, settings.threads)
    mask = mask_of(OwnDamage(sensitivity), opened(one.path, limits), limits.megapixels, compute)
    job.tell(f"{one.path.name}: marking what was found")  # who stopped it meanwhile keeps what was marked
    one.marks.lay(mask, one.folder, given=False)


def take_mask(job: Job, one: OnePhoto, file: Path, restorers: Restorers) -> None:
    """Takes a mask of the photograph from a file.

    Raises:
        LimnerError: it is none, see `mask_of`.
    """
    job.tell(f"{one.path.name}: looking at its mask")
    limits = restorers.limits
    one.marks.lay(mask_of(file, opened(one.path, limits), limits.megapixels), one.folder, given=True)


def restore(job: Job, one: OnePhoto, settings: Settings, restorers: Restorers) -> None:
    """Fills what is marked, and restores the chosen faces.

    Raises:
        LimnerError: a setting can't be met, or all of the photograph is marked.
    """
    settings = replace(settings, person=one.person if settings.album else None)
    holes, filled = holes_of(one), None
    if holes:
        _, filled = fill(job, one.path, holes, settings, restorers)
        look_again(one, filled, settings)
    settings = replace(settings, faces=sorted(one.chosen))
    photo, done = restoring.restore(job, one.path, settings, restorers, len(one.chosen), filled)
    for place, crop in enumerate(done.crops):
        for number, sample in enumerate(crop.samples):
            show(np.rint(255 * sample).astype(np.uint8), version_file(one, place, number))
    _keep(one, photo, done, settings, [0] * len(done.faces), holes)


def holes_of(one: OnePhoto) -> Path | None:
    """What is marked in a photograph, as a file of its own, for it may change while it is filled; None where nothing
    is."""
    mask = one.marks.mask(one.size)
    if not mask.any():
        return None
    file = one.folder / f"holes-{one.version}.png"
    file.write_bytes(as_png(mask))
    return file


def look_again(one: OnePhoto, filled: Filled, settings: Settings) -> None:
    """Looks for the faces of a photograph without its holes, for there may be others, and chooses those that were
    chosen before."""
    settings = replace(settings, faces="all")
    found = faces_to_restore(filled.photo.srgb(), placing_of(settings), settings, SIDE_JUDGED)
    chosen = chosen_again(one, found)
    if [face.number for face in found.all] != [face.number for face in one.faces]:
        one.people = ()  # numbers mean others now
    one.faces, one.chosen = found.all, chosen


def chosen_again(one: OnePhoto, found: Chosen) -> set[int]:
    """The numbers of those faces that were chosen when they were found before; of new ones, that are no profiles."""
    chosen = {face.number for face in found.restored}
    for face in found.all:
        before = max(one.faces, key=lambda other: overlap(other.box, face.box), default=None)
        if before is not None and overlap(before.box, face.box) > SAME:
            (chosen.add if before.number in one.chosen else chosen.discard)(face.number)
    return chosen


def pick(job: Job, one: OnePhoto, place: int, sample: int, restorers: Restorers) -> None:
    """Takes another sample of one face.

    Args:
        job: is told what is done.
        one: a photograph with a result.
        place: of the face among those that were restored.
        sample: its number.
        restorers: lend the one that made it.
    """
    result = one.result
    if result is None:
        return
    picks = [*result.picks]
    picks[place] = sample
    filled = None
    if result.holes:
        photo, filled = fill(job, one.path, result.holes, result.settings, restorers)
    else:
        photo = opened(one.path, restorers.limits)
    restorer = restorers.of(result.settings)
    job.tell(f"{one.path.name}: putting the face back")
    done = with_picks(restorer, photo, result.done, picks, filled)
    _keep(one, photo, done, result.settings, picks, result.holes)


def version_file(one: OnePhoto, place: int, sample: int) -> Path:
    """The picture of one sample of one face."""
    return one.folder / f"face{place}-{sample}.jpg"


def _keep(
    one: OnePhoto, photo: Photo, done: Restoration, settings: Settings, picks: list[int], holes: Path | None
) -> None:
    """Writes the result and its pictures; keeps what is needed to take another sample, but no photographs."""
    file, lost = save(done.photos[0], done.provenance, one.path, one.folder / "result")
    after = done.photos[0].srgb()
    before = photo.srgb()
    if before.shape != after.shape:
        before = cv2.resize(before, (after.shape[1], after.shape[0]), interpolation=cv2.INTER_LANCZOS4)
    for picture, what in ((before, "before"), (after, "after"), (invented_picture(done), "map")):
        show(picture, one.picture(what))
    said = [*map(of_person, done.people), *notes_for_people(done), *lost]
    notes = [without_folder(note, one.folder.parent) for note in said]
    rest = replace(done, photos=[], invented=np.zeros((0, 0), np.uint8))
    one.result = Result(file, rest, settings, picks, list(dict.fromkeys(notes)), holes)
    one.version += 1


def show(rgb: np.ndarray, file: Path) -> None:
    """Writes a picture, (H, W, 3) uint8, as JPEG, no larger than the page shows it."""
    picture = Image.fromarray(rgb)
    picture.thumbnail((SIDE, SIDE))
    picture.save(file, "JPEG", quality=90)
