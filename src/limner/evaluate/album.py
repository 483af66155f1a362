"""The protocol `album`: does an album know who is in a damaged photograph, and does it choose references well?

Everybody of the splits with two photographs is in the album with one of them, named by its user; the other is spoilt
and asked for. Then the other way about. Strangers are those of the splits with a single photograph: whoever names one
is wrong. With a method that uses references, the badly damaged ones are restored as well, with the other photograph
that the person has, with what the album chose, and with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from limner.album.index import Indexer
from limner.album.people import name_faces
from limner.album.recognise import KNOWN, Looks, Recognised
from limner.album.references import AlbumReferences
from limner.album.store import Album
from limner.data.faces import FaceSet
from limner.data.pairs import named_generator
from limner.errors import LimnerError
from limner.evaluate.comparison import Gallery
from limner.evaluate.damages import NOTHING, damaged
from limner.evaluate.identity import Recogniser as Judge
from limner.evaluate.protocols import Request
from limner.evaluate.report import Column, Report, Row
from limner.evaluate.side_by_side import spread
from limner.faces.hog import HogIdentity
from limner.faces.placing import AlignedCrop
from limner.faces.recogniser import Recogniser
from limner.faces.references import References
from limner.faces.seen import SeenFace, seen
from limner.photo.photo import Photo
from limner.restorer import Restorer
from limner.weights.load import load_identity

SIDE = 256
DAMAGES = (NOTHING, "ffhq-ref-moderate", "ffhq-ref-severe", "old-print")
BADLY = "ffhq-ref-severe"
MOST_STRANGERS = 150
"""Of a split with more of them so many are asked for, spread over all."""

THRESHOLDS = (0.2, 0.23, KNOWN, 0.29, 0.32)
"""At which wrong names are counted; `KNOWN` is the album's own."""

COLUMNS = (
    Column("probe", "photo"),
    Column("threshold", "known from", ".2f"),
    Column("told", "told rightly", ".1%"),
    Column("wrong", "wrongly", ".1%"),
    Column("strangers", "strangers named", ".1%"),
    Column("nearest", "nearest is right", ".1%"),
    Column("likeness", "likeness", ".3f"),
)
"""`told`, `wrong` are shares of the photographs of people in the album, `strangers` of those of others; `nearest`
doesn't ask how sure it is. `likeness` is the cosine of restorations with the truth."""


@dataclass(frozen=True)
class Probe:
    """A photograph that is asked for.

    Attributes:
        place: in the face set.
        person: whom it shows; None of a stranger.
    """

    place: int
    person: str | None


@dataclass(frozen=True)
class Half:
    """One way about: who is in the album with which photograph, and what is asked for; places in the face set."""

    members: Mapping[str, int]
    probes: Sequence[Probe]


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures who is told at several thresholds and, of a method that uses references, what those are worth.

    Raises:
        LimnerError: if the folder lacks its tables, or fewer than three people have two photographs.
    """
    (restorer,) = restorers.values()
    faces = request.faces()
    halves = halves_of(faces, request.limit)
    recogniser = Recogniser()
    asked: dict[str, list[tuple[Probe, Recognised, str | None]]] = {one: [] for one in DAMAGES}
    restored: dict[str, dict[str, list[float]]] = {}
    total = sum(len(half.probes) for half in halves) * len(DAMAGES)
    with_references = restorer.method.pipeline.paper.info.references
    for half in halves:
        with album_of(faces, half.members, recogniser) as path:
            with Album(path) as album:
                looks, names = Looks(album.vectors()), dict(album.ask("SELECT id, name FROM people"))
            for damage in DAMAGES:
                for probe in half.probes:
                    picture = spoilt(faces, probe.place, damage)
                    one = looks.recognise(recogniser([picture], [face_of(picture).damage])[0])
                    asked[damage].append((probe, one, None if one.person is None else names[one.person]))
                    request.done(sum(map(len, asked.values())), total)
            if with_references:
                likenesses(restorer, faces, half, path, restored)
    rows = [row_of(damage, threshold, asked[damage]) for damage in DAMAGES for threshold in THRESHOLDS]
    rows += [likeness_row(judge, given, values) for judge, of in restored.items() for given, values in of.items()]
    people, strangers = len(halves[0].members), sum(one.person is None for one in halves[0].probes)
    facts = {"protocol": "album", "people": people, "strangers": strangers, "threshold": KNOWN}
    return Report(
        facts,
        rows,
        COLUMNS,
        note=f"{people} people in the album with one photograph each, {2 * people} others of theirs asked for, and "
        f"{strangers} strangers' twice. The album names whoever is known from {KNOWN:g} on.",
    )


def halves_of(faces: FaceSet, limit: int | None = None) -> tuple[Half, Half]:
    """Both ways about, of the first so many people and at most as many strangers.

    Raises:
        LimnerError: if fewer than three people have two photographs.
    """
    places: dict[str, list[int]] = {}
    for place, person in enumerate(faces.people):
        places.setdefault(person, []).append(place)
    two = {person: of[:2] for person, of in list(places.items()) if len(of) > 1}
    if len(two) < 3:
        raise LimnerError(f"An album in {faces.folder} needs at least three people with two photographs.")
    two = dict(list(two.items())[:limit])
    alone = [Probe(of[0], None) for of in places.values() if len(of) == 1]
    strangers = spread(alone, MOST_STRANGERS)[:limit]

    def half(indexed: int) -> Half:
        probes = [Probe(of[1 - indexed], person) for person, of in two.items()]
        return Half({person: of[indexed] for person, of in two.items()}, [*probes, *strangers])

    return half(0), half(1)


@contextmanager
def album_of(faces: FaceSet, members: Mapping[str, int], recogniser: Recogniser) -> Iterator[Path]:
    """An album of people with a photograph each, all named, that is gone at the end; its path."""
    with TemporaryDirectory() as folder, Album(path := Path(folder) / "album.sqlite", create=True) as album:
        files = {person: faces.folder / faces.files[place] for person, place in members.items()}
        done = Indexer(album, recogniser, AlignedCrop()).run(list(files.values()))
        if done.failed:
            raise LimnerError(done.failed[0])
        by_path = {one.path: one.id for one in album.photos()}
        for person, file in files.items():
            (face,) = album.faces("photo = ?", by_path[file.resolve()])
            name_faces(album, [face.id], person)
        yield path


def spoilt(faces: FaceSet, place: int, damage: str) -> np.ndarray:
    """A photograph under one of `DAMAGES`, (SIDE, SIDE, 3) uint8, by the generator that belongs to its file."""
    return damaged(faces.read(place, SIDE), damage, named_generator(faces.files[place], damage))[0]


def face_of(picture: np.ndarray) -> SeenFace:
    """The face that an aligned crop is."""
    placing = AlignedCrop()
    return seen(picture, placing.find(picture)[0], placing, SIDE)


def row_of(damage: str, threshold: float, asked: Sequence[tuple[Probe, Recognised, str | None]]) -> Row:
    """What is told of photographs under one damage where people are known from a threshold on."""
    named = [(probe, name if one.evidence >= threshold else None, name) for probe, one, name in asked]
    own = [(probe.person == told, told, probe.person == nearest) for probe, told, nearest in named if probe.person]
    strangers = [told is not None for probe, told, _ in named if probe.person is None]
    return Row(
        {
            "probe": damage,
            "threshold": threshold,
            "told": float(np.mean([right for right, _, _ in own])),
            "wrong": float(np.mean([told is not None and not right for right, told, _ in own])),
            "strangers": float(np.mean(strangers)) if strangers else None,
            "nearest": float(np.mean([nearest for _, _, nearest in own])),
            "likeness": None,
        }
    )


def likenesses(
    restorer: Restorer, faces: FaceSet, half: Half, path: Path, told: dict[str, dict[str, list[float]]]
) -> None:
    """Restores the badly damaged photographs of people in the album without references, with the person's other
    photograph, and with what the album chooses.

    Args:
        restorer: of a method that uses references.
        faces, half: what is asked for.
        path: of the album.
        told: by judge and references, the likenesses of all faces so far, which are added to.
    """
    judges: dict[str, Judge] = {"mini/identity": load_identity("mini"), "HOG": HogIdentity()}
    settings = replace(restorer.settings, album=True, aligned=True)
    source = AlbumReferences(settings, restorer.size, restorer.compute.device, path=path)
    for number, probe in enumerate(one for one in half.probes if one.person):
        assert probe.person is not None
        picture = spoilt(faces, probe.place, BADLY)
        right = faces.folder / faces.files[half.members[probe.person]]
        chosen = source.of_faces(Photo(picture, "PNG"), [face_of(picture)], [picture])
        given = {
            "nothing": References([], restorer.compute.device),
            "the right one": References.read(
                replace(settings, album=False, references=[right]), restorer.size, restorer.compute.device
            ),
            "the album's": chosen.each[0],
        }
        gallery = Gallery([faces.read(probe.place, SIDE)], judges)
        for what, references in given.items():
            (after,) = restorer.restore_crops([picture], [number], references=[references])
            result = np.rint(255 * after.samples[0]).astype(np.uint8)
            for judge, likeness in gallery.compare([result], [picture]).likeness.items():
                told.setdefault(judge, {}).setdefault(what, []).append(float(likeness.own[0]))


def likeness_row(judge: str, given: str, values: Sequence[float]) -> Row:
    """How like the truth restorations are, as one judge sees them."""
    keys = ("threshold", "told", "wrong", "strangers", "nearest")
    return Row({"probe": f"{BADLY}, given {given}: {judge}", "likeness": float(np.mean(values))} | dict.fromkeys(keys))
