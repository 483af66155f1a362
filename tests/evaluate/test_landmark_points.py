"""Landmarks from tables and from the finder."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate import landmark_points
from limner.evaluate.landmark_points import GivenPoints, found_distance, given_distance, read_points
from limner.faces.find import Face

FIVE = np.array([[100, 120], [180, 120], [140, 170], [110, 210], [170, 210]], np.float64)
PICTURE = np.zeros((256, 256, 3), np.uint8)


def table(path, lines):
    path.write_text("file," + ",".join(f"x{i}" for i in range(10)) + ",score\n" + "\n".join(lines))
    return path


def line(file, points=FIVE):
    return f"{file}," + ",".join(map(str, points.ravel())) + ",0.9"


def test_a_table_is_read_by_the_files_names(tmp_path):
    points = read_points(table(tmp_path / "t.csv", [line("a.jpg"), line("sub/b.png", FIVE + 1)]))
    assert list(points) == ["a", "b"]
    np.testing.assert_array_equal(points["b"], FIVE + 1)


def test_68_points_are_told_by_their_count(tmp_path):
    many = np.arange(136.0).reshape(68, 2)
    (tmp_path / "t.csv").write_text("file," + ",".join(f"c{i}" for i in range(136)) + "\n" + line("a.jpg", many)[:-4])
    np.testing.assert_array_equal(read_points(tmp_path / "t.csv")["a"], many)


def test_one_table_or_two(tmp_path):
    true, restored = table(tmp_path / "t.csv", [line("a.jpg")]), table(tmp_path / "r.csv", [line("a.png", FIVE + 2)])
    assert GivenPoints.read([true]).of("a")[0] is None
    own, goal = GivenPoints.read([true, restored]).of("a")
    assert given_distance(PICTURE, own, goal) == pytest.approx(2 * np.hypot(2, 2)), "in px of a face of 512"
    with pytest.raises(LimnerError, match="has no line for b"):
        GivenPoints.read([true]).of("b")
    with pytest.raises(LimnerError, match="not in 3"):
        GivenPoints.read([true] * 3)


@pytest.mark.parametrize("lines", [["a.jpg,1,2,3"], [line("a.jpg").replace("120.0", "left")]])
def test_what_is_no_table_is_told(tmp_path, lines):
    with pytest.raises(LimnerError, match="is no table of landmarks at a.jpg"):
        read_points(table(tmp_path / "t.csv", lines))
    (tmp_path / "t.csv").write_text("name,x\na,1\n")
    with pytest.raises(LimnerError, match="is no table of landmarks at its head"):
        read_points(tmp_path / "t.csv")
    with pytest.raises(LimnerError, match="can't be read"):
        read_points(tmp_path / "none.csv")


def test_the_finder_looks_at_both_and_finds_none_in_some(monkeypatch):
    """A picture's first pixel says how far its points lie off; 255 shows no face."""

    def found(rgb):
        shift = int(rgb[0, 0, 0])
        return [] if shift == 255 else [Face((0, 0, 1, 1), FIVE + shift, 1.0)]

    monkeypatch.setattr(landmark_points, "find_faces", found)
    pictures = [np.full((256, 256, 3), value, np.uint8) for value in (0, 3, 255)]
    assert found_distance(pictures[0], pictures[0]) == 0
    assert found_distance(pictures[1], pictures[0]) == pytest.approx(2 * np.hypot(3, 3))
    assert np.isnan(found_distance(pictures[2], pictures[0])) and np.isnan(found_distance(pictures[0], pictures[2]))
    assert given_distance(pictures[1], None, FIVE) == pytest.approx(2 * np.hypot(3, 3))
