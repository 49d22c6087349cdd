"""What is asked of an environment from its inside. Run by its own Python, by path and isolated: `python -I inside.py …`.

    facts                               JSON: Python, machine, C library, packages, bytes of what pip installed
    without-xnnpack BUNDLE FACES OUT    probabilities of a classifier by the interpreter's plain kernels, as an .npz

Standard library, and in the second the installed fer-edge.
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


def without_xnnpack(bundle: str, faces: str, out: str) -> None:
    """Answers `faces` with the kernels that the interpreter has without XNNPACK."""
    import dataclasses
    import functools
    import importlib

    import numpy as np

    from edge_runtime.bundle import read_bundle
    from edge_runtime.facesets import open_faces
    from edge_runtime.illumination import normalize
    from edge_runtime.interpreter import CANDIDATES, Model, find_implementation
    from edge_runtime.preprocess import fit_face

    used = find_implementation()
    module = importlib.import_module(next(name for name, package in CANDIDATES if package == used.package))
    plain = functools.partial(
        module.Interpreter, experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    read = read_bundle(bundle)
    model = Model(read.model, name=read.name, implementation=dataclasses.replace(used, factory=plain))
    size, channels = read.input.size, read.input.channels
    answers = [
        model.dequantized(model.run(normalize(fit_face(pixels, size, channels), read.input.illumination)[None]))
        for pixels in open_faces(Path(faces)).pixels
    ]
    np.savez(out, probabilities=np.concatenate(answers))


if __name__ == "__main__":
    if sys.argv[1] == "facts":
        print(json.dumps(facts()))
    else:
        without_xnnpack(*sys.argv[2:])
