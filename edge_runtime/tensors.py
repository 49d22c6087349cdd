"""What the tensors at a model's ends hold, and the numbers that their stored values stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quantization", "TensorFacts", "dequantized", "tensor_facts"]


@dataclass(frozen=True)
class Quantization:
    """real = scale × (stored - zero_point); scale 0 means that the tensor is not quantized."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class TensorFacts:
    """Name, shape (batch first), dtype and quantization of an input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization


def dequantized(stored: NDArray[Any], quantization: Quantization) -> NDArray[np.float32]:
    """Stored values as real numbers, float32: the one place where this is done."""
    if quantization.scale == 0:
        return stored.astype(np.float32)
    return (stored.astype(np.float32) - np.float32(quantization.zero_point)) * np.float32(quantization.scale)


def tensor_facts(details: dict[str, Any]) -> TensorFacts:
    """Of one of an interpreter's `get_input_details()` or `get_output_details()`."""
    scale, zero_point = details["quantization"]
    return TensorFacts(
        str(details["name"]),
        tuple(int(side) for side in details["shape"]),
        np.dtype(details["dtype"]).name,
        Quantization(float(scale), int(zero_point)),
    )
