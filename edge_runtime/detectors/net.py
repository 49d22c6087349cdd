"""A detector's TFLite net, int8 or float: pixels to what it says of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors.decode import SUPPORTING, Found, Grid, at_cells, output_places, suppress, table_of
from edge_runtime.errors import BundleError
from edge_runtime.interpreter import Network
from edge_runtime.tensors import dequantized

__all__ = ["DetectorNet"]


class DetectorNet:
    """A net that is loaded once and kept.

    Args:
        content: the bytes of the .tflite file.
        shape: of its input: (height, width, channels).
        strides: pixels between the cells of each level.
        threads: of the interpreter.
        name: for messages.

    Raises:
        BundleError: the net's input or outputs are others.
        InterpreterError: no interpreter, or it refuses the net.
    """

    def __init__(
        self,
        content: bytes,
        shape: tuple[int, int, int],
        strides: tuple[int, ...],
        threads: int = 1,
        name: str = "model",
    ) -> None:
        height, width, _ = shape
        self.network = Network(content, threads, name)
        self.grid = Grid.of(width, height, strides)
        found, dtype = self.network.input.shape, self.network.input.dtype
        if found != (1, *shape) or dtype not in ("uint8", "int8", "float32"):
            raise BundleError(
                f"{name}: input {found} {dtype}",
                f"{(1, *shape)} uint8 or int8, or float32 for a float net, as its manifest says",
                "pack the bundle again",
            )
        shapes = [output.shape for output in self.network.outputs]
        try:
            self._places = output_places(shapes, self.grid)
        except ValueError as error:
            raise BundleError(
                f"{name}: outputs {shapes}", f"{error}, as its manifest says", "pack the bundle again"
            ) from error

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the net says of every cell of uint8 (height, width, channels), float32 (A, 15): score, distances, landmarks."""
        table: NDArray[np.float32] = table_of(self.network.run_all(self._stored(pixels)), self._places)[0]
        return table

    def faces(self, pixels: NDArray[np.uint8], threshold: float, overlap: float) -> Found:
        """The faces of one picture, in its pixels, the surest first: `faces_of` of `answer`, in less time."""
        return suppress(self.near(pixels, threshold * SUPPORTING), overlap, threshold)

    def near(self, pixels: NDArray[np.uint8], threshold: float) -> Found:
        """What the cells say that are at least so sure, as boxes that still lie on each other: `decode` of `answer`.

        The outputs of all others, mostly all but a few, are not made real numbers.
        """
        self.network.invoke(self._stored(pixels))
        told, first = [], 0
        for scores_at, *lengths_at in self._places:
            scores = self.network.real(scores_at).ravel()
            sure = np.flatnonzero(scores >= threshold)
            if len(sure):
                told.append((sure + first, scores[sure], *(self._of_cells(place, sure) for place in lengths_at)))
            first += len(scores)
        if not told:
            return Found(*(np.zeros(shape, np.float32) for shape in ((0, 4), 0, (0, 5, 2))))
        return at_cells(self.grid, *(np.concatenate(each) for each in zip(*told, strict=True)))

    def _of_cells(self, place: int, cells: NDArray[np.intp]) -> NDArray[np.float32]:
        stored = self.network.stored(place)
        return dequantized(stored.reshape(-1, stored.shape[3])[cells], self.network.outputs[place].quantization)

    def _stored(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Pixels as the network takes them, one picture of a batch. An int8 input holds them less 128."""
        dtype = self.network.input.dtype
        stored = (pixels ^ 0x80).view(np.int8) if dtype == "int8" else pixels.astype(dtype, copy=False)
        return stored[None]
