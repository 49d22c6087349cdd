"""The kinds of arithmetic that a Keras model is converted to: one table, which every other module asks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from convert.errors import UsageError

__all__ = ["IO", "KINDS", "Kind", "kind_named"]

IO = ("uint8", "int8")
"""What an int8 model may read and answer in."""


@dataclass(frozen=True)
class Kind:
    """One kind of arithmetic.

    Attributes:
        name: as `--kind`, a card and a bundle's manifest say it.
        calibrated: whether faces set the ranges of its tensors.
        output: the dtype of its probabilities; "" where the recipe's `io` says it.
        selective: whether a recipe names what stays in float32.
        says: in one line, for a person who chooses.
    """

    name: str
    calibrated: bool
    output: str
    selective: bool
    says: str


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("float32", False, "float32", False, "as trained"),
        Kind("float16", False, "float32", False, "half the size: weights float16, arithmetic float32"),
        Kind("dynamic", False, "float32", False, "a quarter of the size: large weights int8, activations float32"),
        Kind("int8", True, "", False, "integers throughout; the one that an Edge TPU or a microcontroller runs"),
        Kind("int16x8", True, "float32", False, "weights int8, activations int16: a measure of what int8 loses"),
        Kind("mixed", True, "float32", True, "int8 but for the layers that a recipe keeps in float32"),
    )
}


def kind_named(name: str) -> Kind:
    """The kind called `name`. Raises UsageError, with the nearest right name, for one that is not there."""
    if name not in KINDS:
        near = difflib.get_close_matches(name, KINDS, n=1)
        raise UsageError(
            f"kind {name!r}", f"one of {', '.join(KINDS)}", f"did you mean {near[0]!r}?" if near else "choose one"
        )
    return KINDS[name]
