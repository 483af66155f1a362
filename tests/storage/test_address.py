from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.storage.address import address_of, on_this_machine


@pytest.mark.parametrize(
    "text", ["s3://bucket/scans/a b.jpg", "S3:/bucket/scans/a b.jpg", "s3://bucket/scans/a b.jpg/"]
)
def test_an_address_is_known_with_one_slash_too(text):
    assert str(address_of(Path(text))) == str(address_of(text)) == "s3://bucket/scans/a b.jpg"


@pytest.mark.parametrize(
    "text", ["scans/a.jpg", "/scans/a.jpg", "C:/scans/a.jpg", "-", "s3", "st: peter/a.jpg", "s3:a"]
)
def test_paths_are_none(text):
    assert address_of(text) is None and on_this_machine(Path(text)) == Path(text)


def test_files_of_this_machine_have_addresses_too(tmp_path):
    assert on_this_machine(Path(f"file://{tmp_path}/a b%20.jpg")) == tmp_path / "a b%20.jpg"


def test_other_addresses_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        LimnerError, match=r"There are no addresses https://: give s3://, gs:// or file://, or a path\."
    ):
        on_this_machine(Path("https://example.org/a.jpg"))
    (tmp_path / "https:").mkdir()  # what is there under that name is a folder
    (tmp_path / "https:" / "a.jpg").touch()
    assert on_this_machine(Path("https:/a.jpg")) == Path("https:/a.jpg")
