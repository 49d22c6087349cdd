"""Promises of the picture reader: what is read, against Pillow as the second opinion."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from edge_runtime.pictures import decode_picture
from tests.edge_runtime.drawn_pictures import (
    HEIGHT,
    WIDTH,
    assert_like,
    colours,
    encoded,
    over_white,
    with_alpha,
)

VERSION = tuple(map(int, cv2.__version__.split(".")[:2]))
GIF = pytest.param("GIF", marks=pytest.mark.skipif(VERSION < (4, 12), reason="OpenCV reads GIF since 4.12"))
ANIMATED_WEBP = pytest.param(
    "WEBP", marks=pytest.mark.skipif(VERSION < (4, 11), reason="OpenCV reads animated WebP since 4.11")
)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 3}])
def test_jpeg_looks_as_in_pillow(mode, options):
    data = encoded(colours().convert(mode), "JPEG", quality=95, **options)
    assert_like(decode_picture(data, "x.jpg"), Image.open(io.BytesIO(data)), tolerance=1)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
@pytest.mark.parametrize("kind", ["PNG", GIF, "BMP", "TIFF"])
def test_lossless_pictures_are_exact(kind, mode):
    data = encoded(colours().convert(mode), kind)
    assert_like(decode_picture(data, "x"), Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_looks_as_in_pillow(lossless):
    data = encoded(colours(), "WEBP", lossless=lossless)
    assert_like(decode_picture(data, "x.webp"), Image.open(io.BytesIO(data)), tolerance=0 if lossless else 1)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_tiff_compressions_are_read(compression):
    data = encoded(colours(), "TIFF", compression=compression)
    assert_like(decode_picture(data, "x.tif"), Image.open(io.BytesIO(data)), tolerance=1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_picture_comes_out_upright(kind, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    options = {"tiffinfo": {0x112: orientation}} if kind == "TIFF" else {"exif": exif}
    data = encoded(colours(), kind, **options, **({"lossless": True} if kind == "WEBP" else {}))
    assert_like(decode_picture(data, "x"), ImageOps.exif_transpose(Image.open(io.BytesIO(data))), tolerance=1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_picture_comes_out_upright_too(kind, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encoded(with_alpha(colours()), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    assert_like(
        decode_picture(data, "x"), over_white(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))), tolerance=1
    )


def test_sixteen_bits_keep_the_full_range():
    levels = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16).reshape(HEIGHT, WIDTH)
    for suffix in (".png", ".tiff"):
        for values in (levels, np.dstack([levels, levels[::-1], levels[:, ::-1]])):
            image = decode_picture(cv2.imencode(suffix, values)[1].tobytes(), f"x{suffix}")
            expected = values if values.ndim == 3 else np.dstack([values] * 3)
            assert image.dtype == np.uint8
            assert (image.min(), image.max()) == (0, 255)
            assert np.abs(image - expected / 257).max() <= 1


def test_sixteen_bits_with_transparency_are_laid_over_white():
    values = np.zeros((HEIGHT, WIDTH, 4), np.uint16)
    values[..., 2], values[..., 3] = 65535, np.linspace(0, 65535, WIDTH).astype(np.uint16)
    image = decode_picture(cv2.imencode(".png", values)[1].tobytes(), "x.png")
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, -1].tolist() == [0, 0, 255]


@pytest.mark.parametrize("adobe", ["CMYK", "YCCK", "no marker"])
def test_cmyk_jpeg_has_the_colours_that_pillow_gives_it(adobe):
    data = bytearray(encoded(colours().convert("CMYK"), "JPEG", quality=95))
    marker = data.index(b"\xff\xee")
    if adobe == "YCCK":
        data[marker + 15] = 2
    elif adobe == "no marker":
        del data[marker : marker + 16]
    reference = Image.open(io.BytesIO(data))
    assert reference.mode == "CMYK"
    assert_like(decode_picture(bytes(data), "x.jpg"), reference, tolerance=2)
    if adobe == "CMYK":
        assert_like(decode_picture(bytes(data), "x.jpg"), colours(), tolerance=12)


def test_cmyk_tiff_has_its_colours():
    assert_like(decode_picture(encoded(colours().convert("CMYK"), "TIFF"), "x.tif"), colours(), tolerance=1)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
def test_transparency_is_laid_over_white(kind, mode):
    data = encoded(with_alpha(colours(), mode), kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert_like(decode_picture(data, "x"), over_white(Image.open(io.BytesIO(data))), tolerance=1)


@pytest.mark.parametrize("kind", ["PNG", GIF])
def test_transparent_palette_colour_is_white(kind):
    image = colours().convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    data = encoded(image, kind, transparency=int(np.asarray(image)[5, 9]))
    decoded = decode_picture(data, "x")
    assert_like(decoded, over_white(Image.open(io.BytesIO(data))))
    assert decoded[5, 9].tolist() == [255, 255, 255]


def test_what_full_transparency_hides_stays_hidden():
    image = colours().convert("RGBA")
    image.putalpha(0)
    assert (decode_picture(encoded(image, "PNG"), "x.png") == 255).all()


@pytest.mark.parametrize("kind", [GIF, ANIMATED_WEBP, "PNG", "TIFF"])
def test_first_picture_of_several_counts(kind):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), (level, 0, 0)) for level in (250, 20, 90)]
    data = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    assert_like(decode_picture(data, "x"), frames[0])


@pytest.mark.parametrize("kind", [GIF, ANIMATED_WEBP, "PNG"])
def test_first_picture_of_a_transparent_animation_counts(kind):
    frames = [with_alpha(Image.new("RGB", (WIDTH, HEIGHT), (level, 0, 0))) for level in (250, 20, 90)]
    data = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    assert_like(decode_picture(data, "x"), over_white(Image.open(io.BytesIO(data))), tolerance=1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", GIF, "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_tiny_pictures_are_read(kind, size):
    assert decode_picture(encoded(Image.new("RGB", size, "grey"), kind), "x").shape == (size[1], size[0], 3)


def test_phone_picture_with_bytes_after_its_end_is_read():
    data = encoded(colours(), "JPEG")
    for rest in (b"\0" * 64, data, b"SEFT" + bytes(30)):
        assert_like(decode_picture(data + rest, "x.jpg"), Image.open(io.BytesIO(data)), tolerance=1)


def test_mpo_of_a_phone_gives_its_first_picture():
    data = encoded(colours(), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 20))])
    assert_like(decode_picture(data, "x.jpg"), Image.open(io.BytesIO(data)), tolerance=1)


def test_result_is_writable_and_contiguous():
    for data in (
        encoded(colours(), "JPEG"),
        encoded(with_alpha(colours()), "PNG"),
        encoded(colours().convert("L"), "PNG"),
    ):
        image = decode_picture(data, "x")
        assert image.flags["C_CONTIGUOUS"]
        assert image.flags["WRITEABLE"]
