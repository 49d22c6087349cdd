"""The sides of a detectors' parity run: nets that look at frames here, decoded as the board does.

    side = open_finder("int8.tflite", "int8.tflite", threads=2)
    found = side.find(frames, advance)

A side is named by its place: a bundle's folder, or a file whose suffix says its kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.card import card_path, read_card
from convert.detector.calibration import as_read
from convert.detector.check import graph_facts
from convert.detector.facts import NetFacts
from convert.detector.source import KerasDetector, is_detector
from convert.graph import Graph, read_operators
from convert.parity.answers import ModelFacts
from convert.parity.errors import SideError
from convert.parity.keras_side import keras_macs
from convert.parity.macs import tflite_macs
from convert.parity.sides import Advance, read_model
from convert.parity.tflite_side import arithmetic_of, check_runnable
from convert.quiet import quiet_tensorflow
from convert.source import finds_faces, read_keras, versions
from edge_runtime.detectors.decode import JUDGED_FROM, OVERLAP, Found, Grid, faces_of
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.detectors.net import DetectorNet
from edge_runtime.framesets import FrameSet
from edge_runtime.members import is_shipped

__all__ = ["AboutFinder", "FinderSide", "open_finder"]

_CHUNK = 16
"""Frames at once through a Keras model."""

_SURE = 0.5
"""From which score boxes are decoded while a latency is taken: about where a board begins, not where a curve does."""


@dataclass(frozen=True)
class AboutFinder:
    """What a side is.

    Attributes:
        name: in reports.
        kind: "keras", "tflite" or "bundle".
        net: what it reads and answers.
        facts: of the model, without a latency.
        overlap: above which the less certain of two boxes is dropped.
        calibration: what its card or manifest says of the frames that set its ranges; None where there are none, or no card.
    """

    name: str
    kind: str
    net: NetFacts
    facts: ModelFacts
    overlap: float = OVERLAP
    calibration: Mapping[str, Any] | None = None


class FinderSide(ABC):
    """A net on this machine.

    Attributes:
        about: what it is.
        own_thread: see `convert.parity.latency.Timed`.
    """

    about: AboutFinder
    own_thread = True

    @abstractmethod
    def answers(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What it says of every cell of uint8 (N, height, width, channels), float32 (N, A, 15)."""

    @abstractmethod
    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        """A function that finds faces in one picture as the net reads it (height, width, channels), with one thread."""

    def find(self, frames: FrameSet, advance: Advance) -> list[Found]:
        """The faces of each frame, in its pixels, from a low score on: the whole curve is wanted.

        Args:
            frames: to look at.
            advance: told how many frames were looked at, every so often.
        """
        net, found = self.about.net, []
        for start in range(0, len(frames), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(frames)))
            read = [letterbox(frames.image(row), net.width, net.height, net.channels) for row in rows]
            tables = self.answers(np.stack([pixels for pixels, _ in read]))
            found += [self._faces(table).scaled(scale) for table, (_, scale) in zip(tables, read, strict=True)]
            advance(len(rows))
        return found

    def first(self, frames: FrameSet) -> NDArray[np.uint8]:
        """The first frame as `one_input` takes it."""
        frame: NDArray[np.uint8] = as_read(frames, self.about.net, np.zeros(1, np.int64))[0]
        return frame

    def _faces(self, table: NDArray[np.float32], threshold: float = JUDGED_FROM) -> Found:
        return faces_of(table, self._grid, threshold, self.about.overlap)

    @cached_property
    def _grid(self) -> Grid:
        return self.about.net.grid


class KerasFinder(FinderSide):
    """A .keras file. Raises SourceError, SideError for no detector of the form that this project saves."""

    own_thread = False

    def __init__(self, place: str, name: str, threads: int) -> None:
        del threads  # Keras has its own pool
        model = read_keras(Path(place))
        if not is_detector(model):
            raise _classifier(name)
        self._detector = KerasDetector(model, name)
        content, sha256 = read_model(Path(place))
        facts = ModelFacts(sha256, len(content), "float32", keras_macs(model), None, versions())
        self.about = AboutFinder(name, "keras", self._detector.facts, facts)

    def answers(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        # The last chunk is filled up: another batch size would be traced anew.
        return self._detector.answer(np.resize(pixels, (_CHUNK, *pixels.shape[1:])))[: len(pixels)]

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        import tensorflow as tf

        model, detector = self._detector.model, self._detector
        with quiet_tensorflow():
            traced = tf.function(lambda frame: model(frame, training=False)).get_concrete_function(
                tf.TensorSpec((1, *self.about.net.shape), tf.float32)
            )

        def find(picture: NDArray[np.uint8]) -> object:
            outputs = traced(tf.constant(picture[None], tf.float32))
            return self._faces(detector.table([output.numpy() for output in outputs])[0], _SURE)

        return find


class TfliteFinder(FinderSide):
    """A .tflite file that reads uint8 or int8 pixels; arithmetic and calibration come from its card.

    Raises:
        GraphError, SideError, InterpreterError: damage, custom operators, float pixels, a classifier.
    """

    def __init__(self, place: str, name: str, threads: int) -> None:
        content, sha256 = read_model(Path(place))
        graph = read_operators(content, name)
        if not finds_faces([tensor.shape for tensor in graph.outputs]):
            raise _classifier(name)
        arithmetic, calibration = arithmetic_of(graph), None
        if card_path(Path(place)).exists():
            card = read_card(Path(place), content)
            arithmetic, calibration = card.kind, card.calibration
        self._open(name, "tflite", content, graph, arithmetic, sha256, threads, OVERLAP, calibration)

    def _open(
        self,
        name: str,
        kind: str,
        content: bytes,
        graph: Graph,
        arithmetic: str,
        sha256: str,
        threads: int,
        overlap: float,
        calibration: Mapping[str, Any] | None,
    ) -> None:
        check_runnable(graph, name)
        net = graph_facts(graph, name)
        self._content = content
        self._net = DetectorNet(content, net.shape, net.strides, threads, name)
        package = self._net.network.implementation
        environment = {"interpreter": f"{package.package} {package.version}"}
        facts = ModelFacts(sha256, len(content), arithmetic, tflite_macs(graph), None, environment)
        self.about = AboutFinder(name, kind, net, facts, overlap, calibration)

    def answers(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.stack([self._net.answer(picture) for picture in pixels])

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        net = self.about.net
        alone = DetectorNet(self._content, net.shape, net.strides, 1, self.about.name)
        return lambda picture: self._faces(alone.answer(picture), _SURE)


class BundleFinder(TfliteFinder):
    """A bundle's folder, as a board runs it: its overlap is its own; its threshold does not count, the curve has them all.

    Raises:
        BundleError, GraphError, InterpreterError: damage, or a classifier's bundle.
    """

    def __init__(self, place: str, name: str, threads: int) -> None:
        bundle = read_detector_bundle(place)
        manifest = bundle.manifest
        calibration = manifest.get("calibration")
        self._open(
            name,
            "bundle",
            bundle.model,
            read_operators(bundle.model, name),
            str(manifest["arithmetic"]),
            bundle.sha256,
            threads,
            bundle.facts.overlap,
            calibration if isinstance(calibration, Mapping) else None,
        )


_FINDERS: Mapping[str, type[KerasFinder] | type[TfliteFinder]] = {".keras": KerasFinder, ".tflite": TfliteFinder}


def open_finder(place: str, name: str, threads: int) -> FinderSide:
    """Opens a side and checks that it is of the form that can be compared.

    Args:
        place: a bundle's folder, or a .keras or .tflite file.
        name: that it gets in reports.
        threads: that a net computes with while it looks at frames.

    Raises:
        SideError, or what the reader of its kind raises: no such file, damage, a classifier, operators that cannot run here.
    """
    path = Path(place)
    if path.is_dir() or is_shipped(place):
        return BundleFinder(place, name, threads)
    suffix = path.suffix.lower()
    if suffix not in _FINDERS:
        found = f"no suffix among {', '.join(_FINDERS)}" if path.is_file() else "no such file"
        raise SideError(
            f"{place}: {found}",
            "a face detector: a Keras model (.keras), .tflite, or a bundle's folder",
            "check the path",
        )
    return _FINDERS[suffix](place, name, threads)


def _classifier(name: str) -> SideError:
    return SideError(
        f"{name}: a classifier",
        "a face detector, as --data holds frames with known faces",
        "name a detector, or labelled faces with --data",
    )
