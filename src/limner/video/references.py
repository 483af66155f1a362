"""What the faces of a clip are restored with: photographs of the person that were given, an album's, or the clip's own
clearest frames, which serve the others as references.

Each track has the same references from its first frame to its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from limner.album.group import JOIN
from limner.album.references import AlbumReferences
from limner.faces.align import crop, similarity
from limner.faces.find import face_of
from limner.faces.references import Reference, References
from limner.faces.seen import seen
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

_Seen = tuple[np.ndarray, np.ndarray, Sighting]
"""Of a face the frame that shows it, (H, W, 3) uint8, its crop, and what was seen of it."""
_Shown = dict[tuple[int, int], _Seen]
"""These by frame and track."""


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
        """How many there are of all tracks together."""
        return sum(map(len, self.each.values()))


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
    if not restorer.settings.references and not restorer.settings.album:
        if not own:
            return ClipReferences()
        wanted = {
            (track.frames[place], track.number): track.seen[place]
            for person in people
            for track, place in clearest(person, seconds, restorer.settings.references_per_face)
        }
        return _own(restorer, view, looked, people, _pictures(restorer, view, part, wanted))
    best = {track.number: min(range(len(track.seen)), key=lambda n, t=track: cost(t.seen[n])) for track in tracks}
    wanted = {(one.frames[best[one.number]], one.number): one.seen[best[one.number]] for one in tracks}
    shown = _pictures(restorer, view, part, wanted)
    return _given(restorer, people, {number: one for (_, number), one in shown.items()})


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


def _pictures(restorer: Restorer, view: View, part: Part, wanted: dict[tuple[int, int], Sighting]) -> _Shown:
    """What is wanted of faces, by frame and track."""
    shown: _Shown = {}
    last = max((frame for frame, _ in wanted), default=-1)
    for number, frame in enumerate(frames_of(view.info, part)):
        if number > last:
            break
        for (of_frame, track), face in wanted.items():
            if of_frame == number:
                rgb = view.shown(view.native(frame))
                shown[number, track] = rgb, crop(rgb, similarity(face.points, restorer.size), restorer.size), face
    return shown


def _own(
    restorer: Restorer, view: View, looked: Looked, people: Sequence[Sequence[Track]], shown: _Shown
) -> ClipReferences:
    """The clearest frames as references for all tracks of their person."""
    found, base = ClipReferences(), float(view.info.time_base)
    for person in people:
        numbers = {track.number for track in person}
        known = [
            Reference(f"{view.info.path.name} at {(looked.times[frame] - looked.times[0]) * base:.2f} s", picture)
            for (frame, track), (_, picture, _) in shown.items()
            if track in numbers
        ]
        if known:
            found.each |= {number: References(known, torch.device(restorer.compute.device)) for number in numbers}
            which = ", ".join(one.name.rpartition(" at ")[2] for one in known)
            faces = ", ".join(map(str, sorted(numbers)))
            found.notes.append(f"Face {faces}: restored with its clearest frames as references, at {which}.")
    return found


def _given(restorer: Restorer, people: Sequence[Sequence[Track]], shown: dict[int, _Seen]) -> ClipReferences:
    found, source = ClipReferences(), restorer.references
    if isinstance(source, AlbumReferences):
        for number, (rgb, picture, face) in sorted(shown.items()):
            one = seen(rgb, replace(face_of(face.points, face.score), number=number), restorer.placing, restorer.size)
            told = source.of_faces(Photo(rgb, "PNG"), [one], [picture])
            found.notes += [f"Face {number}: {note}" for note in told.notes]
            if told.each and told.each[0]:
                found.each[number] = told.each[0]
        return found
    if isinstance(source, References) and source:
        numbers = sorted(shown)
        owner = source.owner([shown[number][1] for number in numbers])
        if owner is not None:
            person = next(one for one in people if numbers[owner] in {track.number for track in one})
            found.each = {track.number: source for track in person}
            faces = ", ".join(str(number) for number in sorted(found.each))
            found.notes = [*source.notes, *source.strangers(shown[numbers[owner]][1])]
            if len(numbers) > len(found.each):
                found.notes.append(f"The references went to face {faces}, which resembles them most.")
    return found
