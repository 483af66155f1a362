import json
from dataclasses import replace

import numpy as np
import pytest

from limner.data.faces import split_of
from limner.data.reference_set.neighbours import distances, farthest_first_of_others
from limner.data.reference_set.sets import Rules, build
from limner.data.reference_set.table import People, read_people, read_table
from limner.errors import LimnerError

RULES = Rules(val=5, test=4, seed=1)


def album(people=40, length=64, seed=0):
    """Files, vectors and persons of people with one to seven pictures, some of them near-duplicates, shuffled."""
    generator = np.random.default_rng(seed)
    vectors, who = [], []
    for person in range(people):
        centre = generator.normal(size=length)
        centre /= np.linalg.norm(centre)
        for _ in range(1 + person % 7):
            vectors.append(centre + 0.55 * generator.normal(size=length) / length**0.5)
            who.append(person)
            if person % 5 == 0:
                vectors.append(vectors[-1] + 0.05 * generator.normal(size=length) / length**0.5)
                who.append(person)
    order = generator.permutation(len(vectors))
    found = np.array(vectors)[order]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return [f"{i:04d}.png" for i in range(len(order))], found.astype(np.float32), [f"p{who[i]}" for i in order]


@pytest.fixture(scope="module")
def faces():
    return album()


@pytest.fixture(scope="module")
def made(faces):
    return build(faces[0], faces[1], RULES)


def test_finds_the_people(faces, made):
    names = {file: person for file, person, _ in made.people}
    truth = dict(zip(faces[0], faces[2], strict=True))
    both = {(names[file], truth[file]) for file in names}
    assert len(both) == len(set(names.values())) == len(set(truth.values())) == 40


def test_no_person_is_in_two_splits(made):
    splits = {}
    for _, person, split in made.people:
        splits.setdefault(person, set()).add(split)
    assert all(len(of) == 1 for of in splits.values())
    files = [file for file, _, _ in made.people]
    assert len(files) == len(set(files))
    for name, entries in made.tables.items():
        assert all(splits[entry.person] == {name} for entry in entries)
    assert made.counts()["val"]["people"] == 5 and made.counts()["test"]["people"] == 4
    of = {file: person for file, person, _ in made.people}
    for entries in made.tables.values():
        for entry in entries:
            assert entry.references and entry.file not in entry.references
            assert {of[file] for file in entry.references} == {entry.person}


def test_everything_is_in_use_or_said_to_be_left_out(faces, made):
    used = {file for file, _, _ in made.people}
    assert used | set(made.left_out) == set(faces[0]) and not used & set(made.left_out)
    with_references = {entry.file for entries in made.tables.values() for entry in entries}
    alone = used - with_references
    assert alone and all(split == "train" for file, _, split in made.people if file in alone)


def test_test_pictures_are_no_near_duplicates(faces, made):
    vectors = dict(zip(faces[0], faces[1], strict=True))

    def nearest(entries):
        pairs = [(e.file, r) for e in entries for r in e.references]
        return distances(*(np.stack([vectors[pair[side]] for pair in pairs]) for side in (0, 1))).min()

    assert nearest(made.tables["test"]) > 0.1
    assert nearest(made.tables["train"]) < 0.1, "thinned in test alone"
    assert min(len(entry.references) for entry in made.tables["test"]) >= 2
    everywhere = build(faces[0], faces[1], replace(RULES, thin="all"))
    assert all(nearest(entries) > 0.1 for entries in everywhere.tables.values())
    (said,) = {reason.rsplit(" ", 1)[0] for reason in everywhere.left_out.values()}
    assert said == "a near-duplicate of"
    for file, reason in everywhere.left_out.items():
        first = reason.rsplit(" ", 1)[1]
        assert distances(vectors[file][None], vectors[first][None])[0] <= 0.1
        assert first in {f for f, _, _ in everywhere.people}


def test_test_is_thinned_where_duplicates_are(faces):
    """Over several seeds some test people have near-duplicates, which are left out by name."""
    reasons = [build(faces[0], faces[1], replace(RULES, test=10, seed=seed)).left_out for seed in range(3)]
    assert any(reasons) and all("near-duplicate" in why for left in reasons for why in left.values())


def test_references_are_in_farthest_point_order(faces, made):
    places = {file: i for i, file in enumerate(faces[0])}
    by_person = {}
    for entry in made.tables["train"]:
        by_person.setdefault(entry.person, []).append(entry)
    entries = max(by_person.values(), key=len)
    assert len(entries) > 10
    orders = farthest_first_of_others(faces[1][[places[entry.file] for entry in entries]], 9)
    for entry, order in zip(entries, orders, strict=True):
        assert entry.references == tuple(entries[j].file for j in order) and len(entry.references) == 9


def test_the_split_depends_on_the_seed_alone(faces, made):
    again, other = (build(faces[0], faces[1], replace(RULES, seed=seed)) for seed in (1, 2))
    assert again == made and other.tables["test"] != made.tables["test"]


def test_shares_of_people(faces):
    made = build(faces[0], faces[1], replace(RULES, val=0.2, test=0.1))
    several = len({e.person for entries in made.tables.values() for e in entries})
    assert made.counts()["val"]["people"] == round(0.2 * several)
    assert made.counts()["test"]["people"] == round(0.1 * several)
    assert made.notes == []
    none = build(faces[0], faces[1], replace(RULES, val=0, test=0.001))
    assert none.tables["val"] == none.tables["test"] == [] and none.tables["train"]
    assert none.notes == [f"The share 0.001 of {several} people leaves none for test."]


def test_too_few_people_for_the_wish(faces):
    with pytest.raises(
        LimnerError, match=r"30 people should be in test, but only \d+ are left that have 3 distinct pic"
    ):
        build(faces[0], faces[1], replace(RULES, test=30))
    with pytest.raises(
        LimnerError, match=r"99 people should be in val, but only \d+ are left that have 2 pictures: ask"
    ):
        build(faces[0], faces[1], replace(RULES, val=99))
    made = build(faces[0], faces[1], replace(RULES, val=0.0, test=0.95))
    assert len(made.notes) == 1 and "people should be in test, but only" in made.notes[0]


def test_known_people_need_no_vectors(faces):
    files, _, who = faces
    person = dict(zip(files, who, strict=True))
    made = build(files, None, RULES, People(person, {}))
    entry = made.tables["train"][0]
    others = [f for f, w in person.items() if w == entry.person and f != entry.file]
    assert entry.references == tuple(others[:9]), "in the order of the files"
    assert not made.left_out
    del person[entry.file]
    assert build(files, None, RULES, People(person, {})).left_out == {entry.file: "the index doesn't say who it is"}


def test_known_people_with_vectors_are_thinned_and_ordered(faces):
    files, vectors, who = faces
    by_index = build(files, vectors, RULES, People(dict(zip(files, who, strict=True)), {}))
    found = build(files, vectors, RULES)
    references = {e.file: e.references for e in found.tables["train"]}
    shared = [e for e in by_index.tables["train"] if e.file in references]
    assert len(shared) > 50 and all(references[e.file] == e.references for e in shared)


def test_listed_splits_of_the_faces(collection):
    """The index's own test people, `val` as training carves it, and the people that are kept out of it."""
    known = read_people(collection / "faces/index.csv")
    files = sorted(known.person)
    made = build(files, None, Rules(val=None, test=None, fewest=1), known)
    assert set(made.tables) == {"train", "val", "test", "held-out"} and made.counts()["held-out"]["people"] == 22
    for file, person, split in made.people:
        assert split == split_of(person, known.split[file])
    assert len(made.people) + len(made.left_out) == len(files) > 2000
    assert sum(e.file.startswith("london_") for e in made.tables["test"]) == 16, "8 people, two photographs each"
    strict = build(files, None, Rules(val=None, test=None), known)
    assert not any(e.file.startswith("london_") for e in strict.tables["test"])
    assert "too few references for test, fewer than 2" in set(strict.left_out.values())


def test_a_listed_val_is_taken_as_it_is():
    files = [f"{n}.png" for n in range(6)]
    person = dict(zip(files, "aabbcc", strict=True))
    split = dict(zip(files, ["train"] * 2 + ["val"] * 2 + ["test"] * 2, strict=True))
    made = build(files, None, Rules(val=None, test=None, fewest=1), People(person, split))
    assert {e.person: name for name, entries in made.tables.items() for e in entries} == {
        "a": "train",
        "b": "val",
        "c": "test",
    }
    with pytest.raises(LimnerError, match="no index with a column split was given"):
        build(files, None, Rules(val=None, test=None), People(person, {}))


def test_a_chain_of_people_is_remarked_on():
    angles = np.linspace(0, 3, 200)
    chain = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    made = build([f"{i}.png" for i in range(200)], chain, Rules(val=0, test=0, duplicates=0))
    assert "One person has 200 of 200 pictures" in made.notes[0] and "lower the threshold" in made.notes[0]


def test_what_is_written_can_be_read(made, tmp_path):
    made.save(tmp_path, RULES, "mini")
    for name, entries in made.tables.items():
        assert read_table(tmp_path / f"{name}_references.csv") == entries
    people = read_people(tmp_path / "people.csv")
    assert [(f, p, people.split[f]) for f, p in people.person.items()] == made.people
    about = json.loads((tmp_path / "reference_set.json").read_text())
    assert about["rules"]["seed"] == 1 and about["splits"] == made.counts() and about["identity"] == "mini"
    assert (tmp_path / "left_out.csv").read_text().startswith("file,reason\n")


def test_no_table_of_an_earlier_set_stays_behind(made, tmp_path):
    replace(made, tables=made.tables | {"held-out": made.tables["val"]}).save(tmp_path, RULES, "mini")
    (tmp_path / "my_references.csv").write_text("mine")
    made.save(tmp_path, RULES, "mini")
    names = {path.stem.removesuffix("_references") for path in tmp_path.glob("*_references.csv")}
    assert names == {"train", "val", "test", "my"}


def test_nobody_twice():
    lone = np.eye(5, dtype=np.float32)
    with pytest.raises(LimnerError, match="No two of the 5 pictures show one person.*or a threshold above 0.4"):
        build([f"{i}.png" for i in range(5)], lone, RULES)
    with pytest.raises(LimnerError, match="No two of the 2 pictures show one person.*: give more pictures.$"):
        build(["a.png", "b.png"], None, RULES, People({"a.png": "a", "b.png": "b"}, {}))


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"threshold": 0}, "The threshold is 0: choose a cosine distance above 0 and up to 2"),
        ({"threshold": 2.5}, "The threshold is 2.5"),
        ({"duplicates": 0.4}, "Near-duplicates are 0.4 apart at most: choose 0 up to the threshold, 0.4"),
        ({"duplicates": -0.1}, "Near-duplicates are -0.1 apart"),
        ({"fewest": 0}, "0 to 9 references can't be given"),
        ({"fewest": 5, "most": 3}, "5 to 3 references can't be given"),
        ({"val": -1}, "The split val should have -1 people: give a count, or a share from 0 to below 1"),
        ({"test": 1.5}, "The split test should have 1.5 people"),
        ({"test": None}, "Either both splits val and test are listed, or neither is"),
    ],
)
def test_rules_that_cannot_be(wish, message):
    with pytest.raises(LimnerError, match=message):
        Rules(**wish)
