"""`python -m boards pythons`: the wheel and the runtime's tests on each Python that this machine has."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from boards.environment import make_environment
from boards.errors import BoardsError, MissingError, ProgramError
from boards.head import head
from boards.machine import Here, ask_facts
from boards.programs import call, tell
from boards.table import table
from boards.trial import set_out
from boards.wheel import ROOT, build_wheel
from edge_runtime.running import DONE, FAILED

__all__ = ["VERSIONS", "find_python", "needed_by_tests", "run"]

VERSIONS = ("3.11", "3.12", "3.13")
TESTS = ("tests/edge_runtime", "tests/devices", "tests/system")
_TESTING = ("pytest", "pytest-xdist", "hypothesis", "pillow", "prometheus-client")
"""Of the checkout's extra [test], what the tests of the runtime and the devices need."""

_INSTALLED = ("edge_runtime", "devices")
_BESIDE = ("tests", "docs", "benchmarks", "convert", "train", "pyproject.toml")
"""What those tests read of a checkout beside the two packages of the wheel."""

_DEADLINE_S = 7200.0


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 1 where the wheel does not install or a test fails on one of the Pythons."""
    tests = arguments.tests or list(TESTS)
    for test in tests:
        if not (ROOT / test.partition("::")[0]).exists():
            raise BoardsError(f"{test}, which is not in {ROOT}", "tests of the checkout", f"such as {TESTS[0]}")
    found = {version: find_python(version) for version in VERSIONS}
    if not any(found.values()):
        raise MissingError(
            "no Python that works on the path", " or ".join(f"python{version}" for version in VERSIONS), "install one"
        )
    rows: list[tuple[object, ...]] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="fer-edge-boards-") as name:
        here = Here(Path(name))
        wheel = set_out(here.shared, build_wheel(here.shared / "dist"), [])
        packages = [f"{wheel.path}[mqtt,kiosk]", *needed_by_tests()]
        for version, python in found.items():
            if python is None:
                rows.append((version, "not on this machine", "–", "–"))
                continue
            folder = arguments.cache / f"tests-{version}"
            try:
                inside = make_environment(here, python, folder, str(folder), wheel, packages, [])
            except ProgramError as refused:
                rows.append((version, f"FAILED: {refused.received}", "–", "–"))
                failed = True
                continue
            tell(f"Python {version}: {' '.join(tests)}")
            checkout = _checkout(here.shared / version, folder)
            done = call(
                [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", *tests],
                "pytest",
                _DEADLINE_S,
                cwd=checkout,
            )
            if done.code:
                failed = True
                tell("\n".join(line for line in done.out.splitlines() if line.startswith(("FAILED", "ERROR"))))
            said = re.sub(
                r"=+|\s+in \S+s.*", "", done.out.strip().splitlines()[-1] if done.out.strip() else done.last_line
            )
            rows.append((version, "installs", f"{'FAILED: ' * bool(done.code)}{said.strip()}", ask_facts(here, inside)))
    print(head("python -m boards pythons", wheel, 0, {"tests": " ".join(tests)}))
    print(table(("Python", "wheel", "tests", "environment"), rows))
    return FAILED if failed else DONE


def find_python(version: str) -> str | None:
    """The path of a Python of this version that runs and makes environments; None where there is none.

    A name on the path proves nothing: version managers put one there for each Python that they know of.
    """
    names = [Path(folder) / f"python{version}" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    # One that is an environment's own comes last: what it makes would hang on it.
    names.sort(key=lambda path: path.parent == Path(sys.executable).parent)
    names += [path for folder in _kept() for path in sorted(folder.glob(f"*/bin/python{version}"))]
    question = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"
    for path in [*names, Path(sys.executable)]:
        if not os.access(path, os.X_OK):
            continue
        try:
            done = call([path, "-c", question], str(path), 120.0)
        except ProgramError:
            continue
        if done.code == 0 and done.out.strip() == version:
            return str(path)
    return None


def _kept() -> tuple[Path, ...]:
    """Where pyenv and uv keep their Pythons, which need not be on the path."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return (Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions", data / "uv/python")


def needed_by_tests() -> Sequence[str]:
    """What the tests need, as the checkout's extra [test] asks for it.

    Raises:
        BoardsError: the extra does not name one of them any more.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = {re.split(r"[<>=!~; \[]", each)[0]: each for each in project["optional-dependencies"]["test"]}
    for name in _TESTING:
        if name not in found:
            raise BoardsError(f"{name} is not in the extra [test]", "what the tests need", "correct boards/pythons.py")
    return [found[name] for name in _TESTING]


def _checkout(folder: Path, environment: Path) -> Path:
    """The tests beside the packages as the wheel installed them: nothing of the checkout's own two is there."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _BESIDE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder)
    (site,) = environment.glob("lib/python*/site-packages")
    for name in _INSTALLED:
        shutil.copytree(site / name, folder / name, ignore=ignored)
    return folder
