"""Photographs in and out of files: pixels, metadata, bad input, and writing whole or not at all."""

import os
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from limner.errors import PhotoError
from limner.photo.photo import Photo, sixteen_bit, write_atomically
from limner.photo.provenance import Provenance

LOSSLESS = [".png", ".tif", ".bmp"]
LOSSY = [".jpg", ".webp", ".avif"]
MADE = Provenance("difface", "mini", 1, 1, "0.1.0")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1"'
    b' tiff:Artist="Nadar"/></rdf:RDF></x:xmpmeta>'
)


def smooth(height: int = 40, width: int = 56, channels: int = 3) -> np.ndarray:
    """A picture that lossy formats keep well, uint8."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(3 * x + i) * np.cos(2 * y - i) for i in range(channels)]
    return (127 + 100 * np.stack(waves, -1)).astype(np.uint8)


def random_pixels(dtype: type = np.uint8, shape: tuple[int, ...] = (20, 30, 3)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def exif(orientation: int | None = None) -> bytes:
    made = Image.Exif()
    made[271] = "Voigtländer".encode("latin-1")
    made[306] = "2001:02:03 04:05:06"
    made.get_ifd(34665)[36867] = "2000:01:02 03:04:05"
    made.get_ifd(34665)[37500] = b"maker\0notes"
    made.get_ifd(34665)[40965] = {1: "R98"}
    made.get_ifd(34853).update({1: "N", 2: (52.0, 30.0, 15.5), 3: "E", 4: (13.0, 24.0, 1.0)})
    if orientation is not None:
        made[274] = orientation
    return made.tobytes()


def wide_gamut(space: bytes = b"RGB ", gamma: float = 2.2) -> bytes:
    """An ICC v2 profile with Adobe RGB's primaries, or of a grey space with that gamma."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"wide\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(8 + 3 + 67 + 3)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": xyz(0.9642, 1, 0.8249)}
    if space == b"RGB ":
        tags |= {b"rXYZ": xyz(0.60974, 0.31111, 0.01947), b"gXYZ": xyz(0.20528, 0.62567, 0.06087)}
        tags |= {b"bXYZ": xyz(0.14919, 0.06322, 0.74457), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    else:
        tags |= {b"kTRC": curve}
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + xyz(0.9642, 1, 0.8249)[8:]
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# ---- round trips ----


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_give_every_pixel_back(tmp_path: Path, suffix: str) -> None:
    photo = Photo(random_pixels(), "PNG", dpi=(300, 200))
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert (again.pixels == photo.pixels).all()
    assert again.format == {".png": "PNG", ".tif": "TIFF", ".bmp": "BMP"}[suffix]
    assert again.pixels.dtype == np.uint8
    assert again.alpha is None and not again.grey
    assert again.dpi == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_stay_close(tmp_path: Path, suffix: str) -> None:
    photo = Photo(smooth(), "PNG")
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 2
    assert again.format == {".jpg": "JPEG", ".webp": "WEBP", ".avif": "AVIF"}[suffix]


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
    with pytest.raises(PhotoError, match=rf"a\.jpg can't be written with quality {quality}: choose 1 to 100\.$"):
        Photo(smooth(), "PNG").save(tmp_path / "a.jpg", quality=quality)


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    Photo(smooth(), "PNG").save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


def test_without_a_suffix_the_format_stays(tmp_path: Path) -> None:
    Photo(smooth(), "TIFF").save(tmp_path / "scan")
    assert Photo.open(tmp_path / "scan").format == "TIFF"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif", ".bmp"])
def test_any_path(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "Фотографии 写真 é"
    folder.mkdir()
    path = folder / ("祖母 🙂 " + "ü" * 110 + suffix)  # near the file system's limit of 255 bytes
    Photo(smooth(), "PNG").save(path)
    assert Photo.open(str(path)).pixels.shape == (40, 56, 3)


# ---- alpha ----


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_alpha_is_kept(tmp_path: Path, suffix: str, depth: type) -> None:
    peak = np.iinfo(depth).max
    alpha = np.zeros((40, 56), depth)
    alpha[10:, 5:] = peak
    alpha[20:30] = peak // 5 * 2
    photo = Photo((smooth() * np.array(peak // 255, depth)).astype(depth), "PNG", alpha)
    photo.save(tmp_path / f"a{suffix}", quality=100)
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.alpha is not None
    assert np.abs(again.alpha / again.peak - alpha / peak).max() < 0.01
    if suffix != ".avif":  # the others are lossless here: also the colours that nobody sees
        assert again.pixels.dtype == depth or suffix == ".webp"
        assert (again.pixels // (again.peak // 255) == photo.pixels // (peak // 255)).all()


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_transparency_is_not_dropped_silently(tmp_path: Path, suffix: str) -> None:
    alpha = np.full((40, 56), 255, np.uint8)
    Photo(smooth(), "PNG", alpha).save(tmp_path / f"opaque{suffix}")
    alpha[0, 0] = 254
    with pytest.raises(PhotoError, match=r"has transparent parts and (JPEG|BMP) holds none, so choose \.png, .*\.$"):
        Photo(smooth(), "PNG", alpha).save(tmp_path / f"a{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"opaque{suffix}"]


def test_the_shared_photo_with_alpha(shared: Path, tmp_path: Path) -> None:
    photo = Photo.open(shared / "photos" / "solvay_conference_1927_rgba.png")
    assert photo.alpha is not None
    photo.save(tmp_path / "a.png", provenance=MADE)
    again = Photo.open(tmp_path / "a.png")
    assert again.alpha is not None
    assert (again.pixels == photo.pixels).all() and (again.alpha == photo.alpha).all()
    assert again.icc == photo.icc


# ---- grey and other kinds of pixels ----


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp"])
def test_grey_stays_a_single_channel(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / "in.png", encoded(Image.fromarray(smooth(channels=1)[..., 0]), "PNG"))
    photo = Photo.open(source)
    assert photo.grey and photo.pixels.shape == (40, 56, 3)
    photo.save(tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert image.mode == "L"
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.grey
    assert np.abs(again.pixels.astype(int) - photo.pixels).max() <= (3 if suffix == ".jpg" else 0)


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_grey_in_formats_of_three_channels(tmp_path: Path, suffix: str) -> None:
    Photo(np.repeat(smooth(channels=1), 3, axis=2), "PNG", grey=True).save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert np.ptp(again.pixels.astype(int), axis=2).max() <= 3


def test_a_grey_photo_that_got_colours_is_written_as_its_luma(tmp_path: Path) -> None:
    photo = Photo(np.full((8, 8, 3), (200, 100, 50), np.uint8), "PNG", grey=True)
    photo.save(tmp_path / "a.png")
    assert (Photo.open(tmp_path / "a.png").pixels == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_grey_with_alpha(tmp_path: Path, suffix: str, depth: type) -> None:
    grey = np.repeat(random_pixels(depth, (20, 30, 1)), 3, axis=2)
    photo = Photo(grey, "PNG", random_pixels(depth, (20, 30)), grey=True)
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.alpha is not None and photo.alpha is not None
    assert (again.pixels == grey).all() and (again.alpha == photo.alpha).all()
    assert again.grey == (suffix == ".png" or depth is np.uint8)


def test_palettes_bitmaps_and_colour_keys(tmp_path: Path) -> None:
    colours = Image.fromarray(smooth()).quantize(16)
    photo = Photo.open(write(tmp_path / "p.png", encoded(colours, "PNG")))
    assert (photo.pixels == np.asarray(colours.convert("RGB"))).all() and photo.alpha is None and not photo.grey

    photo = Photo.open(write(tmp_path / "pt.png", encoded(colours, "PNG", transparency=3)))
    assert photo.alpha is not None
    assert ((photo.alpha == 0) == (np.asarray(colours) == 3)).all()

    photo = Photo.open(write(tmp_path / "1.png", encoded(Image.fromarray(smooth()).convert("1"), "PNG")))
    assert photo.grey and set(np.unique(photo.pixels)) == {0, 255}

    keyed = smooth()
    keyed[:5] = (255, 0, 255)
    photo = Photo.open(write(tmp_path / "k.png", encoded(Image.fromarray(keyed), "PNG", transparency=(255, 0, 255))))
    assert photo.alpha is not None
    assert (photo.alpha[:5] == 0).all() and (photo.alpha[5:] == 255).all() and (photo.pixels == keyed).all()


def test_cmyk_becomes_srgb(tmp_path: Path) -> None:
    image = Image.fromarray(smooth()).convert("CMYK")
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(image, "JPEG", quality=95)))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert photo.icc is None
    # A profile for other pixels than CMYK is of no use, and must not be kept for the sRGB pixels.
    photo = Photo.open(write(tmp_path / "b.jpg", encoded(image, "JPEG", quality=95, icc_profile=wide_gamut())))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert photo.icc is None


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(smooth()), srgb, lab, outputMode="LAB")
    assert image is not None
    photo = Photo.open(write(tmp_path / "a.tif", encoded(image, "TIFF")))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3


@pytest.mark.parametrize("mode", ["F", "I"])
def test_float_and_32_bit_pixels_are_refused(tmp_path: Path, mode: str) -> None:
    path = write(tmp_path / "a.tif", encoded(Image.new(mode, (4, 4)), "TIFF"))
    with pytest.raises(PhotoError, match=rf"a\.tif holds {mode} pixels, .*: save it with 8 or 16 bit a channel\.$"):
        Photo.open(path)


# ---- 16 bit ----


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
def test_16_bit_is_kept(tmp_path: Path, suffix: str, kind: str) -> None:
    pixels = random_pixels(np.uint16)
    if kind == "grey":
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    alpha = random_pixels(np.uint16, (20, 30)) if kind == "rgba" else None
    photo = Photo(pixels, "PNG", alpha, grey=kind == "grey", icc=wide_gamut(), dpi=(300, 300))
    photo = replace(photo, exif=exif().removeprefix(b"Exif\0\0"), xmp=XMP)
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.pixels.dtype == np.uint16 and again.peak == 65535
    assert (again.pixels == pixels).all() and again.grey == photo.grey
    assert (again.alpha is None) if alpha is None else (again.alpha == alpha).all()
    assert again.icc == photo.icc
    assert again.dpi == pytest.approx((300, 300), abs=0.1)
    assert again.xmp == XMP
    assert_exif(again.exif)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_files_of_other_programs(tmp_path: Path, suffix: str, channels: int) -> None:
    stored = random_pixels(np.uint16, (20, 30, 4))[..., :channels]
    path = write(tmp_path / f"a{suffix}", cv2.imencode(suffix, stored)[1].tobytes())
    photo = Photo.open(path)
    assert (photo.pixels == stored[..., 2::-1]).all()
    assert (photo.alpha is None) == (channels == 3)
    assert photo.alpha is None or (photo.alpha == stored[..., 3]).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_our_16_bit_files_are_read_by_other_programs(tmp_path: Path, suffix: str) -> None:
    pixels = random_pixels(np.uint16)
    Photo(pixels, "PNG").save(tmp_path / f"a{suffix}")
    stored = np.frombuffer((tmp_path / f"a{suffix}").read_bytes(), np.uint8)
    assert (cv2.imdecode(stored, cv2.IMREAD_UNCHANGED) == pixels[..., ::-1]).all()
    with Image.open(tmp_path / f"a{suffix}") as image:
        image.load()
        assert image.size == (30, 20)


def test_16_bit_is_rounded_for_formats_of_8_bit(tmp_path: Path) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    photo = Photo(np.repeat(ramp[..., None], 3, axis=2), "PNG", grey=True)
    assert (photo.srgb()[..., 0] == np.rint(ramp / 257)).all()
    photo.save(tmp_path / "a.bmp")
    assert (Photo.open(tmp_path / "a.bmp").pixels[..., 0] == np.rint(ramp / 257)).all()


def test_16_bit_that_opencv_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Photo(random_pixels(np.uint16), "PNG").save(tmp_path / "a.png")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(PhotoError, match=r"a\.png holds 16-bit colour in a way that limner can't read: save it anew"):
        Photo.open(tmp_path / "a.png")


# ---- colour profiles ----


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_the_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    Photo(smooth(), "PNG", icc=wide_gamut()).save(tmp_path / f"a{suffix}")
    assert Photo.open(tmp_path / f"a{suffix}").icc == wide_gamut()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_wide_gamut_pixels_are_seen_in_srgb_and_stay_as_they_are(tmp_path: Path, depth: type) -> None:
    pixels = random_pixels(depth)
    Photo(pixels, "PNG", icc=wide_gamut()).save(tmp_path / "in.png")
    photo = Photo.open(tmp_path / "in.png")
    seen = photo.srgb()
    # Adobe RGB's (64, 128, 64) is a stronger green in sRGB.
    green = Photo(np.full((1, 1, 3), (64, 128, 64), np.uint8), "PNG", icc=wide_gamut()).srgb()[0, 0]
    assert green[0] < 40 and abs(int(green[1]) - 129) <= 2
    assert np.abs(seen.astype(int) - photo.pixels // (photo.peak // 255)).max() > 20

    # Restore a part, as the paster does, and leave the rest.
    face = photo.pixels[5:10, 5:10].astype(np.float32) / photo.peak
    restored = photo.from_srgb(np.full_like(photo.to_srgb(face), 0.5))
    changed = photo.pixels.copy()
    changed[5:10, 5:10] = np.rint(restored * photo.peak)
    photo.replaced(changed).save(tmp_path / "out.png")
    again = Photo.open(tmp_path / "out.png")
    outside = np.ones((20, 30), bool)
    outside[5:10, 5:10] = False
    assert (again.pixels[outside] == pixels[outside]).all()
    assert np.abs(again.srgb()[5:10, 5:10].astype(int) - 128).max() <= 1


def test_to_srgb_and_back_is_close_through_a_profile_and_exact_without() -> None:
    inside = (0.3 + 0.4 * np.random.default_rng(1).random((16, 16, 3))).astype(np.float32)
    photo = Photo(random_pixels(), "PNG", icc=wide_gamut())
    assert np.abs(photo.to_srgb(photo.from_srgb(inside)) - inside).max() < 2.5 / 255
    assert (Photo(random_pixels(), "PNG").from_srgb(inside) == inside).all()


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = np.random.default_rng(1).random((16, 16, 3)).astype(np.float32)
    photo = Photo(random_pixels(), "PNG", icc=srgb)
    assert (photo.to_srgb(values) == values).all() and (photo.srgb() == photo.pixels).all()


@pytest.mark.parametrize("icc", [b"no profile", wide_gamut()[:300], wide_gamut(b"GRAY")])
def test_a_profile_that_is_damaged_or_of_another_kind_is_taken_for_srgb(icc: bytes) -> None:
    photo = Photo(random_pixels(), "PNG", icc=icc)
    assert (photo.srgb() == photo.pixels).all()


def test_a_grey_profile(tmp_path: Path) -> None:
    icc = wide_gamut(b"GRAY", gamma=1.0)
    photo = Photo(np.full((8, 8, 3), 55, np.uint8), "PNG", grey=True, icc=icc)
    photo.save(tmp_path / "a.png")
    photo = Photo.open(tmp_path / "a.png")
    assert photo.icc == icc
    seen = photo.srgb()
    assert (seen == seen[..., :1]).all() and abs(int(seen[0, 0, 0]) - 128) <= 2  # linear 0.216
    back = photo.from_srgb(seen.astype(np.float32) / 255)
    assert np.abs(back * 255 - 55).max() <= 1


# ---- EXIF, XMP, resolution ----


def assert_exif(found: bytes | None) -> None:
    assert found is not None and not found.startswith(b"Exif")
    read = Image.Exif()
    read.load(found)
    assert read.get(274, 1) == 1
    assert read[271] == "Voigtländer" and read[306] == "2001:02:03 04:05:06"
    assert read.get_ifd(34665)[36867] == "2000:01:02 03:04:05"
    assert read.get_ifd(34665)[37500] == b"maker\0notes"
    assert read.get_ifd(34853)[2] == (52.0, 30.0, 15.5) and read.get_ifd(34853)[3] == "E"


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_exif_goes_from_each_format_to_each(tmp_path: Path, source: str, suffix: str) -> None:
    Photo(smooth(), source, exif=exif().removeprefix(b"Exif\0\0"), xmp=XMP).save(tmp_path / "in")
    photo = Photo.open(tmp_path / "in")
    assert photo.format == source
    assert_exif(photo.exif)
    photo.save(tmp_path / f"out{suffix}", provenance=MADE)
    again = Photo.open(tmp_path / f"out{suffix}")
    assert_exif(again.exif)
    assert again.xmp is not None and b'tiff:Artist="Nadar"' in again.xmp


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_exif_turn_is_applied(tmp_path: Path, format: str, orientation: int) -> None:
    image = Image.fromarray(smooth(24, 40))
    options: dict[str, Any] = {"exif": exif(orientation)}
    if format == "WEBP":
        options["lossless"] = True
    if format == "TIFF":
        options = {"tiffinfo": {274: orientation}}
    data = encoded(image, format, dpi=(300, 150), **options)
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    photo = Photo.open(write(tmp_path / "a", data))
    assert photo.pixels.shape == ((40, 24, 3) if orientation >= 5 else (24, 40, 3))
    assert (photo.pixels == np.asarray(expected)).all()
    if format != "WEBP":
        assert photo.dpi == pytest.approx((150, 300) if orientation >= 5 else (300, 150), abs=0.1)
    # Not a second time when it is read again.
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()
    if format != "TIFF":
        assert_exif(Photo.open(tmp_path / "b.png").exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_the_exif_turn_of_16_bit_files(tmp_path: Path, format: str, orientation: int) -> None:
    pixels = random_pixels(np.uint16)
    if format == "PNG":
        data = sixteen_bit.encode_png(pixels, exif=exif(orientation).removeprefix(b"Exif\0\0"))
    else:
        data = sixteen_bit.encode_tiff(pixels)
        # NewSubfileType, the first tag and needless here, becomes Orientation; its place in the order is no matter.
        at = data.index(struct.pack("<HHI", 254, 4, 1))
        data = data[:at] + struct.pack("<HHIHH", 274, 3, 1, orientation, 0) + data[at + 12 :]
    photo = Photo.open(write(tmp_path / "a", data))
    low = ImageOps.exif_transpose(encoded_orientation((pixels >> 8).astype(np.uint8), orientation))
    assert (photo.pixels >> 8 == np.asarray(low)).all()
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()


def test_a_turn_that_only_xmp_tells_of_is_applied_once(tmp_path: Path) -> None:
    Photo(smooth(24, 40), "PNG", xmp=XMP.replace(b'Orientation="1"', b'Orientation="6"')).save(tmp_path / "a.png")
    photo = Photo.open(tmp_path / "a.png")
    assert (photo.pixels == np.rot90(smooth(24, 40), -1)).all()
    assert photo.xmp == XMP
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()


def encoded_orientation(pixels: np.ndarray, orientation: int) -> Image.Image:
    return Image.open(BytesIO(encoded(Image.fromarray(pixels), "PNG", exif=exif(orientation))))


def test_a_thumbnail_of_the_unrestored_photo_is_unlinked(tmp_path: Path) -> None:
    first = struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 26)  # Orientation 6; second directory at 26
    second = struct.pack(">HHHII", 1, 0x0201, 4, 1, 44) + bytes(4)
    raw = b"MM\0\x2a\0\0\0\x08" + first + second
    path = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=b"Exif\0\0" + raw))
    with Image.open(path) as image:
        assert 0x0201 in image.getexif().get_ifd(-1)  # the test's own premise
    photo = Photo.open(path)
    assert photo.exif is not None
    read = Image.Exif()
    read.load(photo.exif)
    assert not read.get_ifd(-1) and read[0x0112] == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("damaged", [b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0garbage of some length"])
def test_damaged_exif_is_no_reason_to_refuse_a_photo(tmp_path: Path, damaged: bytes) -> None:
    path = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=damaged))
    photo = Photo.open(path)
    assert photo.exif is None
    photo.save(tmp_path / "b.tif")


def test_an_xmp_packet_too_long_for_jpeg_gives_way(tmp_path: Path) -> None:
    photo = Photo(smooth(), "PNG", xmp=XMP.replace(b"Nadar", b"N" * 70_000))
    photo.save(tmp_path / "a.jpg", provenance=MADE)
    assert Photo.open(tmp_path / "a.jpg").xmp == MADE.xmp().encode()
    photo.save(tmp_path / "a.jpg")
    assert Photo.open(tmp_path / "a.jpg").xmp is None
    photo.save(tmp_path / "a.png")
    assert Photo.open(tmp_path / "a.png").xmp == photo.xmp


def test_a_resolution_without_sense_is_dropped(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.fromarray(smooth()), "JPEG", dpi=(300, 300)))
    at = data.index(b"JFIF\0") + 8
    data[at : at + 4] = bytes(4)
    assert Photo.open(write(tmp_path / "a.jpg", bytes(data))).dpi is None


# ---- bad input: one sentence each ----


def refusal(path: Path, **options: float) -> str:
    with pytest.raises(PhotoError) as caught:
        Photo.open(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path)) and message.endswith(".") and "\n" not in message
    return message.removeprefix(str(path)).strip()


def test_missing_folder_empty_and_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(tmp_path / "ä.jpg") == "does not exist: check the name."
    assert refusal(tmp_path) == "is a folder: name a photo in it."
    empty = write(tmp_path / "e.jpg", b"")
    assert refusal(empty) == "is empty (zero bytes): get the photo again from its source."

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert refusal(empty) == "can't be read (Permission denied): check its permissions."


@pytest.mark.parametrize(
    "content", [b"Dear all, here is the photo.\n", b"BMW and other cars", b"<html></html>", b"\0" * 99]
)
def test_text_named_jpg(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.jpg", content)
    assert refusal(path) == "is not a picture, whatever its name says: choose a photo."


def test_other_formats_are_named(tmp_path: Path) -> None:
    gif = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "GIF"))
    assert refusal(gif) == "is a GIF file, which limner doesn't read: convert it to PNG or JPEG."
    heic = write(tmp_path / "a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    assert refusal(heic) == "is a HEIC file, which limner doesn't read: convert it to PNG or JPEG."


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "BMP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_files(tmp_path: Path, format: str, share: float) -> None:
    data = encoded(Image.fromarray(random_pixels(shape=(64, 64, 3))), format)
    path = write(tmp_path / "a", data[: max(20, int(share * len(data)))])
    assert refusal(path) == f"is a damaged or truncated {format}: get a whole copy of it."


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_truncated_tiff(tmp_path: Path, depth: type, share: float) -> None:
    data = sixteen_bit.encode_tiff(random_pixels(depth, (64, 64, 3)))
    path = write(tmp_path / "a.tif", data[: int(share * len(data))])
    assert refusal(path) in (
        "is a damaged or truncated TIFF: get a whole copy of it.",
        "is a TIFF that is damaged, truncated or of a rare kind: save it anew as PNG.",
    )


def test_truncated_16_bit_png(tmp_path: Path) -> None:
    data = sixteen_bit.encode_png(random_pixels(np.uint16, (64, 64, 3)))
    path = write(tmp_path / "a.png", data[: len(data) // 2])
    assert refusal(path) == "is a damaged or truncated PNG: get a whole copy of it."


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF"])
def test_animated_files(tmp_path: Path, format: str) -> None:
    frames = [Image.fromarray(random_pixels(shape=(64, 64, 3)) // n) for n in (1, 2, 3)]
    path = write(tmp_path / "a", encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert refusal(path) == "is animated (3 frames): extract one frame first."


def test_tiff_of_several_pages_but_not_its_preview(tmp_path: Path) -> None:
    pages = [Image.fromarray(smooth()), Image.fromarray(smooth(20, 28))]
    path = write(tmp_path / "a.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert refusal(path) == "has 2 pages: extract one page first."

    pages[1].encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    path = write(tmp_path / "b.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert (Photo.open(path).pixels == smooth()).all()


def test_the_second_picture_of_a_phone_jpeg_does_not_count(tmp_path: Path) -> None:
    pages = [Image.fromarray(smooth()), Image.fromarray(smooth(20, 28))]
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(pages[0], "MPO", save_all=True, append_images=pages[1:])))
    assert photo.format == "JPEG" and photo.pixels.shape == (40, 56, 3)
    photo.save(tmp_path / "b.jpg")
    assert Photo.open(tmp_path / "b.jpg").format == "JPEG"


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nearly nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_001, 15_000, 60_000])  # the two larger ones pass Pillow's own limits
def test_decompression_bombs_are_refused_by_their_header(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(_: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", decode)
    path = write(tmp_path / "a.png", bomb(side, side))
    assert refusal(path) == (
        f"claims {side}x{side} px, more than the limit of 100 megapixels: "
        "raise it with --max-megapixels if you trust the file."
    )


def test_the_limit_is_adjustable_and_pillows_own_stays(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    path = write(tmp_path / "a.png", encoded(Image.fromarray(smooth(100, 100)), "PNG"))
    assert Photo.open(path, max_megapixels=0.01).pixels.shape == (100, 100, 3)
    assert "the limit of 0.0099 megapixels" in refusal(path, max_megapixels=0.0099)
    assert "truncated PNG" in refusal(write(path, bomb(15_000, 15_000)), max_megapixels=226)
    assert before == Image.MAX_IMAGE_PIXELS


# ---- writing ----


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
    with pytest.raises(PhotoError, match=r"a\.webp can't be written as WEBP \(.+\): choose another format\.$"):
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


def test_other_pixels_must_have_the_same_shape_and_dtype() -> None:
    photo = Photo(smooth(), "PNG")
    assert photo.replaced(photo.pixels // 2).pixels.max() < 128
    for wrong in (photo.pixels[1:], photo.pixels.astype(np.uint16)):
        with pytest.raises(ValueError, match="the photo is \\(40, 56, 3\\) uint8"):
            photo.replaced(wrong)
