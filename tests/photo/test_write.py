"""Quality, formats, and writing whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.write import sweep, write_atomically
from limner.process import processes

from .samples import LOSSY, MADE, XMP, encoded, random_pixels, smooth, write


@pytest.mark.parametrize("suffix", LOSSY)
def test_quality_is_settable(tmp_path: Path, suffix: str) -> None:
    photo = Photo(random_pixels(shape=(64, 64, 3)), "PNG")
    sizes = []
    for quality in (20, None, 100):
        photo.save(tmp_path / f"a{suffix}", quality=quality)
        sizes.append((tmp_path / f"a{suffix}").stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


def test_webp_of_quality_100_is_lossless(tmp_path: Path) -> None:
    photo = Photo(random_pixels(), "PNG")
    photo.save(tmp_path / "a.webp", quality=100)
    assert (Photo.open(tmp_path / "a.webp").pixels == photo.pixels).all()


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_an_impossible_quality_is_refused(tmp_path: Path, quality: int) -> None:
    with pytest.raises(PhotoError, match=rf"^There is no quality {quality}: choose 1 to 100\.$"):
        Photo(smooth(), "PNG").save(tmp_path / "a.jpg", quality=quality)


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    Photo(smooth(), "PNG").save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


def test_without_a_suffix_the_format_stays(tmp_path: Path) -> None:
    Photo(smooth(), "TIFF").save(tmp_path / "scan")
    assert Photo.open(tmp_path / "scan").format == "TIFF"


@pytest.mark.parametrize("suffix", [".jpg"])
def test_transparency_is_not_dropped_silently(tmp_path: Path, suffix: str) -> None:
    alpha = np.full((40, 56), 255, np.uint8)
    Photo(smooth(), "PNG", alpha).save(tmp_path / f"opaque{suffix}")
    alpha[0, 0] = 254
    with pytest.raises(PhotoError, match=r"has transparent parts and JPEG holds none, so choose \.png, .*\.$"):
        Photo(smooth(), "PNG", alpha).save(tmp_path / f"a{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"opaque{suffix}"]


def test_a_grey_photo_that_got_colours_is_written_as_its_luma(tmp_path: Path) -> None:
    photo = Photo(np.full((8, 8, 3), (200, 100, 50), np.uint8), "PNG", grey=True)
    photo.save(tmp_path / "a.png")
    assert (Photo.open(tmp_path / "a.png").pixels == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()


def test_an_xmp_packet_too_long_for_jpeg_gives_way(tmp_path: Path) -> None:
    photo = Photo(smooth(), "PNG", xmp=XMP.replace(b"Nadar", b"N" * 70_000))
    photo.save(tmp_path / "a.jpg", provenance=MADE)
    assert Photo.open(tmp_path / "a.jpg").xmp == MADE.xmp().encode()
    photo.save(tmp_path / "a.jpg")
    assert Photo.open(tmp_path / "a.jpg").xmp is None
    photo.save(tmp_path / "a.png")
    assert Photo.open(tmp_path / "a.png").xmp == photo.xmp


def test_the_input_is_never_written_to(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", encoded(Image.fromarray(smooth()), "PNG"))
    before = path.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(path)
    photo = Photo.open(path)
    for target in (path, link, tmp_path / "." / "a.png"):
        with pytest.raises(PhotoError, match=r"is the input itself, which limner never changes: choose another"):
            photo.save(target)
    assert path.read_bytes() == before


def test_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"a\.gif can't be written: limner writes \.jpg, \.png, .* and \.bmp\.$"):
        Photo(smooth(), "PNG").save(tmp_path / "a.gif")


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"a\.png can't be written \(No such file or directory\): check the folder\.$"):
        Photo(smooth(), "PNG").save(tmp_path / "no" / "a.png")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PhotoError, match=r"a\.png can't be written \(.*\): check the folder\.$"):
        Photo(smooth(), "PNG").save(tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_size_that_the_format_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"a\.webp can't be written: 16400 x 1 pixels are more than the 16383 px"):
        Photo(np.zeros((1, 16_400, 3), np.uint8), "PNG").save(tmp_path / "a.webp")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError("encoder error -2"), ValueError("no")])
def test_a_failing_encoder_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    old = write(tmp_path / "a.jpg", b"old")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(PhotoError, match=r"a\.jpg can't be written as JPEG \(.*\): choose another format\.$"):
        Photo(smooth(), "PNG").save(old)
    assert old.read_bytes() == b"old" and list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    old = write(tmp_path / "a.png", b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "replace", fail)
    expected = PhotoError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match="No space left on device" if expected is PhotoError else None):
        write_atomically(old, b"new")
    assert old.read_bytes() == b"old" and list(tmp_path.iterdir()) == [old]


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", b"")
    Photo(smooth(), "PNG").save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_mode == plain.stat().st_mode


def test_a_private_photo_gives_a_private_result(tmp_path: Path) -> None:
    source = write(tmp_path / "a.png", encoded(Image.fromarray(smooth()), "PNG"))
    for permissions in (0o600, 0o640, 0o644):
        source.chmod(permissions)
        Photo.open(source).save(tmp_path / "b.png")
        assert (tmp_path / "b.png").stat().st_mode & 0o777 == permissions
    source.chmod(0o400)
    Photo.open(source).save(tmp_path / "b.png")
    assert (tmp_path / "b.png").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".heic", ".bmp", ".jpg", ".png", ".tif"])
def test_what_a_format_has_no_place_for_is_told(tmp_path: Path, suffix: str) -> None:
    photo = Photo(smooth(), "PNG", iptc=bytes([0x1C, 2, 120, 0, 4]) + b"1931", words=(("Title", "Church"),))
    notes = photo.save(tmp_path / f"a{suffix}")
    format = {".webp": "WEBP", ".avif": "AVIF", ".heic": "HEIF", ".bmp": "BMP"}.get(suffix)
    told = f"{format} has no place for the IPTC caption and keywords and the comments and texts: left out."
    assert notes == ((told,) if format else ())
    assert Photo(smooth(), "PNG").save(tmp_path / f"b{suffix}", provenance=MADE) == ()


def test_temporary_files_of_killed_processes_are_swept(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        living = tmp_path / f".{processes()}{other.pid:08x}{'0' * 16}.part"
        living.touch()
        sweep(tmp_path)
        assert living.exists(), "a living process writes to it"
        other.kill()
        other.wait()
        elsewhere, earlier = (
            tmp_path / f".{'0' * 8}{other.pid:08x}{'1' * 16}.part",
            tmp_path / f".{'2' * 16}.part",
        )
        for part in (elsewhere, earlier):
            part.touch()
        sweep(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([elsewhere, earlier]), "nobody knows whether theirs live"
    for part in (elsewhere, earlier):
        os.utime(part, (0, 0))
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_temporary_file_bears_its_process(tmp_path: Path, monkeypatch) -> None:
    replaced = []
    monkeypatch.setattr(os, "replace", lambda part, path: replaced.append(part.name))
    write_atomically(tmp_path / "a", b"")
    assert replaced[0].startswith(f".{processes()}{os.getpid():08x}")
