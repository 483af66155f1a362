import pytest

from limner.errors import WeightsError
from limner.weights.json_file import read_object


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, '{"a": ' * 5000, "1" * 5000])
def test_what_is_no_json(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(WeightsError, match=r"a\.json can't be read as JSON: get a whole copy"):
        read_object(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["null", "[]", "3", '"a"', " " * 2**20 + "{}"])
def test_what_is_no_object(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(WeightsError, match=r"a\.json should hold one JSON object"):
        read_object(tmp_path / "a.json")


def test_an_object_and_no_file(tmp_path):
    (tmp_path / "a.json").write_text('{"width": 3}')
    assert read_object(tmp_path / "a.json") == {"width": 3}
    with pytest.raises(WeightsError, match=r"b\.json can't be read \(No such file"):
        read_object(tmp_path / "b.json")
