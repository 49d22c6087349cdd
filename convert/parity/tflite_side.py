"""A side that is a TFLite model, run by the board's own interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.card import card_path, read_card
from convert.errors import GraphError
from convert.graph import Graph, read_graph
from convert.metadata import labels_in
from convert.parity.answers import ModelFacts
from convert.parity.errors import SideError
from convert.parity.macs import tflite_macs
from convert.parity.sides import About, Advance, ModelSide, Options, input_facts, read_model
from devices.quiet import quiet_libraries
from edge_runtime.interpreter import Model, find_implementation

__all__ = ["TfliteSide", "arithmetic_of", "as_input", "check_runnable"]

_CHUNK = 32
"""Faces at once, where the graph lets its batch be resized: a quarter less time a face with two threads."""

_PROBE = 2
_SAME = 1e-3
"""How far a face's probabilities in a batch may lie from those alone; steps of an int8 output are 1/256."""


class TfliteSide(ModelSide):
    """A .tflite file that reads uint8 or int8 pixels. Labels come from its metadata, illumination from its card.

    Raises:
        GraphError, SideError, InterpreterError: damage, custom operators, several outputs, float pixels.
    """

    def __init__(self, place: str, name: str, options: Options) -> None:
        path = Path(place)
        content, sha256 = read_model(path)
        graph = read_graph(content, name)
        illumination, arithmetic = options.illumination, arithmetic_of(graph)
        calibration: Mapping[str, Any] | None = None
        if card_path(path).exists():
            card = read_card(path, content)
            illumination, arithmetic, calibration = card.illumination, card.kind, card.calibration
        try:
            labels: tuple[str, ...] | None = labels_in(content)
        except GraphError:
            labels = None
        self._open(
            name, "tflite", content, graph, illumination, labels, arithmetic, sha256, options.threads, calibration
        )

    def _open(
        self,
        name: str,
        kind: str,
        content: bytes,
        graph: Graph,
        illumination: str,
        labels: tuple[str, ...] | None,
        arithmetic: str,
        sha256: str,
        threads: int,
        calibration: Mapping[str, Any] | None = None,
    ) -> None:
        check_runnable(graph, name)
        self.content, self.graph = content, graph
        self._threads = threads
        self._model = Model(content, threads, name)
        implementation = self._model.implementation
        output = self._model.output.shape
        if len(output) != 2 or output[0] != 1:
            raise SideError(f"{name}: output of shape {output}", "(1, classes)", "convert a model of one face")
        self.about = About(
            name,
            kind,
            input_facts(name, self._model.input.shape, illumination),
            output[1],
            labels,
            ModelFacts(
                sha256,
                len(content),
                arithmetic,
                tflite_macs(graph),
                None,
                {"interpreter": f"{implementation.package} {implementation.version}"},
            ),
            calibration,
        )

    def probabilities(self, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        alone = self._one_by_one(pixels[:_PROBE], lambda _: None)
        batch = self._batches(min(_CHUNK, len(pixels)))
        if batch is not None:
            probe = np.concatenate([pixels[:_PROBE]] * _CHUNK)[: min(_CHUNK, len(pixels))]
            together = batch(probe)
            if together is not None and np.allclose(together[: len(alone)], alone, atol=_SAME, equal_nan=True):
                return self._in_batches(pixels, batch, advance)
        return self._one_by_one(pixels, advance)

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        model, stored = Model(self.content, 1, self.about.name), self._stored
        return lambda face: model.run(stored(face))

    def _stored(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return as_input(pixels, self.graph)

    def _real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities of what the model answered."""
        return self._model.dequantized(stored)

    def _one_by_one(self, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        answers = np.empty((len(pixels), self.about.classes), np.float32)
        for index, face in enumerate(pixels):
            answers[index] = self._real(self._model.run(self._stored(face[None])))[0]
            advance(1)
        return answers

    def _in_batches(
        self,
        pixels: NDArray[np.uint8],
        batch: Callable[[NDArray[np.uint8]], NDArray[np.float32] | None],
        advance: Advance,
    ) -> NDArray[np.float32]:
        answers = np.empty((len(pixels), self.about.classes), np.float32)
        whole = len(pixels) - len(pixels) % _CHUNK
        for at in range(0, whole, _CHUNK):
            answers[at : at + _CHUNK] = batch(pixels[at : at + _CHUNK])
            advance(_CHUNK)
        answers[whole:] = self._one_by_one(pixels[whole:], advance)
        return answers

    def _batches(self, faces: int) -> Callable[[NDArray[np.uint8]], NDArray[np.float32] | None] | None:
        """A function that answers `faces` at once; None where the graph has its batch of one built in."""
        try:
            with quiet_libraries():
                interpreter = find_implementation().factory(model_content=self.content, num_threads=self._threads)
                place = interpreter.get_input_details()[0]["index"]
                interpreter.resize_tensor_input(place, (faces, *self._model.input.shape[1:]))
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError):
            return None
        output = interpreter.get_output_details()[0]

        def run(pixels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
            interpreter.set_tensor(place, self._stored(pixels))
            try:
                with quiet_libraries():
                    interpreter.invoke()
            except (ValueError, RuntimeError):
                return None
            stored = interpreter.get_tensor(output["index"])
            return self._real(stored) if stored.shape == (len(pixels), self.about.classes) else None

        return run


def check_runnable(graph: Graph, name: str) -> None:
    """Checks that a graph has built-in operators alone and reads pixels as they are.

    Raises:
        SideError: Flex or other custom operators, or an input of another type or scale.
    """
    custom = [operator.removesuffix(" (custom)") for operator in graph.operators if operator.endswith("(custom)")]
    if "edgetpu-custom-op" in custom:
        raise SideError(
            f"{name}: compiled for an Edge TPU, which this machine does not run",
            "a model for the CPU, or what a Coral answered",
            "run `fer-edge record` on the Coral and name its .npz",
        )
    if custom:
        raise SideError(
            f"{name}: operator {custom[0]}{' (TensorFlow Flex)' if custom[0].startswith('Flex') else ''}",
            "built-in TFLite operators only: boards run no others",
            "replace that layer by one that TFLite has, and convert it with `python -m convert tflite`",
        )
    read = graph.input
    pixels = (read.scale, read.zero_point) in ((0.0, 0), (1.0, 0)) if read.dtype == "uint8" else read.dtype == "int8"
    if not pixels or (read.dtype == "int8" and (abs(read.scale - 1) > 0.01 or read.zero_point != -128)):
        scaled = f" with scale {read.scale:.6g} and zero point {read.zero_point}" if read.scale else ""
        raise SideError(
            f"{name}: input {read.dtype}{scaled}",
            "uint8 pixels from 0 to 255, or int8 ones less 128",
            "convert it with `python -m convert tflite`, with the scaling of pixels inside the model",
        )


def as_input(pixels: NDArray[np.uint8], graph: Graph) -> NDArray[Any]:
    """uint8 pixels as a model of `graph` reads them."""
    return pixels if graph.input.dtype == "uint8" else (pixels.astype(np.int16) - 128).astype(np.int8)


def arithmetic_of(graph: Graph) -> str:
    """What a file without a card computes in, told from its tensors."""
    between = {tensor.dtype for tensor in graph.tensors if tensor.scale and not tensor.constant}
    constants = {tensor.dtype for tensor in graph.tensors if tensor.constant}
    floats = any(tensor.dtype == "float32" and not tensor.constant for tensor in graph.tensors)
    if "int16" in between:
        return "int16x8"
    if "int8" in between or "uint8" in between - {graph.input.dtype}:
        return "mixed" if floats else "int8"
    return "dynamic" if "int8" in constants else "float16" if "float16" in constants else "float32"
