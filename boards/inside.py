"""What is asked of an environment from its inside. Run by its own Python, by path and isolated: `python -I inside.py …`.

    facts                               JSON: Python, machine, C library, packages, bytes of what pip installed
    stages BUNDLE FACES INPUTS OUT      of a classifier: its crops, and for given ones what its softmax reads and gives, as an .npz
    plain BUNDLE FACES INPUTS OUT       the same by the interpreter's kernels without XNNPACK

Standard library, and in the latter the installed fer-edge. INPUTS is an .npz of another machine's crops, "-" for its own.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

_OF_PIP = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")


def facts() -> dict[str, Any]:
    """Versions, and the bytes in site-packages but for pip's own."""
    import importlib.metadata
    import sysconfig

    found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
    site = Path(sysconfig.get_paths()["purelib"])
    ours = [
        path
        for path in site.rglob("*")
        if path.is_file() and path.relative_to(site).parts[0].split("-")[0] not in _OF_PIP
    ]
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "packages": {name: version for name, version in sorted(found.items()) if name not in _OF_PIP},
        "bytes": sum(path.stat().st_size for path in ours),
    }


def stages(bundle: str, faces: str, inputs: str, out: str, xnnpack: bool) -> None:
    """Writes `crops` uint8 (N, S, S, C) as this machine cuts them; and of `inputs` (or of those crops) `logits`, what the last
    softmax reads as it is stored (N, L), without one the answers; and `answers` (N, L), as stored.
    """
    import functools
    import importlib

    import numpy as np

    from edge_runtime.bundle import read_bundle
    from edge_runtime.facesets import open_faces
    from edge_runtime.illumination import normalize
    from edge_runtime.interpreter import CANDIDATES, find_implementation
    from edge_runtime.preprocess import fit_face
    from edge_runtime.tensors import Quantization, dequantized

    used = find_implementation()
    module = importlib.import_module(next(name for name, package in CANDIDATES if package == used.package))
    read = read_bundle(bundle)
    resolver = "AUTO" if xnnpack else "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
    make = functools.partial(
        module.Interpreter, num_threads=1, experimental_op_resolver_type=getattr(module.OpResolverType, resolver)
    )
    # All tensors are kept, or what the softmax has read may be overwritten by what comes after it.
    interpreter = make(model_content=read.program, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    softmax = [each for each in interpreter._get_ops_details() if each["op_name"] == "SOFTMAX"]
    output = interpreter.get_output_details()[0]
    answer = output["index"]
    before = int(softmax[-1]["inputs"][0]) if softmax else answer
    pixels = interpreter.get_input_details()[0]["index"]
    size, channels = read.input.size, read.input.channels
    crops = np.stack(
        [normalize(fit_face(face, size, channels), read.input.illumination) for face in open_faces(Path(faces)).pixels]
    )
    logits, answers = [], []
    for crop in crops if inputs == "-" else np.load(inputs)["crops"]:
        interpreter.set_tensor(pixels, crop[None])
        interpreter.invoke()
        logits.append(interpreter.get_tensor(before)[0].copy())
        answers.append(interpreter.get_tensor(answer)[0].copy())
    if read.program is not read.model:  # the softmax is fer-edge's own
        answers = list(read.probabilities(dequantized(np.stack(answers), Quantization(*output["quantization"]))))
    np.savez(out, crops=crops, logits=np.stack(logits), answers=np.stack(answers))


if __name__ == "__main__":
    if sys.argv[1] == "facts":
        print(json.dumps(facts()))
    else:
        of_bundle, of_faces, of_inputs, into = sys.argv[2:]
        stages(of_bundle, of_faces, of_inputs, into, xnnpack=sys.argv[1] == "stages")
