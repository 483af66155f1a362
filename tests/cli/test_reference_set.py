"""`limner reference-set` as a user meets it: files, output, messages, exit codes."""

import csv
import json
import re
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import limner.weights
from limner.cli.main import main
from limner.data.reference_set.embeddings import Embeddings
from limner.data.reference_set.table import read_table
from limner.nets.identity import IdentityNet
from limner.pixels import to_tensor


class Tones(nn.Module):
    """The mean colours of 25 fields, of unit length: people are told apart by the colours of their pictures."""

    def __init__(self):
        super().__init__()
        self.field = nn.AdaptiveAvgPool2d(5)

    def forward(self, crops):
        return nn.functional.normalize(self.field(crops).flatten(1) - 0.5)


@pytest.fixture
def run(run, monkeypatch):
    """`limner reference-set`; `--identity mini` is `Tones`."""
    plain = limner.weights.load_identity
    monkeypatch.setattr(limner.weights, "load_identity", lambda source: Tones() if source == "mini" else plain(source))
    return lambda *words: run("reference-set", *words)


@pytest.fixture
def faces(tmp_path):
    """Twenty people with four pictures each; the last of each is nearly the first again. One is in a folder below."""
    folder = tmp_path / "faces"
    folder.mkdir()
    generator = np.random.default_rng(0)
    with (folder / "index.csv").open("w") as index:
        index.write("file,person_id\n")
        for person in range(20):
            tone = generator.integers(0, 256, (5, 5, 3)).astype(float)
            shades = [tone + generator.normal(scale=45, size=tone.shape) for _ in range(3)]
            for number, shade in enumerate([*shades, shades[0] + 2]):
                name = f"{'deep/' if person == 3 else ''}{number}_{person:02d}.png"
                (folder / name).parent.mkdir(exist_ok=True)
                pixels = np.repeat(np.repeat(shade.clip(0, 255).astype(np.uint8), 4, axis=0), 4, axis=1)
                Image.fromarray(pixels).save(folder / name)
                index.write(f"{name},{person:02d}\n")
    return folder


def test_a_folder_becomes_tables(run, faces, tmp_path):
    code, out, err = run(faces, "-o", tmp_path / "out", "--split", "3,2", "--threads", 1, "--device", "cpu")
    assert code == 0, err
    assert "test" in out and f"The tables are in {tmp_path / 'out'}" in err and "2 more pictures are left out" in err
    names = {"embeddings.npz", "left_out.csv", "people.csv", "reference_set.json"}
    names |= {f"{split}_references.csv" for split in ("train", "val", "test")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    tables = {split: read_table(tmp_path / "out" / f"{split}_references.csv") for split in ("train", "val", "test")}
    assert {split: len(entries) for split, entries in tables.items()} == {"train": 60, "val": 12, "test": 6}
    for entries in tables.values():
        for entry in entries:
            assert (faces / entry.file).is_file()
            assert {name[-6:] for name in entry.references} == {entry.file[-6:]}, "of the same person"
    left_out = list(csv.DictReader((tmp_path / "out" / "left_out.csv").open()))
    assert all(re.fullmatch(r"a near-duplicate of (deep/)?0_\d\d.png", row["reason"]) for row in left_out)
    with (tmp_path / "out" / "people.csv").open() as people:
        assert sum(1 for _ in csv.DictReader(people)) == 78
    about = json.loads((tmp_path / "out" / "reference_set.json").read_text())
    assert about["rules"]["threshold"] == 0.4 and about["splits"]["test"] == {"images": 6, "people": 2}


def test_a_broken_picture_is_listed_and_the_rest_goes_on(run, faces, tmp_path):
    (faces / "broken.png").write_bytes((faces / "0_00.png").read_bytes()[:50])
    code, out, err = run(faces, "-o", tmp_path / "out", "--json")
    told = json.loads(out)
    assert code == 1 and "is a damaged or truncated PNG" in told["left_out"]["broken.png"]
    assert sum(split["images"] for split in told["splits"].values()) >= 78
    code, _, err = run(faces, "-o", tmp_path / "out", "--overwrite")
    assert "Note: The share 0.025 of 20 people leaves none for test." in err
    assert code == 1 and "Left out: " in err and "broken.png is a damaged or truncated PNG" in err


def test_tables_that_are_there_are_kept(run, faces, tmp_path):
    run(faces, "-o", tmp_path / "out", "--split", "1,1")
    table = tmp_path / "out" / "test_references.csv"
    table.write_text("looked through by hand")
    code, _, err = run(faces, "-o", tmp_path / "out")
    assert code == 2 and "has tables already, perhaps looked through by hand: --overwrite" in err
    assert table.read_text() == "looked through by hand"
    assert run(faces, "-o", tmp_path / "out", "--split", "1,1", "--overwrite")[0] == 0 and len(read_table(table)) == 3


def test_embeddings_are_made_once(run, faces, tmp_path, monkeypatch):
    run(faces, "-o", tmp_path / "out")
    monkeypatch.setattr(Tones, "forward", lambda net, crops: pytest.fail("embedded again"))
    assert run(faces, "-o", tmp_path / "out", "--overwrite", "--threshold", 0.3)[0] == 0
    monkeypatch.undo()
    heavier = Tones()
    heavier.register_buffer("more", torch.ones(1))
    monkeypatch.setattr(limner.weights, "load_identity", lambda source: heavier)
    monkeypatch.setattr(
        sys, "argv", ["limner", "reference-set", str(faces), "-o", str(tmp_path / "out"), "--overwrite"]
    )
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2, "another net's embeddings are not mixed in"


def test_the_output_may_lie_in_the_folder(run, faces):
    assert run(faces, "-o", faces / "out")[0] == 0
    Image.new("RGB", (8, 8)).save(faces / "out" / "sheet.png")
    code, out, _ = run(faces, "-o", faces / "out", "--overwrite", "--json")
    assert code == 0 and "out/sheet.png" not in json.loads(out)["left_out"]


def test_known_people_need_no_net(run, faces, tmp_path, monkeypatch):
    monkeypatch.setattr(limner.weights, "load_identity", lambda source: pytest.fail("loaded"))
    words = ["--people", faces / "index.csv", "--identity", "none", "--split", "0.1,0.1"]
    code, out, _ = run(faces, "-o", tmp_path / "out", *words, "--json")
    assert code == 0 and json.loads(out)["splits"]["test"] == {"images": 8, "people": 2}
    assert not (tmp_path / "out" / "embeddings.npz").exists()
    entry = next(e for e in read_table(tmp_path / "out" / "train_references.csv") if e.file.startswith("1_"))
    assert entry.references == tuple(entry.file.replace("1_", f"{n}_") for n in (0, 2, 3))


def test_listed_splits(run, faces, tmp_path):
    rows = (faces / "index.csv").read_text().splitlines()
    listed = ["file,person_id,split", *(f"{row},{'test' if row.endswith(',03') else 'train'}" for row in rows[1:])]
    (faces / "index.csv").write_text("\n".join(listed))
    words = ["--people", faces / "index.csv", "--identity", "none", "--split", "listed"]
    assert run(faces, "-o", tmp_path / "out", *words)[0] == 0
    test = read_table(tmp_path / "out" / "test_references.csv")
    assert [entry.file for entry in test] == [f"deep/{n}_03.png" for n in range(4)]


def test_a_net_of_the_users_own(run, faces, tmp_path):
    torch.manual_seed(0)
    net = IdentityNet(sample_size=28, layers=(1, 1), widths=(8, 16), stem_width=8, embedding=16).eval()
    net.save_pretrained(tmp_path / "net")
    (tmp_path / "net" / "README.md").write_text("---\nlicense: CC-BY-4.0\n---\n")
    words = ["--people", faces / "index.csv", "--identity", tmp_path / "net", "--split", "0,0", "--duplicates", 0]
    code, _, err = run(faces, "-o", tmp_path / "out", *words)
    assert code == 0, err
    kept = Embeddings.load(tmp_path / "out" / "embeddings.npz")
    crops = torch.stack([to_tensor(np.asarray(Image.open(faces / file))) for file in kept.files])
    with torch.inference_mode():
        np.testing.assert_allclose(kept.vectors, net(crops).numpy(), atol=1e-5)
    about = json.loads((tmp_path / "out" / "reference_set.json").read_text())
    assert about["identity"] == f"{tmp_path / 'net'}, licence: CC-BY-4.0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{empty}", "-o", "{out}"], "empty holds no photograph"),
        (["{missing}", "-o", "{out}"], "missing is no folder: give a folder of aligned face crops"),
        (["{faces}/index.csv", "-o", "{out}"], "index.csv is no folder"),
        (["{faces}", "-o", "{faces}/index.csv"], "index.csv can't be made a folder"),
        (["{faces}", "-o", "{out}", "--identity", "none"], "must be known who is who: give --people"),
        (["{faces}", "-o", "{out}", "--identity", "{missing}"], "There is no recogniser '.*missing': give mini"),
        (["{faces}", "-o", "{out}", "--people", "{missing}"], "missing can't be read .*: check the path"),
        (["{faces}", "-o", "{out}", "--split", "many"], "--split is 'many': give val and test as counts"),
        (["{faces}", "-o", "{out}", "--split", "1,2,3"], "--split is '1,2,3'"),
        (["{faces}", "-o", "{out}", "--split", "9,19"], "9 people should be in val, but only 1 are left"),
        (["{faces}", "-o", "{out}", "--split", "listed"], "no index with a column split was given: name one"),
        (["{faces}", "-o", "{out}", "--threshold", "3"], "The threshold is 3: choose a cosine distance"),
        (["{faces}", "-o", "{out}", "--threshold", "1e-9", "--duplicates", "0"], "No two of the 80 pictures show one"),
        (["{faces}", "-o", "{out}", "--fewest", "5", "--most", "3"], "5 to 3 references can't be given"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(run, faces, tmp_path, words, message):
    (tmp_path / "empty").mkdir()
    places = {name: tmp_path / name for name in ("empty", "missing", "faces", "out")}
    code, out, err = run(*(word.format(**places) for word in words))
    assert code == 2, err
    assert out == "" and "Traceback" not in err
    assert err.startswith("limner: ") and err.count("\n") == 1, "one sentence, one line"
    assert re.search(message, err), err
    assert not list(tmp_path.glob("out/*.csv")), "no table where there is no set"
