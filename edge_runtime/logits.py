"""An int8 classifier's logits, and the softmax of them: the same answer on every processor.

TensorFlow Lite's own softmax for int8 takes other steps on ARM than on x86-64, and its answers are then a step of 1/256
apart, while all arithmetic before it is the same to the last bit. A bundle therefore says where its model's logits are. They
are read instead of the probabilities, which the model still has for whoever runs it without fer-edge. Nothing is added to the
model: a graph names its outputs by numbers, and one number is exchanged in memory, after the file was verified.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogitsPlace", "read_place", "softmax"]

_NUMBER = struct.Struct("<i")


@dataclass(frozen=True)
class LogitsPlace:
    """Where a model of one output has its logits.

    Attributes:
        offset: in bytes, of the number that says which tensor is the graph's output.
        output: that number as it stands in the file.
        tensor: the number of the tensor that the last softmax reads.
    """

    offset: int
    output: int
    tensor: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 0:
                raise ValueError(f"logits: {name} {value!r}, expected a number of 0 or more")

    def as_table(self) -> dict[str, Any]:
        """The manifest's `logits`."""
        return asdict(self)

    def answering(self, model: bytes) -> bytes:
        """The model with its logits as its output. Raises ValueError where it does not say what this place says."""
        found = model[self.offset : self.offset + _NUMBER.size]
        if found != _NUMBER.pack(self.output):
            raise ValueError(f"logits: no output {self.output} at byte {self.offset} of the model")
        return model[: self.offset] + _NUMBER.pack(self.tensor) + model[self.offset + _NUMBER.size :]


def read_place(manifest: Mapping[str, Any]) -> LogitsPlace | None:
    """A manifest's `logits`; None where it has none. Raises TypeError or ValueError where they are no such table."""
    return LogitsPlace(**manifest["logits"]) if "logits" in manifest else None


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities, float32 (N, L), of logits (N, L). Computed in float64, so that processors agree in every bit kept."""
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares: NDArray[np.float32] = (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)
    return shares
