"""A side that is an ONNX model, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.parity.answers import ModelFacts
from convert.parity.errors import SideError
from convert.parity.macs import onnx_macs
from convert.parity.sides import About, Advance, ModelSide, Options, input_facts, read_model
from edge_runtime.preprocess import PREPROCESS_VERSION

__all__ = ["OnnxSide"]

_CHUNK = 32
_INPUTS = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}
"""Pixels 0 to 255 in either; the scaling is in the graph."""


class OnnxSide(ModelSide):
    """A .onnx file. Labels and illumination come from its metadata, where `python -m convert onnx` put them.

    Raises:
        SideError: damage, several inputs or outputs, another input, a newer preprocessing.
    """

    def __init__(self, place: str, name: str, options: Options) -> None:
        import onnxruntime

        self._name = name
        self._content, sha256 = read_model(Path(place))
        self._session = self._opened(options.threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise SideError(
                f"{name}: {len(inputs)} inputs and {len(outputs)} outputs", "one of each", "export a model of one face"
            )
        self._input, shape = inputs[0].name, tuple(inputs[0].shape)
        if inputs[0].type not in _INPUTS:
            raise SideError(
                f"{name}: input {inputs[0].type}",
                f"pixels 0 to 255 as {' or '.join(_INPUTS)}",
                "convert it with `python -m convert onnx`",
            )
        self._dtype = _INPUTS[inputs[0].type]
        # An open batch is a name or None.
        self._chunk = 1 if isinstance(shape[0], int) else _CHUNK
        answers = tuple(outputs[0].shape)
        if len(answers) != 2 or not isinstance(answers[1], int):
            raise SideError(f"{name}: output of shape {answers}", "(batch, classes)", "export a model of one face")
        said = dict(self._session.get_modelmeta().custom_metadata_map)
        if said.get("preprocess", str(PREPROCESS_VERSION)) != str(PREPROCESS_VERSION):
            raise SideError(
                f"{name}: made for preprocessing version {said['preprocess']}",
                f"{PREPROCESS_VERSION}, which this fer-edge has",
                "convert it again",
            )
        self.about = About(
            name,
            "onnx",
            input_facts(name, shape, said.get("illumination", options.illumination)),
            answers[1],
            self._labels(said),
            ModelFacts(
                sha256,
                len(self._content),
                "float32",
                onnx_macs(self._content),
                None,
                {"interpreter": f"onnxruntime {onnxruntime.__version__}"},
            ),
        )

    def probabilities(self, pixels: NDArray[np.uint8], advance: Advance) -> NDArray[np.float32]:
        answers = np.empty((len(pixels), self.about.classes), np.float32)
        for at in range(0, len(pixels), self._chunk):
            chunk = pixels[at : at + self._chunk]
            answers[at : at + len(chunk)] = self._run(self._session, chunk)
            advance(len(chunk))
        return answers

    def one_input(self) -> Callable[[NDArray[np.uint8]], object]:
        session = self._opened(1)
        return lambda face: self._run(session, face)

    def _run(self, session: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            answers: NDArray[np.float32] = session.run(None, {self._input: pixels.astype(self._dtype)})[0]
        except Exception as error:  # its errors derive from Exception alone
            raise self._refused(error) from error
        return answers

    def _opened(self, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(self._content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors derive from Exception alone
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> SideError:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return SideError(
            f"{self._name}: ONNX Runtime refuses it ({reason[:200]})",
            "an ONNX model of standard operators",
            "convert it with `python -m convert onnx`",
        )

    def _labels(self, said: Mapping[str, str]) -> tuple[str, ...] | None:
        if "labels" not in said:
            return None
        try:
            names = json.loads(said["labels"])
        except ValueError:
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SideError(
                f"{self._name}: labels {said['labels'][:80]!r} in its metadata",
                "a JSON list of names",
                "convert it with `python -m convert onnx`",
            )
        return tuple(names)
