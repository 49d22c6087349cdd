"""Promises of the picture reader for damaged and random bytes: quiet, quick, unbreakable."""

from __future__ import annotations

import os
import threading
import time
import zlib

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import PictureError
from edge_runtime.pictures import decode_picture
from tests.edge_runtime.drawn_pictures import (
    colours,
    encoded,
    png_chunk,
    with_alpha,
)


def test_decoders_write_nothing_to_the_terminal(capfd):
    """libpng, libjpeg, libtiff and OpenCV all have something to say about these."""
    png = encoded(colours(), "PNG")
    jpeg = encoded(colours(), "JPEG")
    tiff = encoded(colours().convert("L").convert("F"), "TIFF")
    broken = [
        png[:33] + png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200))) + png[33:],
        png[:60] + bytes(20) + png[80:],
        jpeg[:-300] + bytes(200) + jpeg[-100:],
        tiff,
    ]
    for data in broken:
        try:
            decode_picture(data, "x")
        except PictureError:
            continue
    assert capfd.readouterr() == ("", "")


def test_lines_that_others_write_meanwhile_are_kept(capfd):
    jpeg = encoded(Image.effect_noise((1200, 900), 60), "JPEG")
    stop = threading.Event()

    def decode():
        while not stop.is_set():
            decode_picture(jpeg, "x.jpg")

    workers = [threading.Thread(target=decode) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in range(200):
        os.write(2, f"line {number}\n".encode())
        time.sleep(0.001)
    stop.set()
    for worker in workers:
        worker.join()
    kept = capfd.readouterr().err.splitlines()
    assert sorted(kept) == sorted(f"line {number}" for number in range(200))


EXAMPLES = [
    encoded(colours(), "JPEG"),
    encoded(colours(), "JPEG", progressive=True),
    encoded(colours().convert("CMYK"), "JPEG"),
    encoded(with_alpha(colours()), "PNG"),
    encoded(colours().convert("P"), "PNG", transparency=3),
    encoded(colours().convert("P"), "GIF"),
    encoded(colours(), "BMP"),
    encoded(colours().convert("P"), "BMP"),
    encoded(with_alpha(colours()), "WEBP"),
    encoded(with_alpha(colours()), "WEBP", lossless=True),
    encoded(colours(), "WEBP", save_all=True, append_images=[colours().rotate(90)]),
    encoded(colours(), "PNG", save_all=True, append_images=[colours().rotate(90)]),
    encoded(colours(), "TIFF"),
    encoded(colours(), "TIFF", compression="tiff_lzw"),
    encoded(colours(), "TIFF", compression="jpeg"),
]


@settings(max_examples=300, deadline=3000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(EXAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.floats(0.3, 1)
)
def test_damaged_pictures_are_read_or_refused_in_a_moment(data, changes, kept):
    damaged = bytearray(data)
    for where, value in changes:
        # Squared: headers, where damage does the most, are hit more often.
        damaged[int(where**2 * (len(damaged) - 1))] = value
    start = time.perf_counter()
    try:
        image = decode_picture(bytes(damaged[: max(1, round(len(damaged) * min(1.0, kept * 1.4)))]), "x")
    except PictureError as error:
        assert str(error).startswith("x: ")
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
    assert time.perf_counter() - start < 2


@settings(max_examples=200, deadline=3000)
@given(
    st.sampled_from([b"", *(example[:size] for example in EXAMPLES for size in (4, 16, 40))]), st.binary(max_size=400)
)
def test_random_bytes_are_refused_in_a_moment(magic, rest):
    start = time.perf_counter()
    try:
        decode_picture(magic + rest, "x")
    except PictureError as error:
        assert str(error).startswith("x: ")
    assert time.perf_counter() - start < 2
