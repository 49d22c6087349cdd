"""The tag directory that a TIFF file starts with, and an Exif block too, which is a small TIFF.

Sources: TIFF 6.0, BigTIFF; CIPA DC-008 (Exif 2.32) for the orientation.
"""

from __future__ import annotations

import struct
from enum import IntEnum

__all__ = ["Tag", "exif_orientation", "first_directory", "orientation_of"]


class Tag(IntEnum):
    """The tags that matter here."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    PHOTOMETRIC = 262
    ORIENTATION = 274
    SAMPLES = 277
    TILE_WIDTH = 322
    TILE_HEIGHT = 323


_WANTED = frozenset(map(int, Tag))
_UNSIGNED = {1: "B", 3: "H", 4: "I", 16: "Q"}  # the TIFF types BYTE, SHORT, LONG, LONG8


def first_directory(data: bytes) -> dict[int, int]:
    """The tags of the first image: of each its first value. Of a repeated tag the first one counts.

    A directory that is cut off gives the tags before the cut.

    Raises:
        struct.error, OverflowError: the directory, or a value, lies outside the data.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    position = struct.unpack_from(order + ("8xQ" if big else "4xI"), data)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, position)[0]
    position += 8 if big else 2
    entry, room = (order + "HHQ8s", 8) if big else (order + "HHI4s", 4)
    tags: dict[int, int] = {}
    for _ in range(min(count, 0xFFFF)):
        if position + struct.calcsize(entry) > len(data):
            break
        tag, sort, values, content = struct.unpack_from(entry, data, position)
        position += struct.calcsize(entry)
        if tag not in _WANTED or tag in tags or sort not in _UNSIGNED or not values:
            continue
        letter = _UNSIGNED[sort]
        if struct.calcsize(letter) * values <= room:
            tags[tag] = struct.unpack_from(order + letter, content)[0]
        else:
            where = struct.unpack(order + ("Q" if big else "I"), content)[0]
            tags[tag] = struct.unpack_from(order + letter, data, where)[0]
    return tags


def orientation_of(tags: dict[int, int]) -> int:
    """The orientation, 1 to 8; 1 (upright) where there is none or one that Exif does not know."""
    value = tags.get(Tag.ORIENTATION, 1)
    return value if 1 <= value <= 8 else 1


def exif_orientation(data: bytes) -> int:
    """The orientation in an Exif block, 1 to 8; 1 where the block is broken, as viewers do."""
    try:
        return orientation_of(first_directory(data))
    except (struct.error, OverflowError):
        return 1
