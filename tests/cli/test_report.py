"""What is told of photographs, for people and machines."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limner.cli.report import Report, are, outcome_as_json
from limner.errors import LimnerError
from limner.faces.chosen import notes_on
from limner.faces.pose import Pose
from limner.faces.seen import SeenFace
from limner.folder.earlier import Kept
from limner.folder.run import Outcome
from limner.photo.provenance import Provenance
from limner.restoration import Restoration
from limner.settings import Settings


def report(**wishes) -> Report:
    return Report(Settings(), total=2, named=lambda text: text, **{"single": False, "json": False} | wishes)


def test_a_result_that_stays_is_labelled_with_what_made_it():
    kept = Kept("x is there already.", Provenance("refldm", "official", 9, 1, "0.1.0", invented=0.5, filled=0.1))
    told = outcome_as_json(Outcome(Path("a"), [Path("x")], kept=kept), Settings(seed=3), "mini")
    assert (told["method"], told["weights"], told["seed"], told["invented"]) == ("refldm", "official", 9, 0.5)
    assert told["filled"] == 0.1
    assert told["skipped"] and told["notes"] == ["x is there already."]
    told = outcome_as_json(Outcome(Path("a"), [Path("x")], kept=Kept("mine")), Settings(), "mini")
    assert (told["method"], told["weights"], told["seed"]) == (None, None, None)


def test_the_failure_of_a_single_photo_is_the_runs():
    with pytest.raises(LimnerError, match="^torn$"):
        report(single=True).add(Outcome(Path("a"), error="torn"))
    odd = report(single=True)
    odd.add(Outcome(Path("a"), error="unexpected", expected=False))
    assert odd.failed == ["unexpected"]


def test_failures_are_listed_and_a_note_is_told_once(capsys):
    told = report()
    told.add(Outcome(Path("a"), error="torn"))
    for _ in range(2):
        told.note("take care.")
    told.finish()
    assert capsys.readouterr().err == "  Note: take care.\n1 of 2 photos failed:\n  torn\n"


def test_one_is_and_several_are():
    assert (are(1), are(2), are(1, "result"), are(2, "result")) == (
        *("1 photo is", "2 photos are"),
        *("1 result is", "2 results are"),
    )


def test_an_interrupted_run_tells_what_was_done(capsys):
    told = report(json=True)
    told.add(Outcome(Path("a"), [Path("x")], kept=Kept("there")))
    told.interrupted(Path("b"))
    done, interrupted = json.loads(capsys.readouterr().out)
    assert done["photo"] == "a" and interrupted == {"photo": "b", "error": "Interrupted."}


def test_a_photo_whose_only_face_is_left_alone_isnt_one_without_a_face(capsys):
    face = SeenFace((0.0, 0.0, 24.0, 24.0), np.zeros((5, 2), np.float32), 0.9, pose=Pose(-71.23, 4.0, 0.0, 0.04))
    done = Restoration([], [], None, 0.0, np.zeros((9, 9), np.uint8), left_alone=[face])
    outcome = Outcome(Path("a"), [Path("x")], restoration=done)
    report().add(outcome)
    assert capsys.readouterr().err == "a: no face restored, so x is the photo as it was.\n"
    told = json.loads(json.dumps(outcome_as_json(outcome, Settings(), "mini")))
    assert told["faces"] == [] and told["left_alone"][0]["yaw"] == -71.2 and told["left_alone"][0]["damage"] is None


def test_what_became_of_a_photo_without_a_face(capsys):
    """All that was done to it is told, and that a face was found, but not as large as was asked."""
    made = Provenance("clean", "mini", None, 0, "0.1.0", filled=0.1)
    told = replace(report(), settings=Settings(background="clean", upscale=2))
    for below in (0, 1, 2):
        done = Restoration([], [], made, 0.0, np.zeros((9, 9), np.uint8), below=below)
        told.add(Outcome(Path("a"), [Path("x")], restoration=done))
    what = "so x is the photo, its holes filled, cleaned, enlarged."
    found = (
        "no face found",
        "1 face is below --min-face or --min-score",
        "2 faces are below --min-face or --min-score",
    )
    assert capsys.readouterr().err.splitlines() == [f"a: {one}, {what}" for one in found]


def test_notes_on_holes_are_told_of_every_photo(capsys):
    told, notes = report(), ["No damage was found."]
    for name in "ab":
        done = Restoration([], [], None, 0.0, np.zeros((9, 9), np.uint8), notes=notes, on_holes=notes)
        told.add(Outcome(Path(name), [Path(name)], restoration=done))
    assert capsys.readouterr().err.count("No damage was found.") == 2


def test_notes_on_faces_are_told_of_every_photo(capsys):
    face = SeenFace((0.0, 0.0, 24.0, 24.0), np.zeros((5, 2), np.float32), 0.9)
    told = report()
    for name in "ab":
        notes = ["The run is slow.", *notes_on([face], [])]
        done = Restoration([], [face], None, 0.0, np.zeros((9, 9), np.uint8), notes=notes)
        told.add(Outcome(Path(name), [Path(name)], restoration=done))
    err = capsys.readouterr().err
    assert err.count("The run is slow.") == 1 and err.count("The face: only 24 px") == 2
