import pytest
from PIL import Image

from limner.data.reference_set.table import Entry, check_files, read_people, read_table, write_table
from limner.errors import LimnerError

ENTRIES = [
    Entry("00000.png", "p 1", ("00002.png", "sub/ü 7, b.jpg")),
    Entry('sub/a, "b".jpg', "", ()),
    Entry("c.png", "Müller, Anna", ("x | y.png",)),
]


def test_a_table_survives_writing_and_reading(tmp_path):
    path = tmp_path / "test_references.csv"
    write_table(path, ENTRIES)
    assert read_table(path) == ENTRIES
    assert path.read_text(encoding="utf-8").splitlines()[0] == "file,person_id,references"
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "a temporary file was left"
    write_table(path, [])
    assert read_table(path) == []


def test_order_of_references_is_kept(tmp_path):
    entry = Entry("a.png", "1", tuple(f"{n}.png" for n in (9, 1, 5, 3)))
    write_table(tmp_path / "t.csv", [entry])
    assert read_table(tmp_path / "t.csv")[0].references == ("9.png", "1.png", "5.png", "3.png")


A, B = Entry("a.png", "7", ("b.png", "c.png")), Entry("b.png", "7", ("a.png",))


@pytest.mark.parametrize(
    "text",
    [
        "file,person_id,references\na.png,7,b.png;c.png\nb.png,7,a.png\n",
        "﻿file,person_id,references\r\na.png,7,b.png;c.png\r\n\r\nb.png,7,a.png\r\n",
        "person,image,ref_images\n7,a.png,b.png|c.png\n7,b.png,a.png\n",
        "gt_path,id,lq_path,ref_path\na.png,7,l.png,\"['b.png', 'c.png']\"\nb.png,7,l.png,['a.png']\n",
        "image,identity,ref_1,ref_2\na.png,7,b.png,c.png\nb.png,7,a.png,\n",
        'image,identity,references\na.png,7,"b.png,c.png"\nb.png,7,a.png\n',
        "Image\tIdentity\tReferences\na.png\t7\tb.png c.png\nb.png\t7\ta.png\n",
        "a.png,7,b.png,c.png\nb.png,7,a.png\n",
        "a.png,7,b.png;c.png\nb.png,7,a.png\n",
        "a.png;7;b.png;c.png\nb.png;7;a.png\n",
    ],
)
def test_reads_tables_of_many_shapes(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert read_table(path) == [A, B]


def test_without_people_or_suffixes(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a.png,b.png,c.png\nb.png,a.png\n")
    assert read_table(path) == [Entry("a.png", "", ("b.png", "c.png")), Entry("b.png", "", ("a.png",))]
    path.write_text("image,references\n00012,00015 00017\n")
    assert read_table(path) == [Entry("00012", "", ("00015", "00017"))]
    path.write_text("00012,00015,00017\n")
    assert read_table(path) == [Entry("00012", "", ("00015", "00017"))]
    path.write_text("a.png,anna smith,b.png\n")
    assert read_table(path) == [Entry("a.png", "anna smith", ("b.png",))]


def test_pictures_of_a_table_are_looked_for(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    check_files([B], tmp_path)
    with pytest.raises(LimnerError, match=r"lacks c.png and 0 more of the 3 pictures that the table names"):
        check_files([A, B], tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv is empty: give a CSV file with one row an image"),
        ("\n \n", "t.csv is empty"),
        ("\x89PNG\0\0", "t.csv is no table: give a CSV file"),
        ("name,city\nx,y\n", "has the columns name, city: limner needs one named file .* and one named references"),
        ("file,references\na.png," + "b" * 131_073, r"is damaged after line \d \(field larger than field limit"),
        ("file,person_id,references\n,7,a.png\n", "names no picture in line 2: fill the first column in or drop"),
        ("file,person_id,references\na.png,7,\nb.png,7,\na.png,8,\n", "names a.png a second time in line 4: keep one"),
    ],
)
def test_messages(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(LimnerError, match=message):
        read_table(tmp_path / "t.csv")


def test_messages_about_files(tmp_path):
    with pytest.raises(LimnerError, match=r"The table .*gone.csv can't be read .*: check the path"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(LimnerError, match=r"The picture 'a;b.png' can't stand in .*: rename it without ';'"):
        write_table(tmp_path / "t.csv", [Entry("c.png", "1", ("a;b.png",))])
    with pytest.raises(LimnerError, match="can't be written"):
        write_table(tmp_path / "nowhere" / "t.csv", [])
    assert not list(tmp_path.iterdir())


def test_people_of_an_index(tmp_path, shared):
    path = tmp_path / "index.csv"
    path.write_text("file,size,person_id,split\na.png,1,anna,train\nb.png,1,bert,test\nc.png,2,anna,train\n")
    people = read_people(path)
    assert people.person == {"a.png": "anna", "b.png": "bert", "c.png": "anna"}
    assert people.split == {"a.png": "train", "b.png": "test", "c.png": "train"}
    path.write_text("file,person_id\na.png,anna\n")
    assert read_people(path).split == {}
    real = read_people(shared / "faces/index.csv")
    assert len(real.person) > 100 and set(real.split.values()) == {"train", "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,name\na.png,x\n", "has the columns file, name: an index needs file and person_id"),
        ("file,person_id\na.png,\n", "lacks the file or the person in line 2: fill it in or drop the line"),
        (
            "file,person_id,split\na.png,x,train\nb.png,x,test\n",
            "lists the person x in the splits train and test: keep a person in one",
        ),
    ],
)
def test_messages_about_an_index(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(LimnerError, match=message):
        read_people(tmp_path / "index.csv")


def test_a_list_that_never_ends(tmp_path):
    cells = ("[" * 10**5, "(" + "-" * 10**5 + "1", "['b.png', \"c's.png\"", "[1, 2]")
    (tmp_path / "t.csv").write_text("file\treferences\n" + "".join(f"{n}.png\t{c}\n" for n, c in enumerate(cells)))
    assert [len(entry.references) for entry in read_table(tmp_path / "t.csv")] == [0, 1, 2, 2]
