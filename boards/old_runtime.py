"""`python -m boards tflite-runtime`: which bundles the old runtime loads, which bits differ there, and why."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from boards.comparison import Comparison, compare, difference
from boards.environment import make_environment
from boards.errors import MissingError
from boards.faces import write_faces
from boards.head import head
from boards.machine import Here, ask_facts
from boards.pythons import find_python
from boards.subjects import find_subjects
from boards.table import table
from boards.trial import FACES, Answer, ask, ask_stages, set_out
from boards.wheel import build_wheel
from edge_runtime.running import DONE, FAILED

__all__ = ["OLD", "run"]

OLD = ("tflite-runtime==2.14.0", "numpy<2", "opencv-python-headless==4.11.*", "tqdm>=4.66")
"""What 32-bit boards and old images have: tflite-runtime is built against numpy 1, and so is that OpenCV."""

_VERSION = "3.11"


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 1 where a shipped bundle does not load or pass its self-test on the old runtime."""
    python = find_python(_VERSION)
    if python is None:
        raise MissingError(
            f"no python{_VERSION} on the path",
            f"Python {_VERSION}, the last one that tflite-runtime has wheels for",
            f"on Debian 12: sudo apt install python{_VERSION}-venv",
        )
    subjects = find_subjects(arguments.bundles)
    with tempfile.TemporaryDirectory(prefix="fer-edge-boards-") as name:
        here = Here(Path(name))
        wheel = set_out(here.shared, build_wheel(here.shared / "dist"), subjects)
        write_faces(arguments.faces, here.shared / FACES)
        folders = {kind: arguments.cache / f"{kind}-{_VERSION}" for kind in ("today", "tflite-runtime")}
        today = make_environment(here, python, folders["today"], str(folders["today"]), wheel, [str(wheel.path)], [])
        old_place = folders["tflite-runtime"]
        old = make_environment(here, python, old_place, str(old_place), wheel, OLD, [])
        facts = {"old runtime": ask_facts(here, old), "beside": ask_facts(here, today)}
        ours = ask(here, today, subjects, "today")
        theirs = ask(here, old, subjects, "old", crops_of="today")
        rows = []
        for answer, reference in zip(theirs, ours, strict=True):
            compared = compare(answer, reference)
            alike = None
            if compared.answers.faces and answer.stages is not None:
                plain = ask_stages(here, today, answer.subject, "today", "today", xnnpack=False)
                alike = None if plain is None else not difference(answer.stages.answers, plain.answers).faces
            rows.append(_row(answer, compared, alike))
    print(head("python -m boards tflite-runtime", wheel, arguments.faces, facts))
    heads = (
        "bundle",
        "arithmetic",
        "loads",
        "self-test there",
        "crops",
        "answers that differ",
        "other label",
        "largest |Δp|",
        "why",
    )
    print(table(heads, rows))
    failed = [answer.subject.name for answer in theirs if answer.subject.shipped and not answer.passed]
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'every shipped bundle loads and passes its self-test'}")
    return FAILED if failed else DONE


def _row(answer: Answer, compared: Comparison, plain_alike: bool | None) -> tuple[object, ...]:
    said = answer.selftest.split(" (bundle ")[0]
    name, arithmetic = answer.subject.name, answer.subject.arithmetic
    if answer.stages is None:
        return name, arithmetic, "yes" if answer.loads else "no", said, *["–"] * 4, "" if answer.loads else "refused"
    return (
        name,
        arithmetic,
        "yes",
        said,
        f"{compared.crops.faces} differ" if compared.crops.faces else "the same",
        f"{compared.answers.faces} of {compared.faces} faces",
        compared.decisions,
        f"{compared.record.most:.4f}",
        why(compared, plain_alike),
    )


def why(compared: Comparison, plain_alike: bool | None) -> str:
    """Why bits differ, by the answers alone: the old runtime lets the softmax overwrite what it has read.

    `plain_alike`: today's runtime without XNNPACK gives the old one's very bits; None: not found out.
    """
    if compared.exact:
        return "no bit differs"
    if not compared.answers.faces:
        return "the crops: another OpenCV"
    if plain_alike:
        return "no XNNPACK: today's runtime without it gives the same bits"
    if plain_alike is None:
        return "not found out"
    return "no XNNPACK, and other kernels: today's runtime without it differs too"
