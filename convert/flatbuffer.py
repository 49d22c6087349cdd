"""Writing a TFLite model's tables as bytes, smaller and better aligned than the converter leaves them.

With uint8 inputs TensorFlow rewrites its result in Python, whose generated code forgets that constant tensors must be
aligned. And a model quantized by channel has a zero point of 8 bytes for each channel of each weight and bias, all of
them 0: one such vector is enough for all tensors with as many channels.

ai-edge-quantizer puts weights of 256 KiB and more behind the tables, where a buffer names them by their place in the file.
Tables that are written anew without them would point at nothing, so they are taken back into the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

__all__ = ["IDENTIFIER", "builtin_code", "rewritten", "to_bytes"]

IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
"""Of the contents of tensors in the file, as TFLite's schema demands (`force_align: 16`)."""

_NO_PLACE = 1
"""TFLite's schema: a buffer's offset counts from the file's first byte and is valid above 1."""


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Aligns vectors of bytes, and writes equal vectors once: FlatBuffers allows several tables to refer to one."""

    def __init__(self, initial_bytes: int) -> None:
        super().__init__(initial_bytes)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802 - the base class' name
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                self.Prep(_ALIGNMENT, x.nbytes)
            self._written[key] = int(super().CreateNumpyVector(x))
        return self._written[key]


def builtin_code(code: Any) -> int:
    """Which built-in operator the schema's `OperatorCodeT` names: the number grew from one byte to four, in a second field."""
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def to_bytes(model: Any) -> bytes:
    """The file of a model, given as the schema's `ModelT`."""
    builder = _Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def rewritten(content: bytes, change: Callable[[Any], object] = lambda _: None) -> bytes:
    """The same model, in one flatbuffer, aligned and without repeated vectors, once `change` was made in its `ModelT`."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset > _NO_PLACE:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    change(model)
    return to_bytes(model)
