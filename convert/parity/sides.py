"""The sides of a parity run: models that answer faces here, and records of what a model answered elsewhere.

    side = open_side("int8.tflite", "int8.tflite", Options())
    probabilities = side.probabilities(pixels, advance)

A side is named by its place: the name of a shipped bundle, a bundle's folder, or a file whose suffix says its kind. A new
kind is one module and one line in the table below.
"""

from __future__ import annotations

import hashlib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import ModelFacts
from convert.parity.errors import SideError
from convert.parity.record_side import RecordSide, open_record
from edge_runtime.bundle import InputFacts
from edge_runtime.members import is_shipped, shipped_bundles

__all__ = ["BUNDLE", "About", "Advance", "ModelSide", "Options", "input_facts", "open_side", "read_model", "side_names"]

Advance = Callable[[int], object]
"""Called with the number of faces just answered."""

BUNDLE = "bundle"
_MODELS = {
    ".keras": "convert.parity.keras_side:KerasSide",
    ".tflite": "convert.parity.tflite_side:TfliteSide",
    ".onnx": "convert.parity.onnx_side:OnnxSide",
    BUNDLE: "convert.parity.bundle_side:BundleSide",
}
_RECORD = ".npz"


@dataclass(frozen=True)
class Options:
    """How sides are opened.

    Attributes:
        illumination: of models that do not say theirs.
        threads: that answer a data set; each with an interpreter of its own, where the model is a TFLite one.
    """

    illumination: str = "none"
    threads: int = 2


@dataclass(frozen=True)
class About:
    """What a side is.

    Attributes:
        name: in reports.
        kind: one of `answers.KINDS`.
        input: the crop that it reads.
        classes: how many probabilities it answers.
        labels: their names in order; None where the model does not carry them.
        facts: of the model, without a latency.
        calibration: what its card or manifest says of the faces that set its ranges; None where there are none, or no card.
    """

    name: str
    kind: str
    input: InputFacts
    classes: int
    labels: tuple[str, ...] | None
    facts: ModelFacts
    calibration: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.labels is not None and len(self.labels) != self.classes:
            raise SideError(
                f"{self.name}: {self.classes} outputs for the {len(self.labels)} labels that it names",
                "one output a label",
                "take the model and the labels of one training",
            )


class ModelSide(ABC):
    """A model on this machine.

    Attributes:
        about: what it is.
        own_thread: whether `one_input` keeps to one thread by itself. Where it does not, a latency is measured only if
            the process can be kept on one processor.
    """

    about: About
    own_thread = True

    @abstractmethod
    def probabilities(self, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        """What it answers, float32 (N, classes), in its own order.

        Args:
            pixels: uint8 (N, size, size, channels), as the deployed preprocessing gives them.
            advance: told how many faces were answered, every so often.
        """

    @abstractmethod
    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        """A function that answers pixels (1, size, size, channels) with one thread: what a latency is measured of."""


def open_side(place: str, name: str, options: Options) -> ModelSide | RecordSide:
    """Opens a side and checks that it is of the form that can be compared.

    Args:
        place: a bundle's name or folder, or a file: .keras, .tflite, .onnx, or the .npz of `fer-edge record`.
        name: that it gets in reports.
        options: how.

    Raises:
        SideError, or what the reader of its kind raises: no such file, damage, several outputs, another input, operators
            that cannot run here.
    """
    path = Path(place)
    kind = BUNDLE if is_shipped(place) or path.is_dir() else path.suffix.lower()
    if kind == _RECORD:
        return open_record(path, name)
    if kind not in _MODELS:
        found = f"no suffix among {', '.join([*list(_MODELS)[:3], _RECORD])}" if path.is_file() else "no such file"
        raise SideError(
            f"{place}: {found}",
            "a Keras model (.keras), .tflite, .onnx, the .npz of `fer-edge record`, a bundle's folder, or one of"
            f" {', '.join(shipped_bundles()) or 'no shipped bundles'}",
            "check the path",
        )
    module, _, cls = _MODELS[kind].partition(":")
    side: ModelSide = getattr(importlib.import_module(module), cls)(place, name, options)
    return side


def side_names(places: Sequence[str]) -> list[str]:
    """A name for each side: the end of its path, as long as it takes to tell them apart.

    Raises:
        SideError: one path twice.
    """
    parts = [PurePath(place).parts for place in places]
    names = [""] * len(places)
    for depth in range(1, max(map(len, parts), default=0) + 1):
        ends = ["/".join(each[-depth:]) for each in parts]
        for index, end in enumerate(ends):
            if not names[index] and ends.count(end) == 1:
                names[index] = end
    for place, name in zip(places, names, strict=True):
        if not name:
            raise SideError(f"{place} as two sides", "each side once", "leave one of them out")
    return names


def read_model(path: Path) -> tuple[bytes, str]:
    """The bytes of a model's file and their sha256. Raises SideError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SideError(f"{path}: {error.strerror or error}", "a model file", "check the path") from error
    return content, hashlib.sha256(content).hexdigest()


def input_facts(name: str, shape: Sequence[object], illumination: str) -> InputFacts:
    """The input of a model that reads pixels of `shape` (batch, size, size, channels).

    Raises:
        SideError: another shape, or a size beyond 8 to 1024 px.
    """
    size, channels = (shape[1], shape[3]) if len(shape) == 4 and shape[1] == shape[2] else (None, None)
    if not isinstance(size, int) or channels not in (1, 3) or not 8 <= size <= 1024:
        raise SideError(
            f"{name}: input of shape {tuple(shape)}",
            "(1, size, size, channels), 8 to 1024 px and 1 or 3 channels",
            "convert a model that reads one square face",
        )
    return InputFacts(size, 1 if channels == 1 else 3, illumination)
