"""What runs in an accelerator's child process: load the model once, answer batches. See `devices.engine` for the other side."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.base import LoadEngine
from devices.child import Parent
from devices.errors import ExplainedError, one_line
from devices.spec import Spec, parse_accelerator

__all__ = ["OUTPUT_AT", "find_loader", "main", "make_accelerator", "read_array", "write_array"]

OUTPUT_AT = 1 << 30
"""Where outputs begin in the shared memory; it is sparse, so what nobody writes costs nothing."""


def make_accelerator(spec: Spec) -> Any:
    """The accelerator that a spec names; no device is touched."""
    from devices.registry import ACCELERATORS, adapter

    return adapter(ACCELERATORS, spec.kind, "accelerator")(spec.target, spec.options)


def find_loader(name: str) -> LoadEngine:
    """The function that "module:function" names."""
    module_name, _, function_name = name.partition(":")
    loader: LoadEngine = getattr(importlib.import_module(module_name), function_name)
    return loader


def write_array(descriptor: int, array: NDArray[Any], at: int) -> dict[str, Any]:
    """Writes an array into the shared memory and says how to read it."""
    data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], at + written)
    return {"shape": list(array.shape), "dtype": array.dtype.str}


def read_array(descriptor: int, facts: dict[str, Any], at: int) -> NDArray[Any]:
    """The array that `write_array` wrote, in memory of its own."""
    array = np.empty(facts["shape"], np.dtype(facts["dtype"]))
    if array.size:
        os.preadv(descriptor, [array.data.cast("B")], at)
    return array


def main(parent: Parent, arguments: dict[str, Any]) -> None:
    """Loads the model and answers until the parent says stop or goes."""
    accelerator = make_accelerator(parse_accelerator(arguments["accelerator"]))
    model = os.pread(arguments["model"], arguments["model_bytes"], 0)
    engine = accelerator.engine(model, find_loader(arguments["loader"]), arguments["runs"])
    parent.send({"ready": True})
    memory = arguments["memory"]
    while "stop" not in (message := parent.receive()):
        try:
            output = engine.run(read_array(memory, message["batch"], 0))
        except (ExplainedError, RuntimeError, ValueError, OSError) as error:
            parent.send({"failed": one_line(f"{type(error).__name__}: {error}")[:2000]})
        else:
            parent.send({"output": write_array(memory, output, OUTPUT_AT)})
