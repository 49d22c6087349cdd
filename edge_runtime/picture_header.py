"""What a picture file says about itself, read before anything is decoded: kind, size, orientation, transparency.

A decoder allocates the size that a file claims, so 20 KB can cost gigabytes. These parsers look at headers only, never
follow a claim outside the bytes they have, and do a bounded amount of work.

Sources: JPEG ITU-T T.81 annex B; PNG third edition; GIF89a; BMP as Windows' BITMAPINFOHEADER; WebP RFC 9649; TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from edge_runtime.errors import PictureError
from edge_runtime.tiff_directory import Tag, exif_orientation, first_directory, orientation_of

__all__ = ["HEAD_BYTES", "READABLE_KINDS", "PictureHeader", "picture_kind", "read_header"]

READABLE_KINDS = ("JPEG", "PNG", "GIF", "BMP", "WebP", "TIFF")

HEAD_BYTES = 1024
"""How many first bytes of a file `picture_kind` wants."""

_MAX_PARTS = 1_000_000  # segments, chunks or entries: real files have thousands at most, and a second is soon over
_MAX_SCANS = 500  # progressive JPEGs have about ten; each costs a pass over the whole picture,
_MAX_SCANNED_PIXELS = 1_500_000_000  # so large ones may have no more than this many pixels in all,
_SCANS_ALWAYS_ALLOWED = 30  # and these in any case

# Kinds that are known and not read, by the brand in an ISO media file.
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True)
class PictureHeader:
    """What a picture file says about itself.

    Attributes:
        kind: one of `READABLE_KINDS`.
        width, height: pixels as they are stored, before the orientation is applied.
        orientation: 1 to 8 as Exif counts them; 1 is upright.
        alpha: whether the picture may hold transparent pixels.
        whole: False where the file stops before its own end.
    """

    kind: str
    width: int
    height: int
    orientation: int = 1
    alpha: bool = False
    whole: bool = True


def picture_kind(head: bytes) -> str | None:
    """The kind of picture that a file's first `HEAD_BYTES` tell, also one that is not read (HEIC, SVG, …); None for none."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis"):
            return "AVIF"
        return "HEIC" if head[8:12] in _HEIF_BRANDS else None
    if head.startswith((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")):
        return "JPEG 2000"
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return "JPEG XL"
    if head.startswith(b"BM") and head[14:18] in _BMP_HEADERS:
        return "BMP"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in text):
        return "SVG"
    return None


def read_header(data: bytes, name: str) -> PictureHeader:
    """Reads what a picture says about itself.

    Args:
        data: the whole file; a truncated one gives a header with `whole` False where the size is still there.
        name: what errors call the picture.

    Raises:
        PictureError: the bytes are no picture, one of a kind that is not read, or a header that contradicts itself.
    """
    kind = picture_kind(data[:HEAD_BYTES])
    if kind is None:
        found = "0 bytes" if not data else f"no picture, it starts with {bytes(data[:8])!r}"
        raise PictureError(f"{name}: {found}", _expected(), "check the file, or copy it again")
    if kind not in READABLE_KINDS:
        raise PictureError(f"{name}: {kind}, which is not read here", _expected(), "convert it to JPEG")
    try:
        header = _PARSERS[kind](data)
    except (struct.error, IndexError, OverflowError):
        raise PictureError(
            f"{name}: cut off in the header, {len(data)} bytes of {kind}",
            f"a whole {kind} picture",
            "copy the file again",
        ) from None
    except _BrokenHeaderError as error:
        raise PictureError(
            f"{name}: {kind} {error}", error.expected, "convert it to JPEG, or copy the file again"
        ) from None
    if header.width < 1 or header.height < 1:
        raise PictureError(
            f"{name}: {kind} of {header.width} × {header.height} pixels", "at least 1 × 1", "check the file"
        )
    return header


class _BrokenHeaderError(Exception):
    def __init__(self, found: str, expected: str = "a sound header") -> None:
        self.expected = expected
        super().__init__(found)


def _expected() -> str:
    return f"a {', '.join(READABLE_KINDS[:-1])} or {READABLE_KINDS[-1]} picture"


# --- JPEG

# The next marker: 0xFF and a code, passing over stuffed zeros (FF 00), restarts (FF D0 to D7) and fill bytes (FF FF).
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])", re.DOTALL)
_START, _END, _SCAN, _EXIF = 0xD8, 0xD9, 0xDA, 0xE1
_END_BYTES = b"\xff\xd9"
_PROGRESSIVE_FRAMES = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG and DAC


def _jpeg(data: bytes) -> PictureHeader:
    """Walks the markers to the end of the image (EOI). What follows it, as phones append it, does not matter."""
    width = height = 0
    orientation = 1
    scans = 0
    framed = progressive = exif_seen = whole = False
    position = 2
    for _ in range(_MAX_PARTS):
        match = _MARKER.search(data, position)
        if match is None:
            break
        marker, position = match[1][0], match.end()
        if marker == _END:
            whole = True
            break
        if marker in (0x01, _START):  # they carry nothing
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2 or position + length > len(data):
            break
        if marker in _FRAMES:
            if framed:
                raise _BrokenHeaderError("with two frame headers", "one size")
            framed, progressive = True, marker in _PROGRESSIVE_FRAMES
            height, width = struct.unpack_from(">HH", data, position + 3)
        elif marker == _SCAN:
            scans += 1
            allowed = max(_SCANS_ALWAYS_ALLOWED, min(_MAX_SCANS, _MAX_SCANNED_PIXELS // max(1, width * height)))
            if scans > allowed:
                raise _BrokenHeaderError(
                    f"of {width} × {height} pixels with more than {allowed} scans", "a JPEG with about ten scans"
                )
            if not progressive:  # pixels cannot look like an end marker, so nothing between here and there needs a look
                whole = data.endswith(_END_BYTES) or data.find(_END_BYTES, position) >= 0
                break
        elif marker == _EXIF and not exif_seen and data[position + 2 : position + 8] == b"Exif\0\0":
            exif_seen = True
            orientation = exif_orientation(data[position + 8 : position + length])
        position += length
    if not framed:
        raise _BrokenHeaderError("without a frame header, or cut off before it", "a whole JPEG picture")
    return PictureHeader("JPEG", width, height, orientation, whole=whole and scans > 0)


# --- PNG


def _png(data: bytes) -> PictureHeader:
    """Walks the chunks to IEND."""
    if data[12:16] != b"IHDR":
        raise _BrokenHeaderError("without its header chunk", "a PNG that starts with IHDR")
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    alpha = bool(colour & 4)
    orientation = 1
    whole = False
    position = 8
    for _ in range(_MAX_PARTS):
        if position + 12 > len(data):
            break
        length, chunk = struct.unpack_from(">I4s", data, position)
        if chunk == b"tRNS":
            alpha = True
        elif chunk == b"eXIf":
            orientation = exif_orientation(data[position + 8 : position + 8 + length])
        elif chunk == b"IEND":
            whole = length == 0  # OpenCV 4.14 makes room for as much as this chunk claims, up to 4 GB
            break
        position += 12 + length
    return PictureHeader("PNG", width, height, orientation, alpha, whole)


# --- GIF


def _gif(data: bytes) -> PictureHeader:
    width, height = struct.unpack_from("<HH", data, 6)
    return PictureHeader("GIF", width, height, alpha=True)


# --- BMP

_BMP_HEADERS = {struct.pack("<I", size) for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def _bmp(data: bytes) -> PictureHeader:
    (pixels_at,) = struct.unpack_from("<I", data, 10)
    packed = False
    if data[14] == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
        packed = data[14] >= 40 and struct.unpack_from("<I", data, 30)[0] not in (0, 3)
    height = abs(height)  # negative: rows from the top down
    stored = pixels_at + (width * bits + 31) // 32 * 4 * height
    return PictureHeader("BMP", width, height, whole=packed or len(data) >= stored)


# --- WebP


def _webp(data: bytes) -> PictureHeader:
    (riff,) = struct.unpack_from("<I", data, 4)
    whole = len(data) >= 8 + riff
    chunk = data[12:16]
    if chunk == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise _BrokenHeaderError("without a key frame", "a still picture")
        width, height = struct.unpack_from("<HH", data, 26)
        return PictureHeader("WebP", width & 0x3FFF, height & 0x3FFF, whole=whole)
    if chunk == b"VP8L":
        if data[20] != 0x2F:
            raise _BrokenHeaderError("without the lossless signature")
        (bits,) = struct.unpack_from("<I", data, 21)
        return PictureHeader(
            "WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, alpha=bool(bits >> 28 & 1), whole=whole
        )
    if chunk != b"VP8X":
        raise _BrokenHeaderError(f"that starts with the chunk {bytes(chunk)!r}", "VP8, VP8L or VP8X")
    flags = data[20]
    width = int.from_bytes(_exactly(data, 24, 3), "little") + 1
    height = int.from_bytes(_exactly(data, 27, 3), "little") + 1
    orientation = 1
    position = 12
    for _ in range(_MAX_PARTS if flags & 0x08 else 0):
        if position + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        if name == b"EXIF":
            orientation = exif_orientation(data[position + 8 : position + 8 + length].removeprefix(b"Exif\0\0"))
            break
        position += 8 + length + (length & 1)
    return PictureHeader("WebP", width, height, orientation, bool(flags & 0x10), whole)


def _exactly(data: bytes, start: int, count: int) -> bytes:
    part = data[start : start + count]
    if len(part) < count:
        raise IndexError
    return part


# --- TIFF

_PLAIN_COLOURS = (0, 1, 2, 3, 5, 6)  # white is zero, black is zero, RGB, palette, CMYK, YCbCr
_MAX_TILE_PIXELS = 16_777_216


def _tiff(data: bytes) -> PictureHeader:
    tags = first_directory(data)
    width, height = tags.get(Tag.WIDTH), tags.get(Tag.HEIGHT)
    if width is None or height is None:
        raise _BrokenHeaderError("without a size, or cut off before it", "a whole TIFF picture")
    colours = tags.get(Tag.PHOTOMETRIC, 1)
    if colours not in _PLAIN_COLOURS:
        raise _BrokenHeaderError(
            f"with colours of the sort {colours} (raw, Lab or the like)", "grey, RGB, palette, CMYK or YCbCr"
        )
    tile = tags.get(Tag.TILE_WIDTH, 0) * tags.get(Tag.TILE_HEIGHT, 0)
    if tile > max(_MAX_TILE_PIXELS, width * height):
        raise _BrokenHeaderError(
            f"of {width} × {height} pixels with tiles of {tile} pixels", "tiles no larger than the picture"
        )
    # With four RGB samples the fourth is taken as alpha, as libtiff does; deeper ones come without it.
    alpha = colours == 2 and tags.get(Tag.SAMPLES) == 4 and tags.get(Tag.BITS) == 8
    return PictureHeader("TIFF", width, height, orientation_of(tags), alpha)


_PARSERS = {"JPEG": _jpeg, "PNG": _png, "GIF": _gif, "BMP": _bmp, "WebP": _webp, "TIFF": _tiff}
