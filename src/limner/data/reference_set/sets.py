"""Sets of faces with references, as FFHQ-Ref was made of FFHQ (docs/methods/refldm.md, eq. (12)).

Pictures that are alike enough show one person: the connected components under a cosine distance of 0.4 between their
embeddings. People, never pictures, are divided into train, val and test. The references of a picture are the other
pictures of its person in farthest-point order. Test pictures of a person are further than 0.1 apart, so that no
reference gives the truth away. Where it is known who is who, the components aren't needed.

The authors then looked at the test set by hand, which no program does for you.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from limner.data.faces import split_of
from limner.data.reference_set.neighbours import components, distinct, farthest_first_of_others
from limner.data.reference_set.table import Entry, People, write_csv, write_table
from limner.errors import LimnerError
from limner.photo.write import write_atomically

SPLITS = ("train", "val", "test")

SUSPICIOUS_SHARE, SUSPICIOUS_COUNT = 0.05, 50
"""A person with more pictures than both is probably a chain of people, each like the next."""


@dataclass(frozen=True)
class Rules:
    """How a set is made; the defaults are the paper's, with shares in the place of its counts of people.

    Attributes:
        threshold: cosine distance below which two pictures show one person.
        duplicates: pictures of a person no further apart than this are near-duplicates, of which the first is kept.
        thin: where near-duplicates go: in `test` alone, as in the paper, or in `all` splits.
        val, test: people of the split: a count, or below 1 a share of the people who have references at all. The
            paper took 300 and 150 of 6,523. None: the splits that the index of known people lists.
        fewest, most: references of a test picture, and the most that any picture gets.
        seed: of the division into splits.
    """

    threshold: float = 0.4
    duplicates: float = 0.1
    thin: Literal["test", "all"] = "test"
    val: float | None = 0.05
    test: float | None = 0.025
    fewest: int = 2
    most: int = 9
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 2:
            raise LimnerError(f"The threshold is {self.threshold:g}: choose a cosine distance above 0 and up to 2.")
        if not 0 <= self.duplicates < self.threshold:
            raise LimnerError(
                f"Near-duplicates are {self.duplicates:g} apart at most: choose 0 up to the threshold, "
                f"{self.threshold:g}."
            )
        if not 1 <= self.fewest <= self.most:
            raise LimnerError(
                f"{self.fewest} to {self.most} references can't be given: choose at least 1, and no less."
            )
        if (self.val is None) != (self.test is None):
            raise LimnerError("Either both splits val and test are listed, or neither is: give both or none.")
        for name in ("val", "test"):
            size = getattr(self, name)
            if size is not None and (size < 0 or (size >= 1 and size != int(size))):
                raise LimnerError(
                    f"The split {name} should have {size:g} people: give a count, or a share from 0 to below 1."
                )


@dataclass
class ReferenceSet:
    """What was made of a folder.

    Attributes:
        tables: the entries of each split, in the order of the pictures; only pictures with references. Besides train,
            val and test a split that the index lists.
        people: (file, person, split) of every picture in use, those without references among them: what nets that
            need no references are trained on.
        left_out: why a picture is in no split, by its name.
        notes: what a user should know, a sentence each.
    """

    tables: dict[str, list[Entry]]
    people: list[tuple[str, str, str]]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, dict[str, int]]:
        """Images with references and their people, for each split."""
        return {
            name: {"images": len(entries), "people": len({entry.person for entry in entries})}
            for name, entries in self.tables.items()
        }

    def save(self, folder: Path, rules: Rules, identity: str) -> None:
        """Writes a table for each split, `people.csv`, `left_out.csv`, and last `reference_set.json`, which says how
        they were made: a folder that has it has all. Tables of an earlier set there are replaced or removed.

        Args:
            folder: where to.
            rules: what the set was made with.
            identity: the net that it was made with, and its licence.

        Raises:
            LimnerError: the folder can't be written to, or a name can't stand in a table.
        """
        about = folder / "reference_set.json"
        try:
            earlier = json.loads(about.read_text(encoding="utf-8"))["splits"] if about.is_file() else {}
        except (OSError, ValueError, KeyError, TypeError):
            earlier = {}
        about.unlink(missing_ok=True)
        for table in folder.glob("*_references.csv"):
            if (name := table.name.removesuffix("_references.csv")) in earlier and name not in self.tables:
                table.unlink()
        for name, entries in self.tables.items():
            write_table(folder / f"{name}_references.csv", entries)
        write_csv(folder / "people.csv", ("file", "person_id", "split"), self.people)
        write_csv(folder / "left_out.csv", ("file", "reason"), self.left_out.items())
        record = {"identity": identity, "rules": asdict(rules), "splits": self.counts(), "notes": self.notes}
        write_atomically(about, (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def build(
    files: Sequence[str],
    vectors: np.ndarray | None,
    rules: Rules,
    known: People | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReferenceSet:
    """Groups, divides and orders pictures of faces.

    Args:
        files: names of the pictures; their order decides which of two near-duplicates is kept, and ties.
        vectors: (N, D) unit vectors. None, where the people are known: near-duplicates stay, and references come in
            the order of the files.
        rules: how.
        known: who is who; None finds out from the vectors.
        progress: called with (tiles done, of how many) while neighbours are searched.

    Raises:
        LimnerError: nobody has two pictures, too few people have as many pictures as the wished split needs, or the
            listed splits are wanted and there are none.
    """
    made = ReferenceSet({name: [] for name in SPLITS}, [])
    people = _people(files, vectors, rules, known, made, progress)
    kept = _Kept(people, vectors, rules)
    if rules.thin == "all":
        people = {person: kept.of(person) for person in people}
    if not any(len(places) > 1 for places in people.values()):
        raise LimnerError(
            f"No two of the {sum(map(len, people.values()))} pictures show one person, so there are no references: "
            + ("give more pictures." if known else f"give more pictures, or a threshold above {rules.threshold:g}.")
        )
    splits = _listed(people, files, known) if rules.test is None else _drawn(people, kept, rules, made)

    entries: dict[int, Entry] = {}
    used: dict[int, str] = {}
    for person, places in people.items():
        split = splits[person]
        places = kept.of(person) if split == "test" else places
        if split == "test" and len(places) <= rules.fewest:
            made.left_out |= {files[i]: f"too few references for test, fewer than {rules.fewest}" for i in places}
            continue
        used |= dict.fromkeys(places, person)
        if len(places) > 1:
            for i, references in zip(places, _references(places, vectors, rules.most), strict=True):
                entries[i] = Entry(files[i], person, tuple(files[j] for j in references))
    for i in sorted(used):
        split = splits[used[i]]
        made.people.append((files[i], used[i], split))
        if i in entries:
            made.tables.setdefault(split, []).append(entries[i])
    for i, first in kept.duplicates.items():
        if i not in used:
            made.left_out.setdefault(files[i], f"a near-duplicate of {files[first]}")
    return made


class _Kept:
    """The pictures of a person that are no near-duplicates of earlier ones, found when asked for."""

    def __init__(self, people: Mapping[str, list[int]], vectors: np.ndarray | None, rules: Rules):
        self._people, self._vectors, self._distance = people, vectors, rules.duplicates
        self._found: dict[str, list[int]] = {}
        self.duplicates: dict[int, int] = {}

    def of(self, person: str) -> list[int]:
        places = self._people[person]
        if self._vectors is None or len(places) < 2:
            return places
        if person not in self._found:
            vectors = self._vectors[places]
            stays = distinct(vectors, self._distance)
            self._found[person] = [i for i, stay in zip(places, stays, strict=True) if stay]
            firsts = vectors[stays]
            for i in np.flatnonzero(~stays):
                nearest = int((firsts @ vectors[i]).argmax())
                self.duplicates[places[i]] = self._found[person][nearest]
        return self._found[person]


def _people(
    files: Sequence[str],
    vectors: np.ndarray | None,
    rules: Rules,
    known: People | None,
    made: ReferenceSet,
    progress: Callable[[int, int], None] | None,
) -> dict[str, list[int]]:
    """The places of each person's pictures, people in the order of their first pictures."""
    people: dict[str, list[int]] = {}
    if known:
        for i, file in enumerate(files):
            if file in known.person:
                people.setdefault(known.person[file], []).append(i)
            else:
                made.left_out[file] = "the index doesn't say who it is"
        return people
    if vectors is None:
        raise ValueError("neither vectors nor people are given")
    groups = components(vectors, rules.threshold, progress=progress)
    width = max(5, len(str(len(files))))
    for i, group in enumerate(groups.tolist()):
        people.setdefault(f"{group:0{width}d}", []).append(i)
    largest = max(map(len, people.values()), default=0)
    if largest > max(SUSPICIOUS_COUNT, SUSPICIOUS_SHARE * len(files)):
        made.notes.append(
            f"One person has {largest} of {len(files)} pictures, which may be a chain of many people, each like the "
            "next: look at them, and lower the threshold."
        )
    return people


def _listed(people: Mapping[str, list[int]], files: Sequence[str], known: People | None) -> dict[str, str]:
    if not known or not known.split:
        raise LimnerError("The listed splits are wanted, but no index with a column split was given: name one.")
    listed = {person: known.split[files[places[0]]] for person, places in people.items()}
    # An index with train and test alone is divided as `FaceSet` divides it, so that no training sees a val of ours.
    return listed if "val" in known.split.values() else {p: split_of(p, split) for p, split in listed.items()}


def _drawn(people: Mapping[str, list[int]], kept: _Kept, rules: Rules, made: ReferenceSet) -> dict[str, str]:
    """The split of each person; who has but one picture belongs to train, for nobody else can be restored with it."""
    several = [person for person, places in people.items() if len(places) > 1]
    order = [several[i] for i in np.random.default_rng(rules.seed).permutation(len(several))]
    splits = dict.fromkeys(people, "train")
    for name, size in (("test", rules.test), ("val", rules.val)):
        count = int(size) if size and size >= 1 else round((size or 0) * len(several))
        if size and not count:
            made.notes.append(f"The share {size:g} of {len(several)} people leaves none for {name}.")
        fit = (p for p in order if splits[p] == "train" and (name == "val" or len(kept.of(p)) > rules.fewest))
        chosen = list(islice(fit, count))
        if len(chosen) < count:
            needs = f"{rules.fewest + 1} distinct pictures" if name == "test" else "2 pictures"
            message = f"{count} people should be in {name}, but only {len(chosen)} are left that have {needs}"
            if size and size >= 1:
                raise LimnerError(f"{message}: ask for fewer.")
            made.notes.append(f"{message}.")
        splits |= dict.fromkeys(chosen, name)
    return splits


def _references(places: list[int], vectors: np.ndarray | None, most: int) -> list[list[int]]:
    """For each of a person's pictures, two or more, the places of its references, in order."""
    if vectors is None:
        return [[j for j in places[: most + 1] if j != i][:most] for i in places]
    return [[places[j] for j in order] for order in farthest_first_of_others(vectors[places], most).tolist()]
