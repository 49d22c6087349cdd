"""`python -m convert explain`: likely causes of what a parity report says, with their evidence and what to do."""

from __future__ import annotations

import argparse
import json
import textwrap

from convert.explain import Cause, Reported, likely_causes, read_report
from convert.parity.evidence import Skipped
from convert.parity.verdict import Outcome
from edge_runtime.running import DONE, FAILED

__all__ = ["run"]

_WIDTH = 100


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where each candidate passed or a cause is named, 1 where nothing explains one that did not pass."""
    report = read_report(arguments.report)
    explained = [(candidate, likely_causes(candidate)) for candidate in report.candidates]
    if arguments.json:
        tables = [_table(candidate, causes) for candidate, causes in explained]
        refused = [{"name": name, "reason": reason} for name, reason in report.refused]
        print(json.dumps({"format": 1, "candidates": tables, "refused": refused}, indent=2, ensure_ascii=False))
    else:
        told = ["\n".join(_told(candidate, causes)) for candidate, causes in explained]
        told += [f"{name}: not compared\n  {reason}" for name, reason in report.refused]
        print("\n\n".join(told))
    unexplained = [one for one, causes in explained if one.outcome is not Outcome.PASSED and not causes]
    return FAILED if unexplained else DONE


def _table(candidate: Reported, causes: tuple[Cause, ...]) -> dict[str, object]:
    return {
        "name": candidate.name,
        "outcome": candidate.outcome.value,
        "causes": [cause.as_json() for cause in causes],
        "not_gathered": [f"{each.probe}: {each.reason}" for each in _skipped(candidate)],
    }


def _told(candidate: Reported, causes: tuple[Cause, ...]) -> list[str]:
    if candidate.outcome is Outcome.PASSED:
        return [f"{candidate.name}: passed, nothing to explain"]
    lines = [f"{candidate.name}: {candidate.outcome.value}"]
    if not causes:
        lines += ["  Nothing in the report explains it."]
        lines += _wrapped("mend", _what_now(candidate), "  ")
    for number, cause in enumerate(causes, 1):
        lines.append(f"  {number}. {cause.title} ({cause.likely})")
        for sentence in cause.evidence:
            lines += _wrapped("evidence", sentence, "     ")
        lines += _wrapped("mend", f"{cause.mend}.", "     ")
    for each in _skipped(candidate):
        lines += _wrapped("not gathered", f"{each.probe}: {each.reason}.", "  ")
    return lines


def _what_now(candidate: Reported) -> str:
    if not candidate.probes:
        return "the report holds no evidence: run `python -m convert parity` again, where both models are at hand."
    return "look at the flipped faces on its page, and compare the model's versions and preprocessing."


def _skipped(candidate: Reported) -> list[Skipped]:
    return [probe for probe in candidate.probes if isinstance(probe, Skipped)]


def _wrapped(name: str, text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        f"{name}: {text}", _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    )
