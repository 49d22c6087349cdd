"""Promises of the picture reader: what is refused, and how."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from edge_runtime import pictures
from edge_runtime.errors import PictureError
from edge_runtime.pictures import MAX_PIXELS, decode_picture, read_picture
from tests.edge_runtime.drawn_pictures import (
    colours,
    encoded,
    forged_jpeg,
    png_chunk,
)
from tests.support import ROOT


def test_forged_size_is_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    png = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
        + png_chunk(b"IEND", b"")
    )
    bmp = bytearray(encoded(colours(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60000, -60000)
    gif = bytearray(encoded(colours().convert("P"), "GIF"))
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    webp = b"RIFF\x16\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0" + (16000).to_bytes(3, "little") * 2
    tiff = b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 256, 4, 1, 60000, 257, 4, 1, 60000) + bytes(4)
    for data in (forged_jpeg(60000, 60000), png, bytes(bmp), bytes(gif), webp, tiff):
        start = time.perf_counter()
        with pytest.raises(
            PictureError,
            match=r"photo: .* 60000 × 60000 pixels .*|photo: .* 16001 × 16001 pixels .*; expected at most 50 megapixels",
        ):
            decode_picture(data, "photo")
        assert time.perf_counter() - start < 0.1


def test_forged_size_costs_no_memory(tmp_path):
    path = tmp_path / "forged.jpg"
    path.write_bytes(forged_jpeg(60000, 60000))
    probe = (
        "import resource, sys; from edge_runtime.pictures import read_picture; from edge_runtime.errors import PictureError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_picture(sys.argv[1]); sys.exit('not refused')\n"
        "except PictureError: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", probe, path], capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(done.stdout) < 4096  # kilobytes


def test_size_limit_is_between_fifty_and_fifty_one_megapixels(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(PictureError, match="cannot decode"):
        decode_picture(forged_jpeg(10000, MAX_PIXELS // 10000), "x.jpg")
    with pytest.raises(PictureError, match="at most 50 megapixels"):
        decode_picture(forged_jpeg(10000, MAX_PIXELS // 10000 + 1), "x.jpg")


def test_size_that_disagrees_with_the_content_is_refused(monkeypatch):
    data = encoded(colours(), "PNG")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(PictureError, match="says 64 × 48 pixels and holds 9 × 9"):
        decode_picture(data, "x.png")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("WEBP", {}), ("TIFF", {})],
)
def test_truncated_picture_is_refused_at_every_length(kind, options):
    image = colours().convert("P") if kind == "GIF" else colours()
    data = encoded(image, kind, **options)
    for length in {*range(0, len(data), max(1, len(data) // 200)), *range(len(data) - 40, len(data))}:
        with pytest.raises(PictureError, match=r"^half: "):
            decode_picture(data[:length], "half")


def test_truncated_jpeg_says_that_it_is_cut_off():
    data = encoded(colours(), "JPEG")
    with pytest.raises(
        PictureError,
        match=r"half.jpg: cut off after \d+ bytes of JPEG; expected a whole JPEG picture; copy the file again",
    ):
        decode_picture(data[:-200], "half.jpg")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"),
        (b"hello, I am a letter", "no picture"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(80), "HEIC.*convert it to JPEG"),
        (b"\0\0\0\x18ftypavif" + bytes(80), "AVIF.*convert it to JPEG"),
        (b"<svg></svg>", "SVG.*convert it to JPEG"),
    ],
)
def test_what_is_no_picture_gets_one_line_with_its_name(tmp_path, content, said):
    path = tmp_path / "thing.jpg"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=said) as caught:
        read_picture(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, said in (
        ("missing.jpg", "No such file"),
        (".", "a folder"),
        ("pipe.jpg", "a device or pipe"),
        ("nul\0l.jpg", "null"),
    ):
        with pytest.raises(PictureError, match=said):
            read_picture(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_refused(tmp_path):
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(PictureError, match="Permission denied"):
        read_picture(path)


def test_large_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "huge.jpg"
    with open(path, "wb") as file:
        file.truncate(pictures.MAX_FILE_BYTES + 1)  # sparse: takes no room on the disk
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(PictureError, match="200 MB; expected a picture file of at most 200 MB"):
        read_picture(path)


def test_name_with_a_line_break_stays_on_one_line(tmp_path):
    path = tmp_path / "a\nb\x1b[31m.jpg"
    path.write_bytes(b"")
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_tiff_with_32_bit_samples_is_refused(mode):
    with pytest.raises(PictureError, match="cannot decode"):
        decode_picture(encoded(colours().convert("L").convert(mode), "TIFF"), "x.tif")
