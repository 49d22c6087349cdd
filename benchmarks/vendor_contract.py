"""What vendors' published sources offer to our adapters, written down for the tests.

    python -m benchmarks.vendor_contract picamera2
    python -m benchmarks.vendor_contract libedgetpu --source DIR --commit HASH

picamera2: pip downloads its source distribution, which is parsed and not imported (it imports on a Raspberry Pi only).
libedgetpu: from a checkout of github.com/google-coral/libedgetpu, since it is on no package index.
The files go to tests/devices/vendor; the tests compare the calls of our adapters with them.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.script import run_script

PLACE = Path(__file__).parent.parent / "tests" / "devices" / "vendor"
CLASSES = {"picamera2.py": "Picamera2", "request.py": "CompletedRequest"}
PLUGIN = "tflite/edgetpu_delegate_for_custom_op_tflite_plugin.cc"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vendor", choices=["picamera2", "libedgetpu"])
    parser.add_argument("--version", default="", help="of picamera2; without it the newest")
    parser.add_argument("--source", type=Path, help="checkout of libedgetpu")
    parser.add_argument("--commit", default="", help="its commit")
    arguments = parser.parse_args()
    if arguments.vendor == "picamera2":
        facts = picamera2(arguments.version)
    elif arguments.source is None or not arguments.commit:
        parser.error("libedgetpu needs --source and --commit")
    else:
        facts = libedgetpu((arguments.source / PLUGIN).read_text(), arguments.commit)
    PLACE.mkdir(exist_ok=True)
    path = PLACE / f"{arguments.vendor}.json"
    path.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    print(f"{path.relative_to(Path.cwd())}: {facts.get('version') or facts['commit']}, sha256 {facts['sha256']}")


def picamera2(version: str) -> dict[str, Any]:
    """Methods with their parameters, and attributes, of the classes that our adapter uses."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"picamera2=={version}" if version else "picamera2"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "picamera2"]
        subprocess.run([*pip, "--dest", folder, wanted], check=True)
        (archive,) = Path(folder).glob("picamera2-*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        (package,) = Path(folder).glob("picamera2-*/picamera2")
        texts = {path.name: path.read_text() for path in package.glob("*.py")}
        return {
            "package": "picamera2",
            "version": archive.name.removeprefix("picamera2-").removesuffix(".tar.gz"),
            "archive": archive.name,
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
            "exports": exports_of(texts["__init__.py"]),
            "classes": {name: class_of(texts[file], name) for file, name in CLASSES.items()},
            "order_in_memory": literal_of(texts["request.py"], "mode_lookup"),
        }


def exports_of(text: str) -> list[str]:
    """Names that a package's __init__ imports."""
    return sorted(
        alias.asname or alias.name
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def class_of(text: str, name: str) -> dict[str, Any]:
    """{"methods": {name: [parameters]}, "attributes": [properties and what is set on self]} of a class, public ones."""
    (found,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name]
    methods: dict[str, list[str]] = {}
    attributes: set[str] = set()
    for node in found.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        if any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list):
            attributes.add(node.name)
        elif not node.name.startswith("_") or node.name == "__init__":
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            methods[node.name] = [argument.arg for argument in every if argument.arg != "self"]
        attributes |= {
            target.attr
            for target in ast.walk(node)
            if isinstance(target, ast.Attribute)
            and isinstance(target.ctx, ast.Store)
            and isinstance(target.value, ast.Name)
            and target.value.id == "self"
        }
    return {"methods": methods, "attributes": sorted(name for name in attributes if not name.startswith("_"))}


def literal_of(text: str, name: str) -> Any:
    """The literal that is assigned to a name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return ast.literal_eval(node.value)
    raise SystemExit(f"no {name} in the source: look at what it is called now")


def libedgetpu(text: str, commit: str) -> dict[str, Any]:
    """What the delegate's plugin exports and which options it documents."""
    said = re.search(r"// Recognized input options:.*?(?=EDGETPU_EXPORT)", text, re.DOTALL)
    if said is None:
        raise SystemExit(f"no list of options in {PLUGIN}: look at how it is written now")
    return {
        "repository": "github.com/google-coral/libedgetpu",
        "commit": commit,
        "file": PLUGIN,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "symbols": sorted(re.findall(r"EDGETPU_EXPORT [^(]*?(\w+)\(", text)),
        "devices": re.findall(r'//     "([^"]*)"\s+--', said[0]),
        "options": {name: re.findall(r'"([^"]+)"', values) for name, values in _options(said[0])},
    }


def _options(text: str) -> list[tuple[str, str]]:
    return re.findall(r'//   "([\w.]+)": \[([^\]]*)\]', text)


if __name__ == "__main__":
    raise SystemExit(run_script("vendor_contract", main))
