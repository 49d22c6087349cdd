"""Promises of the picture reader, against Pillow as the second opinion."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edge_runtime import pictures
from edge_runtime.errors import PictureError
from edge_runtime.pictures import MAX_PIXELS, decode_picture, read_picture
from tests.support import ROOT

WIDTH, HEIGHT = 64, 48
VERSION = tuple(map(int, cv2.__version__.split(".")[:2]))
GIF = pytest.param("GIF", marks=pytest.mark.skipif(VERSION < (4, 12), reason="OpenCV reads GIF since 4.12"))
ANIMATED_WEBP = pytest.param(
    "WEBP", marks=pytest.mark.skipif(VERSION < (4, 11), reason="OpenCV reads animated WebP since 4.11")
)


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


# --- what comes out right


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


# --- what is refused, and how


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


# --- quiet, quick, unbreakable


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
    assert capfd.readouterr().err.splitlines() == [f"line {number}" for number in range(200)]


def test_reading_costs_hardly_more_than_decoding():
    data = encoded(Image.effect_noise((2000, 1500), 60).convert("RGB"), "JPEG", quality=85)
    array = np.frombuffer(data, np.uint8)
    bare, ours = [], []
    for _ in range(15):
        for times, job in (
            (bare, lambda: cv2.imdecode(array, cv2.IMREAD_COLOR)),
            (ours, lambda: decode_picture(data, "x.jpg")),
        ):
            start = time.perf_counter()
            job()
            times.append(time.perf_counter() - start)
    assert min(ours) < 1.15 * min(bare)  # measured: 1.02; the rest is room for a busy machine


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
