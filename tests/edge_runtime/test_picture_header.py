"""Promises of the header parsers: sizes before decoding, within bounds, and nothing but PictureError for broken bytes."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import PictureError
from edge_runtime.picture_header import READABLE_KINDS, PictureHeader, picture_kind, read_header

WIDTH, HEIGHT = 37, 23


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(mode: str = "RGB") -> Image.Image:
    return Image.effect_noise((WIDTH, HEIGHT), 60).convert(mode)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


EXAMPLES = {
    "jpeg": encoded(plain(), "JPEG"),
    "jpeg grey": encoded(plain("L"), "JPEG"),
    "jpeg cmyk": encoded(plain("CMYK"), "JPEG"),
    "jpeg progressive": encoded(plain(), "JPEG", progressive=True),
    "png": encoded(plain(), "PNG"),
    "png 1 bit": encoded(plain("1"), "PNG"),
    "png palette": encoded(plain("P"), "PNG"),
    "gif": encoded(plain("P"), "GIF"),
    "bmp": encoded(plain(), "BMP"),
    "bmp 1 bit": encoded(plain("1"), "BMP"),
    "webp": encoded(plain(), "WEBP"),
    "webp lossless": encoded(plain("RGBA"), "WEBP", lossless=True),
    "webp animated": encoded(plain(), "WEBP", save_all=True, append_images=[plain("L").convert("RGB")]),
    "tiff": encoded(plain(), "TIFF"),
    "tiff big": encoded(plain(), "TIFF", big_tiff=True),
    "tiff lzw": encoded(plain(), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_size_in_the_header_is_the_size_of_the_picture(example: str) -> None:
    header = read_header(EXAMPLES[example], example)
    assert (header.width, header.height, header.orientation, header.whole) == (WIDTH, HEIGHT, 1, True)
    assert header.kind.lower() == example.split()[0]
    assert header.kind in READABLE_KINDS


def test_bmp_of_1990_with_the_short_header_is_read() -> None:
    rows = bytes(HEIGHT * ((WIDTH * 24 + 31) // 32 * 4))
    data = (
        b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24) + rows
    )
    assert read_header(data, "old.bmp") == PictureHeader("BMP", WIDTH, HEIGHT)
    assert not read_header(data[:-4], "old.bmp").whole


def test_bmp_with_rows_from_the_top_down_has_a_positive_height() -> None:
    data = bytearray(EXAMPLES["bmp"])
    data[22:26] = struct.pack("<i", -HEIGHT)
    assert read_header(bytes(data), "x.bmp").height == HEIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_found(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    options = {"tiffinfo": {0x112: orientation}} if kind == "TIFF" else {"exif": exif}
    assert read_header(encoded(plain(), kind, **options), "x").orientation == orientation


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_orientation_out_of_range_counts_as_upright(value: int) -> None:
    exif = Image.Exif()
    exif[0x112] = value
    assert read_header(encoded(plain(), "JPEG", exif=exif), "x").orientation == 1


def test_broken_exif_counts_as_upright() -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    data = encoded(plain(), "JPEG", exif=exif)
    start = data.index(b"Exif\0\0") + 6
    for broken in (b"\xff" * 8, b"II*\0\xff\xff\xff\xff", b"MM\0+\xff\xff\xff\xff"):
        assert read_header(data[:start] + broken + data[start + 8 :], "x").orientation == 1


def test_transparency_is_seen() -> None:
    alpha = plain("RGBA")
    alpha.putalpha(100)
    for kind in ("PNG", "WEBP", "TIFF"):
        assert read_header(encoded(alpha, kind), kind).alpha, kind
        assert not read_header(encoded(plain(), kind), kind).alpha, kind
    assert read_header(encoded(plain("P"), "PNG", transparency=1), "palette").alpha


@pytest.mark.parametrize("example", ["jpeg", "jpeg progressive", "png", "bmp", "webp", "webp lossless"])
def test_every_truncation_is_either_refused_or_not_whole(example: str) -> None:
    data = EXAMPLES[example]
    for length in range(len(data)):
        try:
            assert not read_header(data[:length], "x").whole, length
        except PictureError:
            continue


def test_end_marker_of_a_thumbnail_does_not_make_a_truncated_jpeg_whole() -> None:
    thumbnail = b"Exif\0\0" + EXAMPLES["jpeg"]
    data = EXAMPLES["jpeg"]
    with_thumbnail = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    assert read_header(with_thumbnail, "x").whole
    assert not read_header(with_thumbnail[:-40], "x").whole


@pytest.mark.parametrize("example", ["jpeg", "jpeg progressive", "png", "webp", "bmp"])
def test_bytes_after_the_end_do_not_matter(example: str) -> None:
    assert read_header(EXAMPLES[example] + bytes(100) + EXAMPLES["jpeg"][:200], "x").whole


def test_second_frame_header_is_refused() -> None:
    data = EXAMPLES["jpeg progressive"]
    start = data.index(b"\xff\xc2")
    frame = bytearray(data[start : start + 19])
    frame[5:9] = struct.pack(">HH", 60000, 60000)
    for forged in (data[:start] + bytes(frame) + data[start:], data[: start + 19] + bytes(frame) + data[start + 19 :]):
        with pytest.raises(PictureError, match="two frame headers"):
            read_header(forged, "x.jpg")


def test_jpeg_with_thousands_of_scans_is_refused() -> None:
    data = EXAMPLES["jpeg progressive"]
    start = data.index(b"\xff\xda")
    scan = data[start : start + 2 + struct.unpack_from(">H", data, start + 2)[0]]
    with pytest.raises(PictureError, match="more than 500 scans"):
        read_header(data[:start] + scan * 501 + b"\xff\xd9", "x.jpg")
    assert read_header(data[:start] + scan * 500 + b"\xff\xd9", "x.jpg").whole
    large = bytearray(data[:start])
    frame = data.index(b"\xff\xc2")
    large[frame + 5 : frame + 9] = struct.pack(">HH", 7000, 7000)
    with pytest.raises(PictureError, match="7000 × 7000 pixels with more than 30 scans"):
        read_header(bytes(large) + scan * 31 + b"\xff\xd9", "x.jpg")


def test_png_that_claims_gigabytes_for_a_chunk_is_not_whole() -> None:
    data = EXAMPLES["png"]
    for chunk in (b"IDAT", b"IEND"):
        start = data.index(chunk) - 4
        assert not read_header(data[:start] + b"\xff\xff\0\0" + data[start + 4 :], "x.png").whole


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a comment -->\n<svg width="3">', "SVG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
    ],
)
def test_kinds_that_are_not_read_are_named_with_the_mend(head: bytes, kind: str) -> None:
    assert picture_kind(head) == kind
    with pytest.raises(PictureError, match=rf"x\.bin: {kind}, .*expected a JPEG, PNG.*; convert it to JPEG"):
        read_header(head + bytes(200), "x.bin")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"hello",
        b"<!DOCTYPE html><html>",
        b"BMX is a bicycle, no bitmap",
        b"%PDF-1.7",
        bytes(64),
        b"\0\0\0\x18ftypisom",
    ],
)
def test_what_is_no_picture_has_no_kind(head: bytes) -> None:
    assert picture_kind(head) is None
    with pytest.raises(PictureError, match=r"x\.jpg"):
        read_header(head, "x.jpg")


def test_tiff_with_colours_that_opencv_gets_wrong_is_refused() -> None:
    data = bytearray(EXAMPLES["tiff"])
    entry = data.index(struct.pack("<HHI", 262, 3, 1))
    data[entry + 8 : entry + 10] = struct.pack("<H", 8)
    with pytest.raises(PictureError, match="colours of the sort 8"):
        read_header(bytes(data), "lab.tif")


def test_tiff_with_huge_tiles_is_refused() -> None:
    entries = [(256, 64), (257, 64), (262, 2), (277, 3), (322, 16384), (323, 16384)]
    data = (
        b"II*\0"
        + struct.pack("<IH", 8, len(entries))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    )
    with pytest.raises(PictureError, match="tiles"):
        read_header(data + bytes(64), "x.tif")


def test_endless_directories_and_chunks_cost_a_moment() -> None:
    ihdr = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    hostile = [
        b"\xff\xd8" + b"\xff" * 20_000_000 + b"\0",
        b"\xff\xd8" + b"\xff\xe0\0\x02" * 5_000_000,
        b"\xff\xd8\xff\xc2\0\x11\x08\0\x08\0\x08\x03" + bytes(9) + b"\xff\xda\0\x02" + b"\xff\0" * 10_000_000,
        b"\x89PNG\r\n\x1a\n" + ihdr + bytes(20_000_000),
        b"RIFF\xff\xff\xff\x00WEBPVP8X\n\0\0\0\x08\0\0\0\x07\0\0\x07\0\0" + bytes(20_000_000),
        b"II*\0\x08\0\0\0\xff\xff" + bytes(20_000_000),
        b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + bytes(1_000_000),
        b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1) + bytes(1000),
    ]
    for data in hostile:
        start = time.perf_counter()
        with contextlib.suppress(PictureError):
            read_header(data, "x")
        assert time.perf_counter() - start < 5, data[:16]


@settings(max_examples=400, deadline=2000)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_broken_headers_raise_picture_error_and_nothing_else(example: str, draw: st.DataObject) -> None:
    data = bytearray(EXAMPLES[example])
    for _ in range(draw.draw(st.integers(0, 8))):
        data[draw.draw(st.integers(0, min(len(data) - 1, 400)))] = draw.draw(st.integers(0, 255))
    try:
        header = read_header(bytes(data[: draw.draw(st.integers(0, len(data)))]), "x")
    except PictureError as error:
        assert "\n" not in str(error)
    else:
        assert header.width > 0
        assert header.height > 0
        assert 1 <= header.orientation <= 8


@settings(max_examples=300, deadline=2000)
@given(
    st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"BM",
            b"RIFF\0\1\0\0WEBPVP8X",
            b"II*\0\x08\0\0\0",
            b"MM\0+",
        ]
    ),
    st.binary(max_size=600),
)
def test_random_bytes_raise_picture_error_and_nothing_else(magic: bytes, rest: bytes) -> None:
    try:
        read_header(magic + rest, "x")
    except PictureError as error:
        assert str(error).startswith("x: ")


def test_sizes_agree_with_opencv_for_files_that_it_writes_itself() -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for suffix in (".jpg", ".png", ".bmp", ".webp", ".tiff"):
        header = read_header(cv2.imencode(suffix, image)[1].tobytes(), suffix)
        assert (header.width, header.height) == (WIDTH, HEIGHT), suffix
