"""What the faces of a clip are restored with: photographs of the person that were given, an album's, or the clip's own
clearest frames, which serve the others as references.

Each track has the same references from its first frame to its last, and so have all tracks of one person. Of frames no
more is held than the crops of their faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from limner.album.group import JOIN
from limner.faces.align import crop, similarity
from limner.faces.find import face_of
from limner.faces.references import Reference, References
from limner.faces.seen import SeenFace, seen
from limner.methods import find_method
from limner.photo.photo import Photo
from limner.restorer import Restorer
from limner.video.look import Looked
from limner.video.picture import View
from limner.video.read import Part, frames_of
from limner.video.tracks import Sighting, Track

CLEAR = 0.5
"""Damage above which no frame is a reference: it would teach the others its own."""
CLEARER = 0.1
"""By so much less damaged than the middle one of its person a frame is at least."""
FRONTAL = 40.0
"""Degrees of yaw up to which it shows enough of the face."""
APART = 0.4
"""Seconds between two references of a track: neighbours show the same."""
_LARGE = 256.0  # pixels of a crop from which it is large enough


@dataclass(frozen=True, eq=False)
class _Shown:
    """What a frame shows of a face that references are looked for, or that is one.

    Attributes:
        frame: its number.
        face: as the finder of photographs' faces sees it; its number is its track's.
        crop: (S, S, 3) uint8, aligned.
    """

    frame: int
    face: SeenFace
    crop: np.ndarray


@dataclass
class ClipReferences:
    """The references of each track, by its number; a track without any has none here.

    Attributes:
        each: by the track's number.
        notes: sentences for the user.
    """

    each: dict[int, References] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are of all people together."""
        return sum(len(one) for one in {id(one): one for one in self.each.values()}.values())


def references_of(
    restorer: Restorer, view: View, part: Part, looked: Looked, tracks: Sequence[Track], own: bool = True
) -> ClipReferences:
    """The references of a clip's tracks.

    Args:
        restorer: whose method and references they are.
        view, part: of the clip.
        looked: what it shows.
        tracks: that are restored.
        own: whether the clip's own frames may be references, where there are no others.
    """
    if not find_method(restorer.settings.method).references or not tracks:
        return ClipReferences()
    seconds = np.array(looked.times) * float(view.info.time_base)
    people = same_people(tracks)
    if restorer.settings.references or restorer.settings.album:
        return _given(restorer, people, _shown(restorer, view, part, [best(person) for person in people]))
    if not own:
        return ClipReferences()
    most = restorer.settings.references_per_face
    wanted = [one for person in people for one in clearest(person, seconds, most)]
    return _own(restorer, view, looked, people, _shown(restorer, view, part, wanted))


def same_people(tracks: Sequence[Track]) -> list[list[Track]]:
    """Tracks that show one person together; no person is twice in one frame."""
    people: list[list[Track]] = []
    for track in tracks:
        alike = [
            (float(np.mean([one.vector @ track.vector for one in person])), person)
            for person in people
            if track.vector is not None
            and all(one.vector is not None and not set(one.frames) & set(track.frames) for one in person)
        ]
        best = max(alike, key=lambda pair: pair[0], default=(0.0, []))
        if best[0] >= JOIN:
            best[1].append(track)
        else:
            people.append([track])
    return people


def cost(face: Sighting) -> float:
    """What speaks against a sighting as a reference: its damage, and what it lacks in size."""
    small = max(0.0, float(np.log2(_LARGE / max(2 * face.size, 1))))
    return (1.0 if face.damage is None else face.damage) + 0.5 * small


def best(person: Sequence[Track]) -> tuple[Track, int]:
    """The sighting by which a person is recognised: the one that costs least, as its track and its place there."""
    every = ((track, place) for track in person for place in range(len(track.seen)))
    return min(every, key=lambda one: cost(one[0].seen[one[1]]))


def clearest(person: Sequence[Track], seconds: np.ndarray, most: int) -> list[tuple[Track, int]]:
    """The clearest sightings of a person, the best first, each as its track and its place there.

    Args:
        person: all tracks of one.
        seconds: of the clip's frames.
        most: how many are taken at most.
    """
    every = [(cost(face), track, place) for track in person for place, face in enumerate(track.seen)]
    usual = float(np.median([one for one, _, _ in every]))
    taken: list[tuple[Track, int]] = []
    for price, track, place in sorted(every, key=lambda one: (one[0], one[1].number, one[2])):
        face, time = track.seen[place], seconds[track.frames[place]]
        fit = face.damage is not None and face.damage <= CLEAR and abs(face.yaw or 0) <= FRONTAL and not face.outside
        far = all(abs(seconds[other.frames[n]] - time) >= APART for other, n in taken)
        if fit and far and price <= usual - CLEARER and len(taken) < most:
            taken.append((track, place))
    return taken


def _shown(restorer: Restorer, view: View, part: Part, wanted: Sequence[tuple[Track, int]]) -> list[_Shown]:
    """What the frames show of sightings, in the order of the frames."""
    by_frame: dict[int, list[tuple[Track, int]]] = {}
    for track, place in wanted:
        by_frame.setdefault(track.frames[place], []).append((track, place))
    shown: list[_Shown] = []
    for number, frame in enumerate(frames_of(view.info, part)):
        if number > max(by_frame, default=-1):
            break
        if number not in by_frame:
            continue
        rgb = view.shown(view.native(frame))
        for track, place in by_frame[number]:
            sighting = track.seen[place]
            face = replace(face_of(sighting.points, sighting.score), number=track.number)
            picture = crop(rgb, similarity(sighting.points, restorer.size), restorer.size)
            shown.append(_Shown(number, seen(rgb, face, restorer.placing, restorer.size), picture))
    return shown


def _own(
    restorer: Restorer, view: View, looked: Looked, people: Sequence[Sequence[Track]], shown: Sequence[_Shown]
) -> ClipReferences:
    """The clearest frames as references for all tracks of their person."""
    found, base = ClipReferences(), float(view.info.time_base)
    for person in people:
        numbers = {track.number for track in person}
        known = [
            Reference(f"{view.info.path.name} at {(looked.times[one.frame] - looked.times[0]) * base:.2f} s", one.crop)
            for one in shown
            if one.face.number in numbers
        ]
        if known:
            references = References(known, torch.device(restorer.compute.device))
            found.each |= {number: references for number in numbers}
            which = ", ".join(one.name.rpartition(" at ")[2] for one in known)
            found.notes.append(f"{_named(person)}: restored with its clearest frames as references, at {which}.")
    return found


def _given(restorer: Restorer, people: Sequence[Sequence[Track]], shown: Sequence[_Shown]) -> ClipReferences:
    """An album's references for each person, or those that were given for the one that resembles them most."""
    people_of = {track.number: person for person in people for track in person}
    faces, crops = [one.face for one in shown], [one.crop for one in shown]
    # all at once, as those of one photograph: only then is --person one of them and no other
    told = restorer.references.of_faces(Photo(crops[0], "PNG"), faces, crops)
    found = ClipReferences(notes=[*told.notes])
    for face, references in zip(faces, told.each, strict=True):
        person = people_of[face.number]
        if references:
            found.each |= {track.number: references for track in person}
        if references and len(person) > 1:
            found.notes.append(f"{_named(person)} are one person, and so have the same references.")
    return found


def _named(person: Sequence[Track]) -> str:
    """The faces of a person, as a sentence begins."""
    numbers = ", ".join(str(number) for number in sorted(track.number for track in person))
    return f"Faces {numbers}" if len(person) > 1 else f"Face {numbers}"
