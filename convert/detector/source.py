"""The Keras detector that is converted: its form checked, its answers, and the same weights at another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.detector.facts import NetFacts
from convert.errors import SourceError, UsageError
from convert.quiet import quiet_tensorflow
from convert.source import check_float32, finds_faces
from edge_runtime.detectors.decode import output_places, table_of

__all__ = ["KerasDetector", "detector_facts", "is_detector", "resized"]

_AGAIN = "convert a model that `python -m train fit --recipe face_detector` saved"


def is_detector(model: Any) -> bool:
    """Whether a Keras model finds faces, instead of classifying one."""
    return finds_faces([tuple(output.shape) for output in model.outputs])


def detector_facts(model: Any, where: str) -> NetFacts:
    """Checks that a model is of the form that this project saves, and gives its sizes.

    Raises:
        SourceError: another input, other outputs, or arithmetic in less than float32.
    """
    shapes = [tuple(each.shape) for each in (*model.inputs, *model.outputs)]
    if len(model.inputs) != 1 or any(None in shape[1:] for shape in shapes):
        raise SourceError(f"{where}: inputs and outputs {shapes}", "one input, and fixed sizes", _AGAIN)
    if str(model.inputs[0].dtype) != "float32":
        raise SourceError(f"{where}: input {model.inputs[0].dtype}", "float32", _AGAIN)
    check_float32(model, where)
    try:
        return NetFacts.of((1, *shapes[0][1:]), _single(shapes[1:]))
    except ValueError as error:
        raise SourceError(f"{where}: input {shapes[0]}, outputs {shapes[1:]}", str(error), _AGAIN) from error


def resized(model: Any, facts: NetFacts, size: tuple[int, int], where: str) -> Any:
    """The same weights for pictures of `size` (width, height).

    Raises:
        UsageError: a size that the coarsest level does not divide, or that is less than two of its cells.
        SourceError: a layer that holds a size of its own which does not scale along.
    """
    width, height = size
    if size == (facts.width, facts.height):
        return model
    coarsest = max(facts.strides)
    if width % coarsest or height % coarsest or min(size) < 2 * coarsest or max(size) > 2048:
        raise UsageError(
            f"--size {width}x{height}", f"multiples of {coarsest} from {2 * coarsest} to 2048", "choose others"
        )
    try:
        with quiet_tensorflow():
            import keras

            def cloned(layer: Any) -> Any:
                config = layer.get_config()
                if isinstance(layer, keras.layers.Resizing):
                    rows, columns = config["height"] * height / facts.height, config["width"] * width / facts.width
                    if rows % 1 or columns % 1:
                        raise ValueError(f"layer {layer.name!r} would scale to {rows:g} × {columns:g} cells")
                    config |= {"height": int(rows), "width": int(columns)}
                return type(layer).from_config(config)

            inputs = keras.Input((height, width, facts.channels), name="pixels")
            other = keras.models.clone_model(model, input_tensors=inputs, clone_function=cloned)
            other.set_weights(model.get_weights())
    except (ValueError, TypeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise SourceError(f"{where} at {width} × {height} px: {reason}", "a net for any size", _AGAIN) from error
    return other


class KerasDetector:
    """A Keras detector that answers pictures of its own size. Raises SourceError for a model of another form."""

    def __init__(self, model: Any, where: str) -> None:
        self.model, self.facts = model, detector_facts(model, where)
        shapes = _single([tuple(output.shape) for output in model.outputs])
        self._places = output_places(shapes, self.facts.grid)

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What it says of every cell of uint8 (N, height, width, channels), float32 (N, A, 15)."""
        with quiet_tensorflow():
            outputs = self.model.predict_on_batch(pixels.astype(np.float32))
        return self.table(outputs)

    def table(self, outputs: Sequence[Any]) -> NDArray[np.float32]:
        """Outputs of the model, each (N, rows, columns, values), as one table (N, A, 15)."""
        return table_of([np.asarray(output, np.float32) for output in outputs], self._places)


def _single(shapes: list[tuple[Any, ...]]) -> list[tuple[int, ...]]:
    """Of one picture."""
    return [(1, *shape[1:]) for shape in shapes]
