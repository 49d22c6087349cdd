"""The arrows of ARCHITECTURE.md, held by reading every import of every module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"benchmarks", "boards", "devices", "edge_runtime", "convert", "train", "release"}
HEAVY = {"tensorflow", "keras", "torch", "jax", "sklearn", "matplotlib", "pandas", "mediapipe"}
OF_TRAINING = {
    f"edge_runtime.{name}"
    for name in (
        "bundle",
        "classifier",
        "preprocess",
        "illumination",
        "labels",
        "reliability",
        "geometry",
        "detectors",
        "facesets",
        "framesets",
        "errors",
        "files",
        "intervals",
        "pages",
        "pictures",
        "archives",
        "running",
        "tables",
        "version",
    )
}


def imports(package):
    """(file, imported module, whether at the top of the file) of every import statement in a package."""
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text())
        top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                yield path.relative_to(ROOT).as_posix(), name, id(node) in top


def roots(package):
    return {name.partition(".")[0] for _, name, _ in imports(package)}


def test_devices_import_nothing_of_ours():
    assert roots("devices") & OURS == {"devices"}


def test_runtime_imports_devices_and_nothing_of_the_workstation():
    assert roots("edge_runtime") & OURS == {"devices", "edge_runtime"}


def test_convert_and_train_never_import_each_other():
    assert not {"benchmarks", "train", "release"} & roots("convert")
    assert not {"benchmarks", "convert", "release"} & roots("train")


def test_a_release_meets_the_other_packages_in_commands_and_files():
    assert roots("release") & OURS == {"release", "edge_runtime"}


def test_the_trials_use_the_runtime_and_meet_the_rest_in_commands():
    assert roots("boards") & OURS == {"boards", "edge_runtime"}


def test_training_uses_only_the_shared_rooms_of_the_runtime():
    used = {name for _, name, _ in imports("train") if name.startswith("edge_runtime")}
    assert {name for name in used if ".".join(name.split(".")[:2]) not in OF_TRAINING} == set()


@pytest.mark.parametrize("package", ["devices", "edge_runtime"])
def test_the_board_never_imports_a_training_framework(package):
    candidates = {name for _, name, _ in imports(package) if name.partition(".")[0] in HEAVY}
    assert candidates == set()


def test_only_one_module_knows_litert():
    packages = ("ai_edge_litert", "tflite_runtime", "tensorflow.lite")
    files = {
        path
        for path in (ROOT / "edge_runtime").rglob("*.py")
        if any(package in path.read_text() for package in packages)
    }
    assert {path.name for path in files} == {"interpreter.py"}


def test_every_benchmark_tells_a_mistake_in_one_line():
    scripts = {path.stem: path.read_text() for path in (ROOT / "benchmarks").glob("*.py")}
    bare = {
        name
        for name, text in scripts.items()
        if "__main__" in text and f'raise SystemExit(run_script("{name}", main))' not in text
    }
    assert bare == {"peer_worker"}  # which `peers` starts, in an environment without fer-edge


def test_importing_the_package_loads_no_framework_and_no_litert():
    probe = "import sys, edge_runtime; print(' '.join(sys.modules))"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
    )
    assert not loaded & (HEAVY | {"ai_edge_litert", "tflite_runtime", "tqdm", "http.server"})
