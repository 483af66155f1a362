"""The folder of a program, and names that can be files."""

import pytest

from limner.page.service import Service, safe_name
from limner.photo.contents import suffix_of


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Großmutter 1931.JPG", "Großmutter 1931.JPG"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.png", "a.png"),
        ("a\n<b>?.jpg", "ab.jpg"),
        ("..", "photo"),
        (".jpg", "jpg"),
        ("", "photo"),
        ("\udc80.jpg", "jpg"),
    ],
)
def test_a_name_is_kept_as_far_as_it_can_be_a_file(name, safe):
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_suffix(tmp_path):
    safe = safe_name("ß" * 300 + ".tiff")
    assert len(safe.encode()) <= 110 and safe.endswith(".tiff")
    (tmp_path / safe).touch()
    assert suffix_of(tmp_path / safe) == ".tiff"


def test_a_service_s_folder_goes_with_it():
    service = Service.open()
    one, other = service.new_folder(), service.new_folder()
    assert one != other and one.stat().st_mode & 0o77 == 0
    service.close()
    assert not service.folder.exists()
    service.close()
