"""`python -m boards arm64`: the wheel in an emulated aarch64 Debian, its answers beside this machine's."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from boards.comparison import Comparison, Difference, compare
from boards.emulator import CPUS, Emulated, check_machine, one_at_a_time, translation
from boards.environment import make_environment
from boards.errors import ProgramError
from boards.faces import write_faces
from boards.head import head
from boards.machine import Facts, Here, Machine, ask_facts
from boards.programs import call, must, tell
from boards.rootfs import make_root
from boards.subjects import find_subjects
from boards.table import table
from boards.trial import FACES, ask, ask_all, set_out
from boards.wheel import Wheel, build_wheel
from edge_runtime.running import DONE, FAILED

__all__ = ["MOST_BYTES", "run"]

MOST_BYTES = 350_000_000
"""Of what pip installs on a board."""

_PLACE = "opt/fer-edge"
_OLDEST_GLIBC = 17
"""manylinux2014, which is manylinux_2_17: the oldest that Python 3.11 has wheels for."""

_PINNED = ("ai-edge-litert", "numpy", "opencv-python-headless")
"""Like is compared with like: the same versions on both sides."""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 1 where an int8 bundle is not bit-exact, a self-test fails, or the install is too large."""
    check_machine()
    subjects = find_subjects(arguments.bundles)
    began = time.monotonic()
    with (
        one_at_a_time(arguments.cache),
        translation(),
        tempfile.TemporaryDirectory(prefix="fer-edge-boards-") as name,
    ):
        shared = Path(name)
        wheel = set_out(shared, build_wheel(shared / "dist"), subjects)
        write_faces(arguments.faces, shared / FACES)
        root = make_root(arguments.cache, arguments.suite, arguments.mirror)
        boards = [Emulated(root, cpu, shared) for cpu in CPUS]
        seen = f"/{_PLACE}"
        options = ["--no-index", "--find-links", _fetched(boards[-1], root, wheel)]
        python = make_environment(
            boards[-1], "python3", root / _PLACE, seen, wheel, [boards[-1].seen(wheel.path)], options
        )
        there = ask_facts(boards[-1], python)
        here = Here(shared)
        place = arguments.cache / f"beside-arm64-{sys.version_info[0]}.{sys.version_info[1]}"
        packages = [str(wheel.path), *(f"{name}=={_version(there, name)}" for name in _PINNED)]
        beside = make_environment(here, sys.executable, place, str(place), wheel, packages, [])
        set_up_s = time.monotonic() - began
        facts: dict[str, Facts | str] = {"emulated": there, "beside": ask_facts(here, beside), "qemu": _qemu()}
        reference = ask(here, beside, subjects, "here")
        for board in boards:
            tell(f"{board.name}, the processor of a {board.cpu.board}: {len(subjects)} bundles")
        at_once, start = os.cpu_count() or 1, time.monotonic()
        answers = ask_all(boards, python, subjects, "here", at_once)
        asked_s = time.monotonic() - start
        compared: dict[str, list[Comparison]] = {
            name: [compare(*pair) for pair in zip(of_one, reference, strict=True)] for name, of_one in answers.items()
        }
    facts["time"] = f"set-up {set_up_s:.0f} s, both processors {asked_s:.0f} s, {at_once} bundles at once"
    print(head("python -m boards arm64", wheel, arguments.faces, facts))
    print(_table(compared))
    small = there.bytes <= MOST_BYTES
    print(
        f"\ninstalled by pip alone: {there.bytes / 1e6:.0f} MB of at most {MOST_BYTES / 1e6:.0f}{'' if small else ': FAILED'}"
    )
    rows = [each for of_one in compared.values() for each in of_one]
    # The tests' small bundles are asked beside the shipped ones; what they do is told, and decides nothing.
    judged = [each for each in rows if each.shipped or arguments.bundles]
    beside_it = sorted({each.name for each in rows if each not in judged and not each.agrees})
    if beside_it:
        print(f"of the tests' own bundles, these differ by more than they should: {', '.join(beside_it)}")
    print(conclusion(judged, list(compared)))
    alike = all(each.agrees for each in judged)
    return DONE if alike and small else FAILED


def conclusion(compared: Sequence[Comparison], processors: Sequence[str]) -> str:
    """The last line: what the int8 bundles do on all processors."""
    int8 = [each for each in compared if each.arithmetic == "int8" and each.faces]
    where = " and ".join(processors)
    if not all(each.agrees for each in compared):
        return f"FAILED: {', '.join(sorted({each.name for each in compared if not each.agrees}))}"
    if not int8:
        return f"alike on {where}; no int8 classifier was asked"
    if all(each.exact for each in int8):
        return f"bit-exact: every int8 bundle on {where}"
    softened = sum(each.answers.faces for each in int8)
    cropped = sum(each.crops.faces for each in int8)
    parts = [f"arithmetic bit-exact: every int8 bundle on {where}, up to the softmax"]
    if softened:
        parts.append(f"the softmax differs by one step in {softened} of {sum(each.faces for each in int8)} answers")
    if cropped:
        parts.append(f"{cropped} crops differ by one grey level")
    return "; ".join(parts)


def _table(compared: dict[str, list[Comparison]]) -> str:
    rows = [
        (
            each.name,
            each.arithmetic,
            cpu,
            each.selftest.split(" (bundle ")[0],
            *(_shown(each, part) for part in (each.crops, each.logits, each.answers, each.record)),
            each.verdict,
        )
        for cpu, rows in compared.items()
        for each in rows
    ]
    heads = (
        "bundle",
        "arithmetic",
        "processor",
        "self-test there",
        "crops",
        "before softmax",
        "behind it",
        "record",
        "",
    )
    return table(heads, rows)


def _shown(compared: Comparison, part: Difference) -> str:
    if not compared.faces:
        return "–"
    return f"{part.faces} of {compared.faces} differ, by {part.most:.2g}" if part.faces else "bit-exact"


def _fetched(board: Machine, root: Path, wheel: Wheel) -> str:
    """The wheels that the emulated Python takes, fetched by this machine's pip and network; where the board sees them.

    Raises:
        ProgramError: there is none of a package.
    """
    question = "import platform, sys; print('%d.%d' % sys.version_info[:2], platform.libc_ver()[1].split('.')[1])"
    done = board.call(["python3", "-c", question], "python3", 600.0)
    try:
        version, minor = done.out.split()
    except ValueError as error:
        raise ProgramError(
            f"{board.name}: python3 says {done.last_line!r}", "its version", "remove the cache"
        ) from error
    name = f"wheels-{version}-{wheel.requires_sha256[:12]}"
    folder = root / "opt" / name
    if not folder.is_dir():
        partial = folder.with_name(f"{name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        tell(f"wheels for aarch64 and Python {version}")
        must(download(wheel.path, partial, version, int(minor)), "pip download", 3600.0)
        # The wheel itself comes anew each time.
        (partial / wheel.path.name).unlink()
        os.replace(partial, folder)
    return f"/opt/{name}"


def download(wheel: Path, folder: Path, version: str, glibc_minor: int) -> Sequence[str | Path]:
    """The command that fetches what a wheel needs on aarch64 with Python `version` and glibc 2.`glibc_minor`."""
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in range(glibc_minor, _OLDEST_GLIBC - 1, -1)]
    words: list[str | Path] = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    words += ["--only-binary", ":all:", "--python-version", version, "--implementation", "cp", "--dest", folder]
    for each in [*platforms, "manylinux2014_aarch64"]:
        words += ["--platform", each]
    return [*words, wheel]


def _version(facts: Facts, package: str) -> str:
    folded = {name.lower().replace("_", "-"): version for name, version in facts.packages.items()}
    if package not in folded:
        raise ProgramError(f"no {package} in the emulated environment", "what the wheel asks for", "remove the cache")
    return folded[package]


def _qemu() -> str:
    lines = call(["qemu-aarch64-static", "--version"], "qemu", 30.0).out.splitlines()
    return lines[0] if lines else "unknown"
