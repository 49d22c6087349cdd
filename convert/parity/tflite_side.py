"""A side that is a TFLite model, run by the board's own interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
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
from edge_runtime.interpreter import MOST_AT_ONCE, Model

__all__ = ["TfliteSide", "arithmetic_of", "as_input", "check_runnable"]

_CHUNK = MOST_AT_ONCE
"""Faces that a thread takes at once: as many as the interpreter answers together."""


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
        self._model = Model(content, 1, name)
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
        # A thread an interpreter, and not the threads of one: many kernels, those of int16x8 among them, know one alone.
        starts = range(0, len(pixels), _CHUNK)
        free: SimpleQueue[Model] = SimpleQueue()
        for _ in range(min(self._threads, len(starts))):
            free.put(Model(self.content, 1, self.about.name))

        def answer(start: int) -> NDArray[np.float32]:
            model = free.get()
            try:
                return self._real(model.run(self._stored(pixels[start : start + _CHUNK])))
            finally:
                free.put(model)

        answers = np.empty((len(pixels), self.about.classes), np.float32)
        with ThreadPoolExecutor(self._threads) as pool:
            for start, answered in zip(starts, pool.map(answer, starts), strict=True):
                answers[start : start + _CHUNK] = answered
                advance(len(answered))
        return answers

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        model, stored = Model(self.content, 1, self.about.name), self._stored
        return lambda face: model.run(stored(face))

    def _stored(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return as_input(pixels, self.graph)

    def _real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities of what the model answered."""
        return self._model.dequantized(stored)


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
