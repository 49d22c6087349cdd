"""The only module that knows LiteRT: `ai_edge_litert`, else `tflite_runtime`, else TensorFlow's interpreter.

Which of them is in use is part of every report, since they round differently.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.base import Delegate
from devices.quiet import quiet_libraries
from edge_runtime.errors import InterpreterError
from edge_runtime.tensors import TensorFacts, dequantized, tensor_facts

__all__ = ["Implementation", "Model", "Network", "find_implementation", "load_engine"]

CANDIDATES = (
    ("ai_edge_litert.interpreter", "ai-edge-litert"),
    ("tflite_runtime.interpreter", "tflite-runtime"),
    ("tensorflow.lite.python.interpreter", "tensorflow"),
)
MAX_THREADS = 64
MOST_AT_ONCE = 8
"""Rows of one invocation: memory grows with them, and beyond this nothing is gained."""


@dataclass(frozen=True)
class Implementation:
    """Which package interprets models here.

    Attributes:
        package, version: as pip knows them.
        factory: its `Interpreter`.
        load_delegate: its `load_delegate(library, options)`, or None where it has none.
    """

    package: str
    version: str
    factory: Callable[..., Any]
    load_delegate: Callable[..., Any] | None = None


def find_implementation(candidates: tuple[tuple[str, str], ...] = CANDIDATES) -> Implementation:
    """The first interpreter package that can be imported.

    Raises:
        InterpreterError: none is installed, or each fails to import; the reasons are named.
    """
    reasons: list[str] = []
    for module_name, package in candidates:
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            reasons.append(f"{package}: {error}")
            continue
        version = getattr(module, "__version__", None)
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            version = version or "unknown version"
        return Implementation(package, str(version), module.Interpreter, getattr(module, "load_delegate", None))
    raise InterpreterError(
        f"no TFLite interpreter ({'; '.join(reasons)})",
        "ai-edge-litert, tflite-runtime or TensorFlow",
        "pip install ai-edge-litert (on 32-bit ARM: tflite-runtime)",
    )


class Network:
    """A TFLite model with one input and any number of outputs, loaded once and kept.

    Args:
        content: the bytes of the .tflite file.
        threads: for the CPU kernels, 1 to 64.
        name: for messages.
        implementation: which interpreter; None takes the first that is installed.
        delegate: the accelerator's library that takes the model's operators; None for the CPU alone.

    Raises:
        InterpreterError: the bytes are no model that the interpreter takes, it has several inputs, or the delegate's
            library is missing or finds no device.
    """

    def __init__(
        self,
        content: bytes,
        threads: int = 1,
        name: str = "model",
        implementation: Implementation | None = None,
        delegate: Delegate | None = None,
    ) -> None:
        if not 1 <= threads <= MAX_THREADS:
            raise InterpreterError(
                f"{threads} threads", f"1 to {MAX_THREADS}", "give as many threads as the board has cores"
            )
        self.name = name
        self.threads = threads
        self.implementation = implementation or find_implementation()
        options: dict[str, Any] = {"model_content": content, "num_threads": threads}
        if delegate is not None:
            options["experimental_delegates"] = [self._load_delegate(delegate)]
        try:
            # LiteRT announces its delegate on file descriptor 2, past Python: not a message for the user.
            with quiet_libraries():
                self._interpreter = self.implementation.factory(**options)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InterpreterError(
                f"{name}: {self.implementation.package} {self.implementation.version} refuses it ({reason})",
                "a TFLite model of operators that it knows",
                "take a bundle made for this runtime, or upgrade ai-edge-litert",
            ) from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._check(len(inputs), len(outputs))
        self.input = tensor_facts(inputs[0])
        self.outputs = tuple(tensor_facts(details) for details in outputs)
        self._input_index = inputs[0]["index"]
        self._output_indices = [details["index"] for details in outputs]
        self._rows = self.input.shape[0] if self.input.shape else 0
        # What an accelerator's compiler fixed stays fixed; a processor's model is tried once, when it is first asked.
        self._batches: bool | None = None if delegate is None and self._rows == 1 else False

    def _load_delegate(self, delegate: Delegate) -> Any:
        """The accelerator's library, loaded: it opens the device now."""
        shown = f"{self.name}: {delegate.library} with {dict(delegate.options) or 'no options'}"
        if self.implementation.load_delegate is None:
            raise InterpreterError(
                f"{shown}: {self.implementation.package} loads no delegates",
                "ai-edge-litert",
                "pip install ai-edge-litert",
            )
        try:
            ctypes.CDLL(
                delegate.library
            )  # LiteRT's own object would complain once more when it is thrown away half-made
            with quiet_libraries():
                return self.implementation.load_delegate(delegate.library, dict(delegate.options))
        except OSError as error:
            raise InterpreterError(f"{shown}: {error}", "the accelerator's library", delegate.mend) from error
        except ValueError as error:  # the library gave no delegate, mostly without a word
            reason = str(error).strip() or "finds no device"
            raise InterpreterError(f"{shown}: {reason}", "a device that is free", delegate.mend) from error

    def _check(self, inputs: int, outputs: int) -> None:
        if inputs != 1 or outputs < 1:
            raise InterpreterError(
                f"{self.name}: {inputs} inputs and {outputs} outputs",
                "one input, and something to answer",
                "convert it again with one input",
            )

    def run_all(self, batch: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Every output of one batch as real numbers, in the order of `outputs`.

        Args:
            batch: the input's own shape and dtype.
        """
        self.invoke(batch)
        return [self.real(place) for place in range(len(self.outputs))]

    def invoke(self, batch: NDArray[Any]) -> None:
        """Runs one batch, of the input's own shape and dtype; `stored` and `real` give its outputs until the next."""
        self._interpreter.set_tensor(self._input_index, batch)
        self._interpreter.invoke()

    def stored(self, place: int) -> NDArray[Any]:
        """One of `outputs` as stored (not dequantized), in an array of its own."""
        output: NDArray[Any] = self._interpreter.get_tensor(self._output_indices[place])
        return output

    def real(self, place: int) -> NDArray[np.float32]:
        """One of `outputs` as real numbers, float32."""
        return dequantized(self.stored(place), self.outputs[place].quantization)

    def delegated(self) -> bool | None:
        """Whether a delegate (XNNPACK on a CPU) took operators of this model; None where the runtime doesn't tell."""
        details = getattr(self._interpreter, "_get_ops_details", None)
        if details is None:
            return None
        return any(operator["op_name"] == "DELEGATE" for operator in details())


class Model(Network):
    """A TFLite model with one input and one output.

    Raises:
        InterpreterError: as `Network` does, and where it has several outputs.
    """

    def _check(self, inputs: int, outputs: int) -> None:
        if inputs != 1 or outputs != 1:
            raise InterpreterError(
                f"{self.name}: {inputs} inputs and {outputs} outputs",
                "one of each",
                "convert it again with one input and one output",
            )

    @property
    def output(self) -> TensorFacts:
        return self.outputs[0]

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """The output of one batch, as stored (not dequantized), in an array of its own.

        Args:
            batch: the input's own shape and dtype. Of a model of single rows it may hold any number of rows: the answers
                are those that each row has by itself, to the last bit, whatever the interpreter makes of several at once.
        """
        if self.input.shape[:1] != (1,) or batch.ndim == 0 or (len(batch) == 1 and self._rows == 1):
            return self._answered(batch)
        if len(batch) == 0:
            raise ValueError(f"{self.name}: a batch without a row; expected one at least")
        if self._batches is None and len(batch) > 1:
            self._batches = self._agrees(batch.dtype)
        most = MOST_AT_ONCE if self._batches else 1
        parts = []
        for first in range(0, len(batch), most):
            rows = batch[first : first + most]
            self._resize(len(rows))
            parts.append(self._answered(rows))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def batches(self) -> bool | None:
        """Whether several rows are run at once; None before somebody asked for it."""
        return self._batches

    def _agrees(self, dtype: np.dtype[Any]) -> bool:
        """Whether rows of noise are answered together as one by one. A graph may hold its batch of one in a constant."""
        noise = np.random.default_rng(0).integers(0, 256, (MOST_AT_ONCE, *self.input.shape[1:])).astype(dtype)
        self._resize(1)
        alone = np.concatenate([self._answered(row[None]) for row in noise])
        try:
            for rows in (3, MOST_AT_ONCE):
                self._resize(rows)
                if not np.array_equal(self._answered(noise[:rows]), alone[:rows]):
                    return False
        except (ValueError, RuntimeError):
            return False
        return True

    def _resize(self, rows: int) -> None:
        if rows == self._rows:
            return
        self._rows = 0  # nothing is known of an interpreter that refuses
        # LiteRT announces its delegate on file descriptor 2 at each allocation.
        with quiet_libraries():
            self._interpreter.resize_tensor_input(self._input_index, (rows, *self.input.shape[1:]))
            self._interpreter.allocate_tensors()
        self._rows = rows

    def _answered(self, batch: NDArray[Any]) -> NDArray[Any]:
        self.invoke(batch)
        return self.stored(0)

    def dequantized(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Stored output values as real numbers, float32."""
        return dequantized(stored, self.output.quantization)


def load_engine(model: bytes, threads: int, delegate: Delegate | None) -> Model:
    """Loads a model for `devices.engine.SupervisedEngine`, here or in its child process.

    Raises:
        InterpreterError: as `Model`.
    """
    return Model(model, threads, delegate=delegate)
