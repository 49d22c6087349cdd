"""Picture files as arrays: BGR, upright, 8 bits, whatever the file's kind. Whatever cannot be read right is refused.

The size is taken from the header first, so a small file that claims a huge picture costs nothing.
"""

from __future__ import annotations

import os
import stat
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.errors import one_line
from devices.quiet import quiet_libraries
from edge_runtime.errors import PictureError
from edge_runtime.picture_header import PictureHeader, read_header

__all__ = ["MAX_FILE_BYTES", "MAX_PIXELS", "PICTURE_SUFFIXES", "VIDEO_SUFFIXES", "decode_picture", "read_picture"]

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: 50 megapixels are 150 MB, and much of a small board's memory."""

MAX_FILE_BYTES = 200_000_000
"""Larger files are refused before they are read."""

PICTURE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".gif",
        ".bmp",
        ".dib",
        ".webp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
    )
)
"""What is taken for a picture in a folder. HEIC and AVIF are not read, but a person with a folder of them should hear it."""

VIDEO_SUFFIXES = frozenset(
    (
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".3gp",
        ".3g2",
        ".flv",
        ".wmv",
        ".asf",
        ".ogv",
    )
)
"""What is taken for a video in a folder."""

_BAND_ROWS = 256  # rows that are made opaque at once: keeps the working memory small


def read_picture(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Reads a picture file: JPEG, PNG, GIF, BMP, WebP or TIFF. See `decode_picture` for what comes out.

    Raises:
        PictureError: the file is missing, a folder, too large, or something that `decode_picture` refuses.
    """
    name = one_line(os.fspath(path))
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
            raise PictureError(f"{name}: {kind}", "a picture file", "name a file")
        if status.st_size > MAX_FILE_BYTES:
            _refuse_file_size(name, status.st_size)
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{name}: {reason}", "a readable picture file", "check the path") from error
    return decode_picture(data, name)


def decode_picture(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decodes a picture file's bytes.

    The picture is turned upright by its Exif orientation. 16 bits become 8 by their high byte, so that black stays black
    and white white. Of an animation or a TIFF with several pages the first picture counts. Transparency is laid over white:
    that is how viewers and browsers show it, and what a file hides behind full transparency stays hidden.
    CMYK JPEGs are taken as Adobe writes them (inverted), which is how every program reads them. Colour profiles are ignored.

    Args:
        data: a whole JPEG, PNG, GIF, BMP, WebP or TIFF file.
        name: what errors call the picture.

    Returns:
        BGR uint8 (H, W, 3).

    Raises:
        PictureError: empty, truncated or damaged data, no picture, one of a kind that is not read, or more than `MAX_PIXELS`.
    """
    name = one_line(name)
    if len(data) > MAX_FILE_BYTES:
        _refuse_file_size(name, len(data))
    header = read_header(data, name)
    if header.width * header.height > MAX_PIXELS:
        raise PictureError(
            f"{name}: {header.kind} of {header.width} × {header.height} pixels in {len(data)} bytes",
            f"at most {MAX_PIXELS // 1_000_000} megapixels",
            "scale the picture down",
        )
    if not header.whole:
        raise PictureError(
            f"{name}: cut off after {len(data)} bytes of {header.kind}",
            f"a whole {header.kind} picture",
            "copy the file again",
        )
    image = _opaque(_in_8_bits(_decoded(data, name, header)), premultiplied=header.kind == "TIFF")
    if header.kind != "TIFF":  # OpenCV's TIFF decoder turns the picture itself, with every flag
        image = _upright(image, header.orientation)
    return image


def _refuse_file_size(name: str, size_bytes: int) -> None:
    raise PictureError(
        f"{name}: {size_bytes // 1_000_000} MB",
        f"a picture file of at most {MAX_FILE_BYTES // 1_000_000} MB",
        "save it as JPEG, or scale it down",
    )


def _decoded(data: bytes, name: str, header: PictureHeader) -> NDArray[Any]:
    """As OpenCV gives it: 8 or 16 bits, grey, BGR or BGRA, of the size in the header."""
    flags = cv2.IMREAD_UNCHANGED if header.alpha else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image: NDArray[Any] | None = None
    reason = "damaged, or of a rare sort"
    with quiet_libraries():
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except (cv2.error, MemoryError) as error:
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else reason
    sizes = {(header.height, header.width)}
    if header.kind == "TIFF" and header.orientation >= 5:
        sizes = {(header.width, header.height)}
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"{name}: {header.kind} of {header.width} × {header.height} pixels that OpenCV {cv2.__version__} cannot decode ({reason})",
            f"an undamaged {header.kind} picture",
            "open it in a picture program and save it as JPEG",
        )
    if image.shape[:2] not in sizes:
        raise PictureError(
            f"{name}: {header.kind} that says {header.width} × {header.height} pixels and holds {image.shape[1]} × {image.shape[0]}",
            "one size",
            "open it in a picture program and save it as JPEG",
        )
    return image


def _in_8_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint16:
        np.right_shift(image, 8, out=image)
        return image.astype(np.uint8)
    return image


def _opaque(image: NDArray[np.uint8], premultiplied: bool) -> NDArray[np.uint8]:
    """BGR from grey, BGR or BGRA, transparency laid over white.

    libtiff hands out colours that are already multiplied with their alpha, the other decoders as they are stored.
    """
    opaque: NDArray[np.uint8]
    if image.ndim == 2 or image.shape[2] == 1:
        opaque = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return opaque
    if image.shape[2] == 3:
        return image
    opaque = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    if image[..., 3].min() == 255:
        return opaque
    for top in range(0, image.shape[0], _BAND_ROWS):
        band = opaque[top : top + _BAND_ROWS]
        alpha = image[top : top + _BAND_ROWS, :, 3:].astype(np.uint16)
        if premultiplied:
            band[:] = np.minimum(band + (255 - alpha), 255)
        else:
            band[:] = (band * alpha + 255 * (255 - alpha) + 127) // 255
    return opaque


def _upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undoes an Exif orientation (CIPA DC-008, tag 0x0112)."""
    turned: NDArray[np.uint8] = image
    if orientation in (5, 7):
        turned = cv2.transpose(image)
    if orientation == 2:
        turned = cv2.flip(image, 1)
    elif orientation == 4:
        turned = cv2.flip(image, 0)
    elif orientation in (3, 7):
        turned = cv2.rotate(turned, cv2.ROTATE_180)
    elif orientation == 6:
        turned = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)
    elif orientation == 8:
        turned = cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return turned
