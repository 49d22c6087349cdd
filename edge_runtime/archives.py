"""NumPy archives (.npz) that may be damaged: read whole, or refused for one stated reason."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DamagedArchiveError", "read_archive"]

_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,  # a forged shape
    NotImplementedError,  # a forged compression method
    RuntimeError,  # a forged encryption flag
    SyntaxError,  # these two: an array's header that is no Python literal
    tokenize.TokenError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What numpy and zipfile raise on archives with flipped bits, each seen."""


class DamagedArchiveError(Exception):
    """The bytes are no archive of plain arrays, or a damaged one; the text is one line."""


def read_archive(source: Path | bytes) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz, by name. Pickled objects are refused.

    Raises:
        OSError: the file cannot be read.
        DamagedArchiveError: it can, but is no whole archive.
    """
    # The bytes are read first: numpy leaves a file open where its beginning is damaged.
    data = source if isinstance(source, bytes) else source.read_bytes()
    try:
        archive = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise DamagedArchiveError("a single array instead of an archive")
        with archive:
            return {name: archive[name] for name in archive.files}
    except _DAMAGE as error:
        raise DamagedArchiveError(" ".join(str(error).split()) or type(error).__name__) from error
