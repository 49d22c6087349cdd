"""One test for each limit in `rules.toml`: whether an operator breaks it, and with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convert.graph import Node, Tensor

__all__ = ["BREACHES", "Site", "shown"]

_EIGHT_BIT = ("int8", "uint8")
_MOST_SOFTMAX = 16_000
_LEAST_UNMAPPED_SIZE = 256
"""Of a resized side: 128 maps, 256 does not (the source is in `rules.toml`); what lies between is not reported."""


@dataclass(frozen=True)
class Site:
    """An operator with its tensors at hand: what its limits look at.

    inputs: those that are there, constants among them; outputs: what it gives.
    """

    node: Node
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def computed(self) -> tuple[Tensor, ...]:
        """Inputs that another operator or the user gives, and the outputs: all but constants."""
        return (*(tensor for tensor in self.inputs if not tensor.constant), *self.outputs)

    def option(self, name: str) -> int:
        """An option as an integer, 0 (the schema's default) where it is not written."""
        return int(self.node.options.get(name, 0))

    def values(self, place: int) -> tuple[int, ...]:
        """The numbers of a constant input such as axes; empty where there is none."""
        return self.inputs[place].values if place < len(self.inputs) else ()


def shown(shape: Sequence[int]) -> str:
    """A shape for people: "1 × 48 × 48 × 1"."""
    return " × ".join(str(side) for side in shape) or "a single number"


def _large(tensor: Tensor) -> int:
    return sum(side > 1 for side in tensor.shape)


def _data_type(site: Site) -> str:
    wrong = [tensor.dtype for tensor in site.computed if tensor.dtype not in _EIGHT_BIT]
    if wrong:
        return wrong[0]
    # An 8-bit tensor without a scale is an index or a mask, and not quantized.
    return next((f"{tensor.dtype} without a scale" for tensor in site.computed if tensor.scales == 0), "")


def _float_end(site: Site) -> str:
    if site.node.operator != "QUANTIZE" or not site.inputs or not site.inputs[0].dtype.startswith("float"):
        return ""
    return site.inputs[0].dtype


def _constant_size(site: Site) -> str:
    return next((shown(tensor.signature) for tensor in site.computed if -1 in tensor.signature), "")


def _rank(site: Site) -> str:
    return next((shown(tensor.shape) for tensor in site.computed if any(side > 1 for side in tensor.shape[:-3])), "")


def _constant_parameters(site: Site) -> str:
    # A transposed convolution reads its output's shape, the weights and then the pixels.
    places = (0, 1, 3) if site.node.operator == "TRANSPOSE_CONV" else (1, 2)
    return "yes" if any(place < len(site.inputs) and not site.inputs[place].constant for place in places) else ""


def _fused_activation(site: Site) -> str:
    return "yes" if site.option("fusedActivationFunction") else ""


def _dilation(site: Site) -> str:
    down, across = site.option("dilationHFactor"), site.option("dilationWFactor")
    return f"{down} × {across}" if down != across else ""


def _weights_format(site: Site) -> str:
    return "yes" if site.option("weightsFormat") else ""


def _output_dimensions(site: Site) -> str:
    return next((shown(tensor.shape) for tensor in site.outputs if _large(tensor) > 1), "")


def _scales(site: Site) -> str:
    several = [tensor.scales for tensor in site.inputs[1:2] if tensor.scales > 1]
    return str(several[0]) if several else ""


def _batch_axis(site: Site) -> str:
    operator = site.node.operator
    if operator == "PACK":
        return "yes" if _axis(site.option("axis"), site.outputs[0]) == 0 else ""
    if operator == "SPLIT":
        return "yes" if any(_axis(axis, site.inputs[1]) == 0 for axis in site.values(0)) else ""
    if operator == "PAD":
        return "yes" if any(site.values(1)[:2]) and len(site.inputs[0].shape) == 4 else ""
    return "yes" if len(site.inputs[0].shape) > 1 and 0 in _reduced(site) else ""


def _depth(site: Site) -> str:
    shape = site.inputs[0].shape
    return str(shape[-1]) if len(shape) - 1 in _reduced(site) and shape[-1] % 4 else ""


def _reduced(site: Site) -> set[int]:
    return {_axis(axis, site.inputs[0]) for axis in site.values(1)}


def _axis(axis: int, tensor: Tensor) -> int:
    return axis + len(tensor.shape) if axis < 0 else axis


def _constant_input(site: Site) -> str:
    constants = [tensor for tensor in site.inputs if tensor.constant]
    padding = len(site.inputs) == 2 and all(tensor.zeros for tensor in constants)
    return "yes" if constants and not padding else ""


def _alpha(site: Site) -> str:
    return next((shown(tensor.shape) for tensor in site.inputs[1:2] if any(side > 1 for side in tensor.shape[:-1])), "")


def _resized(site: Site) -> str:
    sides = site.outputs[0].shape[1:3]
    return shown(sides) if any(side >= _LEAST_UNMAPPED_SIZE for side in sides) else ""


def _softmax(site: Site) -> str:
    tensor = site.inputs[0]
    return shown(tensor.shape) if _large(tensor) > 1 or max(tensor.shape, default=1) > _MOST_SOFTMAX else ""


def _strides(site: Site) -> str:
    plain = all(stride == 1 for stride in site.values(3))
    return "" if plain and not site.option("ellipsisMask") and not site.option("newAxisMask") else "yes"


BREACHES: dict[str, Callable[[Site], str]] = {
    "alpha-by-channel": _alpha,
    "constant-parameters": _constant_parameters,
    "constant-size": _constant_size,
    "data-type": _data_type,
    "default-weights-format": _weights_format,
    "depth-multiple-of-4": _depth,
    "float-end": _float_end,
    "no-batch-axis": _batch_axis,
    "no-fused-activation": _fused_activation,
    "one-dimensional-output": _output_dimensions,
    "one-dimensional-softmax": _softmax,
    "per-tensor-weights": _scales,
    "rank": _rank,
    "resized-size": _resized,
    "same-dilation": _dilation,
    "unit-strides": _strides,
    "zero-padding-only": _constant_input,
}
"""For each limit, what was found against it; empty where the operator keeps it."""
