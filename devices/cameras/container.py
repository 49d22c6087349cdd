"""Video containers told by their first bytes, and whether a file holds all the bytes that its container promises.

FFmpeg by itself would also open text files (as terminal art), playlists that name other files or network addresses, and
half of a recording without a word. So a file is looked at here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["HEAD_BYTES", "Extent", "container_of", "extent_of"]

HEAD_BYTES = 1024
"""How many first bytes of a file `container_of` wants."""

# ISO base media (MP4, MOV, 3GP): the first box is one of these. Source: ISO/IEC 14496-12 and Apple's QuickTime format.
_ISO_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"}
# The same container holds pictures under these brands (HEIF, AVIF, Canon raw): no videos.
_ISO_PICTURE_BRANDS = {
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"mif1",
    b"msf1",
    b"avif",
    b"avis",
    b"crx ",
}
_MPEG_TS_PACKET = 188


@dataclass(frozen=True)
class Extent:
    """How much of a container is there.

    Attributes:
        promised_bytes: length of the whole file as its container tells it; never less than what is there.
        indexed: False where a container needs an index to be read (MP4's moov) and it is not there.
    """

    promised_bytes: int
    indexed: bool = True


def container_of(head: bytes) -> str | None:
    """The container's name ("MP4", "Matroska", "AVI", …) from the first `HEAD_BYTES` of a file; None for anything else."""
    if head[4:8] in _ISO_FIRST_BOXES:
        return None if head[4:8] == b"ftyp" and head[8:12] in _ISO_PICTURE_BRANDS else "MP4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "Matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    for name, magic in (
        ("MPEG", b"\x00\x00\x01\xba"),
        ("MPEG", b"\x00\x00\x01\xb3"),
        ("FLV", b"FLV\x01"),
        ("Ogg", b"OggS"),
        ("ASF", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        ("IVF", b"DKIF"),
        ("Y4M", b"YUV4MPEG2 "),
    ):
        if head.startswith(magic):
            return name
    for first in (0, 4):  # camcorders put four bytes of time before each packet
        step = _MPEG_TS_PACKET + first
        if head[first : first + 4 * step : step] == b"GGGG":
            return "MPEG-TS"
    return None


def extent_of(file: BinaryIO, container: str, size_bytes: int) -> Extent:
    """Compares a file's length with what its container promises. Containers without such a promise are taken as whole."""
    if container == "MP4":
        return _iso_extent(file, size_bytes)
    if container == "AVI":
        return _avi_extent(file, size_bytes)
    if container == "Matroska":
        return _matroska_extent(file, size_bytes)
    return Extent(size_bytes)


def _iso_extent(file: BinaryIO, size_bytes: int) -> Extent:
    position, indexed = 0, False
    for _ in range(100_000):  # a fragmented recording has a pair of boxes for each second or two
        file.seek(position)
        head = file.read(16)
        if len(head) < 8 or not head[4:8].isalnum():
            break
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:  # "to the end of the file"
            length = size_bytes - position
        if length < 8:
            break
        position += length
        indexed = indexed or (head[4:8] == b"moov" and position <= size_bytes)
    return Extent(max(position, size_bytes), indexed)


def _avi_extent(file: BinaryIO, size_bytes: int) -> Extent:
    position = 0
    for _ in range(100_000):  # beyond 1 GB an AVI goes on in further RIFF chunks
        file.seek(position)
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] not in (b"AVI ", b"AVIX"):
            break
        position += 8 + int.from_bytes(head[4:8], "little")
    return Extent(max(position, size_bytes))


def _matroska_extent(file: BinaryIO, size_bytes: int) -> Extent:
    file.seek(4)
    header = _vint(file)
    if header is None:
        return Extent(size_bytes)
    file.seek(header, 1)
    if file.read(4) != b"\x18S\x80g":  # the Segment, which holds all the rest
        return Extent(size_bytes)
    length = _vint(file)
    return Extent(size_bytes if length is None else max(file.tell() + length, size_bytes))


def _vint(file: BinaryIO) -> int | None:
    """An EBML number (RFC 8794, section 4); None where it is missing or says "unknown", as live recordings do."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    width = 9 - first[0].bit_length()
    rest = file.read(width - 1)
    value = (first[0] & (0xFF >> width)) << 8 * len(rest) | int.from_bytes(rest, "big")
    return None if len(rest) < width - 1 or value == (1 << 7 * width) - 1 else value
