"""Runs the steps of a release, one program after the other, and stops at the first that fails."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from edge_runtime.bundle import read_bundle
from edge_runtime.files import write_whole
from release.errors import RefusedError, ReleaseError, StepError
from release.plan import Plan, kind_of, read_plan
from release.steps import Step, Workshop, steps

__all__ = ["run"]

INTERRUPTED = 130
REPORT = "report.json"


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; whatever stops a release raises."""
    plan = read_plan(arguments.plan)
    todo = steps(plan, kind_of(plan))
    if arguments.show:
        print("\n".join(str(step) for step in todo))
        return 0
    shop = Workshop(Path(plan.out), plan.name)
    try:
        shop.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReleaseError(f"out = {plan.out!r}: {error.strerror}", "a folder to write into", "name another") from error
    done: list[dict[str, Any]] = []
    for number, step in enumerate(todo, 1):
        print(f"[{number}/{len(todo)}] {step.name}: {step}", flush=True)
        done.append(_done(step, arguments.plan))
        if step.name == "gate":
            _check_accuracy(plan, shop)
    bundle = read_bundle(shop.bundle)
    log = {"plan": arguments.plan.name, "bundle": bundle.name, "sha256": bundle.sha256, "steps": done}
    write_whole(shop.folder / "release.json", (json.dumps(log, indent=2) + "\n").encode())
    print(f"{shop.bundle}: bundle {bundle.name} {bundle.sha256}, {sum(each['seconds'] for each in done):.0f} s")
    return 0


def _done(step: Step, plan: Path) -> dict[str, Any]:
    """Runs one step in a program of its own; its output goes where ours goes."""
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", step.module, *step.words]).returncode
    if code in (INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    if code:
        refused = step.check and code == 1
        kind = RefusedError if refused else StepError
        raise kind(
            f"{plan.name}: the step {step.name!r} ended with {_ending(code)}",
            "a model that passes, before it is packed" if refused else "0, as its lines above say",
            "look at its report, then change the recipe or the gate"
            if refused
            else "mend that; the same command goes on",
        )
    return {"name": step.name, "command": str(step), "seconds": round(time.monotonic() - began, 1)}


def _check_accuracy(plan: Plan, shop: Workshop) -> None:
    """The converted model's own accuracy, which no gate knows: parity is about what conversion cost."""
    report = json.loads((shop.parity / REPORT).read_bytes())
    side = next(each["side"] for each in report["candidates"] if each["side"]["name"] == shop.converted.name)
    share = side["accuracy"]["share"]
    if share < plan.conversion.least_accuracy:
        raise RefusedError(
            f"{shop.converted}: accuracy {100 * share:.2f} % on {plan.choose_split}",
            f"at least {100 * plan.conversion.least_accuracy:g} % (conversion.least_accuracy)",
            "train a better student",
        )


def _ending(code: int) -> str:
    return f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
