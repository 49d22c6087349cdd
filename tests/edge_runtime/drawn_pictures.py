"""Pictures drawn for tests, and how they look to Pillow."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48


def colours():
    """A smooth picture without any symmetry: each of its eight orientations looks different."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return Image.fromarray(np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8))


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_alpha(image, mode="RGBA"):
    image = image.convert(mode)
    image.putalpha(Image.fromarray(np.tile(np.arange(0, WIDTH * 4, 4, dtype=np.uint8), (HEIGHT, 1))))
    return image


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def forged_jpeg(width, height):
    data = bytearray(encoded(colours(), "JPEG", quality=99))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def assert_like(image, reference, tolerance=0):
    """Same size, and no pixel further off than `tolerance`. `reference` is Pillow's."""
    expected = np.asarray(reference.convert("RGB"))[..., ::-1]
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).max() <= tolerance
